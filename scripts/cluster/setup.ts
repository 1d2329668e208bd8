/** What a cluster on this machine consists of, and the file in its data directory that keeps it the same at every start. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { clientUrl } from './etcd-command.ts'
import type { EtcdMember } from './etcd-command.ts'
import type { ClusterNode, ClusterOfNodes } from './node-command.ts'

/** Fixed when the data directory is made: members and nodes know each other by these addresses. */
interface Shape {
  readonly etcdMembers: number
  /** Of the first node; the others follow. */
  readonly port: number
  /** Of the first member, for clients; the port for its peers follows, then the next member's. */
  readonly etcdPort: number
}

export interface Setup {
  readonly members: readonly EtcdMember[]
  readonly nodes: readonly ClusterNode[]
  readonly cluster: ClusterOfNodes
}

const defaultShape: Shape = { etcdMembers: 1, port: 8080, etcdPort: 2379 }
const nodeCount = 3
const host = '127.0.0.1'

export const usage = `npm run cluster [-- options]: three nodes with two copies of everything on this machine, until Ctrl-C
  --data-dir PATH     where all of it is kept (default ./cluster-data); the same again goes on from there
  --etcd-members N    1 or 3 (default 1)
  --port N            of the first node (default 8080); the others take the next two
  --etcd-port N       of the first member of etcd (default 2379); each takes two`

/** Makes the data directory, or reads what it was made with. Throws an Error that says what to do. */
export function setupOf(argv: readonly string[]): Setup {
  const { values } = parseArgs({ args: [...argv], options: { 'data-dir': { type: 'string', default: './cluster-data' }, 'etcd-members': { type: 'string' }, port: { type: 'string' }, 'etcd-port': { type: 'string' } } })
  const asked: Partial<Shape> = {
    ...(values['etcd-members'] !== undefined && { etcdMembers: chosen('--etcd-members', values['etcd-members'], [1, 3]) }),
    ...(values.port !== undefined && { port: portOf('--port', values.port) }),
    ...(values['etcd-port'] !== undefined && { etcdPort: portOf('--etcd-port', values['etcd-port']) }),
  }
  const dataDir = values['data-dir']
  const { etcdMembers, port, etcdPort } = keptShape(dataDir, asked)
  const members = Array.from({ length: etcdMembers }, (_, i) => ({ name: `etcd-${i + 1}`, dataDir: join(dataDir, `etcd-${i + 1}`), host, clientPort: etcdPort + 2 * i, peerPort: etcdPort + 2 * i + 1 }))
  const nodes = Array.from({ length: nodeCount }, (_, i) => ({ nodeId: `n${i + 1}`, dataDir: join(dataDir, `n${i + 1}`), host, port: port + i }))
  return { members, nodes, cluster: { name: 'local', etcdUrls: members.map(clientUrl), replicationFactor: 2, secretFile: keptSecret(dataDir) } }
}

function chosen(flag: string, text: string, values: readonly number[]): number {
  const found = values.find((value) => String(value) === text)
  if (found === undefined) throw new Error(`bad ${flag} ${JSON.stringify(text)}: expected ${values.join(' or ')}`)
  return found
}

function portOf(flag: string, text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_530) throw new Error(`bad ${flag} ${JSON.stringify(text)}: expected a port from 1 to 65530`)
  return port
}

function keptShape(dataDir: string, asked: Partial<Shape>): Shape {
  const file = join(dataDir, 'cluster.json')
  if (!existsSync(file)) {
    const shape = { ...defaultShape, ...asked }
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(file, `${JSON.stringify(shape)}\n`)
    return shape
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Shape
  const other = (Object.keys(asked) as (keyof Shape)[]).filter((key) => asked[key] !== kept[key])
  if (other.length > 0) throw new Error(`${dataDir} was made with ${other.map((key) => `${key} ${kept[key]}`).join(', ')}, not ${other.map((key) => asked[key]).join(', ')}: leave the option out, or take another --data-dir`)
  return kept
}

function keptSecret(dataDir: string): string {
  const file = join(dataDir, 'secret')
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  return file
}
