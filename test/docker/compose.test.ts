/** The compose file, as far as it can be checked without an engine: what it promises stands in it, and the server knows what it is given. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8')

/** The blocks of one level of indentation below `path`, by name. */
function blocks(path: readonly string[]): ReadonlyMap<string, string> {
  let text = compose, indent = ''
  for (const name of path) {
    text = new RegExp(`^${indent}${name}:.*\\n((?:${indent} .*\\n|\\n)*)`, 'm').exec(text)![1]!
    indent += '  '
  }
  return new Map([...text.matchAll(new RegExp(`^${indent}([\\w-]+):(.*\\n(?:${indent}  .*\\n)*)`, 'gm'))].map(([, name, block]) => [name!, block!]))
}
const services = blocks(['services'])
const nodes = [...services].filter(([name]) => name.startsWith('node'))
const members = [...services].filter(([name]) => name.startsWith('etcd'))

describe('docker-compose.yml', () => {
  test('starts the cluster by default, and one node on request', () => {
    expect(readFileSync(join(root, '.env'), 'utf8')).toMatch(/^COMPOSE_PROFILES=cluster$/m)
    expect([...services.keys()]).toEqual(['lsmt', 'node1', 'node2', 'node3', 'etcd1', 'etcd2', 'etcd3'])
    expect(services.get('lsmt')).toMatch(/^ {4}profiles: \[single\]$/m)
    expect(compose).toMatch(/^x-node: &node\n {2}<<: \*lsmt\n {2}profiles: \[cluster\]$/m)
    expect(compose).toMatch(/^x-etcd: &etcd\n {2}profiles: \[cluster\]$/m)
    for (const [, block] of nodes) expect(block).toMatch(/^ {4}<<: \*node$/m)
    for (const [, block] of members) expect(block).toMatch(/^ {4}<<: \*etcd$/m)
  })

  test('lets in this machine only, on ports 8080 to 8082, and nobody to etcd', () => {
    const ports = (block: string): readonly string[] => [...block.matchAll(/^ {6}- "(.*:\d+)"$/gm)].map(([, port]) => port!)
    expect(ports(services.get('lsmt')!)).toEqual(['127.0.0.1:8080:8080'])
    expect(nodes.map(([, block]) => ports(block))).toEqual([['127.0.0.1:8080:8080'], ['127.0.0.1:8081:8080'], ['127.0.0.1:8082:8080']])
    expect(members.flatMap(([, block]) => ports(block))).toEqual([])
  })

  test('keeps the data of each on a volume of its own, and nothing else', () => {
    const volumes = [...services.values()].map((block) => / {4}volumes:\n {6}- (.*)/.exec(block)![1]!)
    expect(volumes).toEqual(['data:/data', 'node1:/data', 'node2:/data', 'node3:/data', 'etcd1:/etcd-data', 'etcd2:/etcd-data', 'etcd3:/etcd-data'])
    expect([...blocks(['volumes']).keys()]).toEqual(volumes.map((volume) => volume.split(':')[0]))
    for (const each of ['lsmt', 'etcd']) for (const line of ['read_only: true', 'cap_drop: [ALL]', 'security_opt: ["no-new-privileges:true"]']) expect(blocks([]).get(`x-${each}`)).toContain(`  ${line}\n`)
  })

  test('names every node and member as it is reached, and starts nodes after etcd', () => {
    for (const [name, block] of nodes) expect(block).toContain(`LSMT_NODE_ID: ${name}\n      LSMT_ADVERTISE: http://${name}:8080\n`)
    for (const [name, block] of members) expect(block).toContain(`ETCD_NAME: ${name}\n      ETCD_ADVERTISE_CLIENT_URLS: http://${name}:2379\n      ETCD_INITIAL_ADVERTISE_PEER_URLS: http://${name}:2380\n`)
    expect(compose).toContain(`LSMT_ETCD: ${members.map(([name]) => `http://${name}:2379`).join(',')}\n`)
    expect(compose).toContain(`ETCD_INITIAL_CLUSTER: ${members.map(([name]) => `${name}=http://${name}:2380`).join(',')}\n`)
    expect(blocks([]).get('x-node')).toContain(`  depends_on: [${members.map(([name]) => name).join(', ')}]\n`)
  })

  test('has two copies, and says that the secret it comes with is none', () => {
    expect(compose).toMatch(/^ {2}LSMT_REPLICATION_FACTOR: 2$/m)
    expect(compose).toMatch(/^ {2}LSMT_CLUSTER_SECRET: \$\{LSMT_CLUSTER_SECRET:-[^}]*for development only\}$/m)
  })

  test('gives servers time to end', () => {
    expect(Number(/stop_grace_period: (\d+)s/.exec(blocks([]).get('x-lsmt')!)![1])).toBeGreaterThanOrEqual(30)
  })

  test('sets only what the server knows', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/main.js', 'serve', '--help'], { cwd: root })
    const known = new Set(stdout.match(/LSMT_\w+/g))
    expect([...new Set(compose.match(/^ +LSMT_\w+/gm)!.map((name) => name.trim()))].filter((name) => !known.has(name))).toEqual([])
  })
})
