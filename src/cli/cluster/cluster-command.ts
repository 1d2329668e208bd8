/** `lsmt cluster`: how a cluster is, and what people ask of it, by any of its nodes. */
import { Argument } from 'commander'
import { LsmtError } from '../../errors.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { CliHost } from '../host.ts'
import type { ClusterStatus } from '../serve/cluster-status.ts'
import { jsonOption, switchOption } from '../switches.ts'
import { serverWithToken } from '../target/open-target.ts'
import type { ServerConnection } from '../target/server-connection.ts'
import { serverOptions } from '../target/target-options.ts'
import type { ServerFlags } from '../target/target-options.ts'
import { clusterText, troublesOf } from './cluster-text.ts'
import { recoverLost } from './recover-lost.ts'
import type { Operator } from './operator.ts'

interface ClusterFlags extends ServerFlags {
  readonly json?: boolean
  readonly wait?: boolean
  readonly yes?: boolean
}

interface Action {
  /** What stands behind it. */
  readonly names: readonly string[]
  readonly run: (operator: Operator, names: readonly string[], flags: ClusterFlags) => Promise<ExitCode>
}

const actions: Readonly<Record<string, Action>> = {
  status: { names: [], run: tellStatus },
  drain: { names: ['NODE'], run: (operator, [node], flags) => drain(operator, `/cluster/drain?node=${encodeURIComponent(node!)}`, node!, flags) },
  undrain: { names: ['NODE'], run: (operator, [node]) => ask(operator, `/cluster/undrain?node=${encodeURIComponent(node!)}`, `${node!} takes part again`) },
  replace: { names: ['OLD', 'NEW'], run: (operator, [old, by], flags) => drain(operator, `/cluster/replace?node=${encodeURIComponent(old!)}&by=${encodeURIComponent(by!)}`, old!, flags) },
  'hand-over': { names: ['SHARD'], run: (operator, [shard]) => ask(operator, `/cluster/hand-over?shard=${encodeURIComponent(shard!)}`, `the leader of shard ${shard!} steps down`) },
  'unsafe-recover': { names: [], run: (operator, _names, { yes = false }) => recoverLost(operator, yes) },
}

export function addCluster(floor: CommandFloor): void {
  addCommand<ClusterFlags>(floor, {
    name: 'cluster',
    arguments: [
      new Argument('<action>', 'status; drain NODE and undrain NODE; replace OLD NEW, which is live; hand-over SHARD; unsafe-recover, which tells what is lost and takes what copies there are only with --yes').choices(Object.keys(actions)),
      new Argument('[names...]', 'what the action is about'),
    ],
    description: 'look at a cluster, or change where its copies are, by the server of any node (--url); status ends with 1 when something is wrong',
    options: [
      ...serverOptions(),
      switchOption('--wait', 'of drain and replace: until nothing is left there', 'cluster'),
      switchOption('--yes', 'of unsafe-recover: do it, though what was acknowledged may be lost', 'cluster'),
      jsonOption('tell the outcome as JSON'),
    ],
    examples: ['lsmt cluster status --url http://127.0.0.1:8080', 'lsmt cluster replace node2 node4 --wait --url http://127.0.0.1:8080', 'lsmt cluster unsafe-recover --url http://127.0.0.1:8080'],
    run: (flags, [action, ...names]) => runAction(flags, action!, names, floor.host),
  })
}

async function runAction(flags: ClusterFlags, name: string, names: readonly string[], host: CliHost): Promise<ExitCode> {
  const action = actions[name]!
  if (names.length !== action.names.length) throw new LsmtError('22023', `lsmt cluster ${[name, ...action.names].join(' ')} is what is wanted; ${names.length} names are given behind ${name}`)
  const stray = flags.wait === true && !['drain', 'replace'].includes(name) ? '--wait' : flags.yes === true && name !== 'unsafe-recover' ? '--yes' : undefined
  if (stray !== undefined) throw new LsmtError('22023', `${stray} is not for cluster ${name}`)
  if (flags.url === undefined) throw new LsmtError('22023', 'a cluster is asked by one of its nodes: give --url (LSMT_URL)')
  const connection = await serverWithToken(flags.url, flags, host)
  const tell = (value: unknown, text: string): void => host.printLine(flags.json === true ? JSON.stringify(value) : text)
  return await action.run({ connection, tell, host, status: () => clusterStatus(connection) }, names, flags)
}

async function clusterStatus(connection: ServerConnection): Promise<ClusterStatus> {
  const { cluster } = (await connection.status()) as { readonly cluster?: ClusterStatus | null }
  if (cluster === undefined || cluster === null) throw new LsmtError('55000', `the server at ${connection.name} is no node of a cluster`)
  return cluster
}

async function tellStatus({ status, tell }: Operator): Promise<ExitCode> {
  const told = await status()
  tell(told, clusterText(told))
  return troublesOf(told).length > 0 ? exitCode.failed : exitCode.ok
}

async function ask({ connection, tell }: Operator, path: string, outcome: string): Promise<ExitCode> {
  await connection.request(path, { method: 'POST' })
  tell({ done: true }, outcome)
  return exitCode.ok
}

const lookMs = 500

/** Asks for it, and with --wait sees to it that nothing is left at the node. 55000 when something cannot go elsewhere. */
async function drain({ connection, status, tell, host }: Operator, path: string, node: string, { wait = false }: ClusterFlags): Promise<ExitCode> {
  await connection.request(path, { method: 'POST' })
  let isStopped = false
  void host.stopRequested.then(() => { isStopped = true })
  for (let before: number | undefined; ;) {
    const { nodes, stuck } = await status()
    const copies = nodes.find((each) => each.node === node)?.copies ?? 0
    if (copies === 0 || !wait) {
      tell({ node, copies }, copies === 0 ? `nothing is left at ${node}` : `${copies} copies are to leave ${node}`)
      return exitCode.ok
    }
    if (stuck.length > 0) throw new LsmtError('55000', `${node} keeps its copies of ${stuck.length === 1 ? 'shard' : 'shards'} ${stuck.join(', ')}: no other node can take them`, { hint: 'add a node, or undrain one' })
    if (isStopped) throw new LsmtError('57014', `interrupted: ${copies} copies are still at ${node}, and go on leaving it`)
    if (copies !== before) host.printError(`${copies} copies are to leave ${node}`)
    before = copies
    await host.clock.sleep(lookMs)
  }
}
