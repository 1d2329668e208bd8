/**
 * From a data directory and what the configuration store has of the node's last start to a node that is there. Nothing is
 * changed before all that can be wrong has been looked at; then the new incarnation is written to the disk, and only then
 * does the store hear of it.
 */
import { LsmtError } from '../../../errors.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Alarms } from '../../../runtime/alarms.ts'
import type { Log } from '../../../runtime/log.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { Condition } from '../../etcd/wire/transaction.ts'
import type { ClusterValue } from '../../placement/cluster-value.ts'
import type { LiveNode } from '../../replication/event.ts'
import { identityAtStart } from '../../replication/identity.ts'
import type { MembershipSettings } from '../settings.ts'
import { checkedName, isAbsent, storeKeys } from '../store/keys.ts'
import type { StoreKeys } from '../store/keys.ts'
import { decodeLive, decodeNode, encodeLive, isAddress } from '../store/node-value.ts'
import type { NodeValue } from '../store/node-value.ts'
import { agreeOnCluster } from './agree.ts'
import { makeNodeDirectory, newId, readNodeDirectory, writeStart } from './node-directory.ts'
import type { DirectoryOptions, NodeStart } from './node-directory.ts'
import { Presence } from './presence.ts'

export interface RegisterOptions extends DirectoryOptions {
  readonly cluster: string
  readonly node: string
  /** Where others, and clients, reach this node. */
  readonly address: string
  /** Awaited before anything is changed and anybody hears of this start: from then on the address takes connections. */
  readonly beforeTold?: () => Promise<void>
  /** Of lsmt. */
  readonly version: string
  readonly shardCount: number
  readonly factor: number
  /** Where the data is, if the nodes do not keep it in their directories. */
  readonly bucket?: string
  readonly etcd: EtcdClient
  readonly alarms: Alarms
  readonly log: Log
  readonly settings: MembershipSettings
  readonly fatal: (error: LsmtError) => void
}

export interface Registered {
  readonly self: LiveNode
  readonly cluster: ClusterValue
  readonly keys: StoreKeys
  readonly presence: Presence
}

const attemptsMax = 5
const pollMs = 100
/** What etcd may take to end a lease, beyond its time to live. */
const leaseEndMs = 1_500

export async function register(options: RegisterOptions): Promise<Registered> {
  const { etcd, address, random, log } = options
  const node = checkedName('node', options.node), keys = storeKeys(options.cluster)
  if (!isAddress(address)) throw new LsmtError('22023', `the address of ${node} is ${JSON.stringify(address)}: http://HOST:PORT or https://HOST:PORT is wanted`)
  const directory = await readNodeDirectory(options, options.cluster, node)
  const cluster = await agreeOnCluster(etcd, keys, directory, { name: options.cluster, id: newId(random), shardCount: options.shardCount, factor: options.factor, bucket: options.bucket ?? null })
  let start = directory.lastStart ?? { incarnation: 0, store: newId(random) }
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const seen = await etcd.get(keys.node(node))
    const registered = seen.found === undefined ? undefined : decodeNode(seen.found.value, seen.key)
    const earlier = registered === undefined ? undefined : keys.live(node, registered.incarnation)
    if (earlier !== undefined) await untilGone(options, earlier)
    if (attempt === 1) await options.beforeTold?.()
    start = nextStart(options, start, registered)
    if (directory.format === undefined) await makeNodeDirectory(options, { cluster: options.cluster, clusterId: cluster.id, node }, cluster.shardCount)
    await writeStart(options, start)
    const value: NodeValue = { ...start, address, version: options.version, wasCleanlyStopped: false }
    const presence = presenceOf(options, keys, value)
    const unchanged: Condition = { kind: 'mod-revision', key: seen.key, is: '=', to: seen.found?.modRevision ?? 0n }
    if (await presence.begin([unchanged, ...(earlier === undefined ? [] : [isAbsent(earlier)])])) return { self: { node, ...start }, cluster, keys, presence }
    log.info({ node }, `another start of ${node} was registered first: looking again`)
  }
  throw new LsmtError('55006', `${node} was started ${attemptsMax} times elsewhere while this one began: two nodes have one id`)
}

function presenceOf({ etcd, alarms, log, settings, fatal, node }: RegisterOptions, keys: StoreKeys, value: NodeValue): Presence {
  const { leaseSeconds, retryMs } = settings
  return new Presence({ etcd, alarms, log, fatal, node, value, leaseSeconds, retryMs, nodeKey: keys.node(node), liveKey: keys.live(node, value.incarnation), liveValue: encodeLive({ ...value, isLeaving: false }), leavingValue: encodeLive({ ...value, isLeaving: true }) })
}

/** Cluster nodes acknowledge nothing before it is synced, so that an unclean end takes nothing from a store. */
function nextStart({ random, log }: RegisterOptions, last: NodeStart, registered: NodeValue | undefined): NodeStart {
  const identity = identityAtStart({ ...last, wasCleanlyStopped: true, syncsBeforeAck: true }, registered)
  if (identity.kind === 'same') return { store: last.store, incarnation: identity.incarnation }
  log.warn({}, `what this directory holds is not counted on: ${identity.reason}; the node joins with a new, empty store`)
  return { store: newId(random), incarnation: identity.incarnation }
}

/** The lease of an earlier start may outlive it; that of another node does not end. 55006 then. */
async function untilGone({ etcd, alarms, clock, log, node, settings, address }: RegisterOptions, liveKey: string): Promise<void> {
  const endMs = clock.monotonicMs() + settings.leaseSeconds * 1000 + leaseEndMs
  for (let isTold = false; ; isTold = true) {
    const { found } = await etcd.get(liveKey)
    if (found === undefined) return
    const other = decodeLive(found.value, liveKey).address
    if (clock.monotonicMs() >= endMs) {
      throw new LsmtError('55006', `a node '${node}' is live at ${other}: two nodes cannot have one id`, { expected: address, actual: other, hint: 'give this one another --node-id, or stop the other one' })
    }
    if (!isTold) log.info({ node, address: other }, `an earlier start of ${node}, at ${other}, still has its lease: waiting for its end`)
    await pause(alarms, pollMs)
  }
}
