/**
 * A node of a cluster: one database over all nodes, read and written through any of them. Reads go to the leaders of the
 * shards, wherever they are; statements that write run on the node that coordinates them.
 */
import type { Duplex } from 'node:stream'
import type { Engine } from '../../../engine/engine.ts'
import { checkSettings } from '../../../engine/open/check-settings.ts'
import { openFloor, openKernelFloor } from '../../../engine/open/open-floor.ts'
import type { OpenFloor } from '../../../engine/open/open-floor.ts'
import { LsmtError } from '../../../errors.ts'
import type { HeapBudget } from '../../../kernel/grouping/limited-heap.ts'
import { systemAlarms } from '../../../runtime/alarms.ts'
import { addressName } from '../../../storage/open-storage.ts'
import { createEtcdClient } from '../../etcd/etcd-client.ts'
import { createFragmentClient } from '../../fragments/client/fragment-client.ts'
import type { ClusterMembership } from '../../node/membership.ts'
import { defaultMembershipSettings } from '../../node/settings.ts'
import type { PeerReplica } from '../../replica/replica-options.ts'
import { isUpgrade } from '../../transport/dial/upgrade.ts'
import { defaultTransportSettings } from '../../transport/settings.ts'
import { createChanges } from './changes.ts'
import type { Changes } from './changes.ts'
import { batchBytesMax, openClusterNode } from './cluster-node.ts'
import type { ClusterNode } from './cluster-node.ts'
import type { ClusterServerOptions } from './cluster-options.ts'
import { createDatabase } from './database.ts'
import type { Database } from './database.ts'
import { decodeToken, encodeToken, laterOf } from './session-token.ts'
import { createTerms } from './terms.ts'
import type { CoordinatorPlace, Terms } from './terms.ts'

/** What a read may show. */
export type Consistency =
  /** Everything that was acknowledged before it began. */
  | { readonly kind: 'linearizable' }
  /** Everything that stands behind a token; any state without one. */
  | { readonly kind: 'session'; readonly token: string | undefined }
  /** What was true at most so long ago. */
  | { readonly kind: 'stale'; readonly maxMs: number }

export interface ClusterServer {
  readonly nodeId: string
  /** Reads, linearizable; whatever writes is 25006. */
  readonly engine: Engine
  /** The same at another level, of the same catalog. 22023 for a token that is none. */
  at(consistency: Consistency): Engine
  /** Waits up to `waitMs` for one to be known. 57P03 when none is. */
  coordinator(waitMs: number): Promise<CoordinatorPlace>
  /** For reads of a session: everything that this node has acknowledged or read, and what stands behind `seen`. */
  token(seen?: string): string
  /** On how many nodes a write is when it is acknowledged. */
  readonly copies: number
  /** Who is there and who keeps what; what people ask of a cluster stands there as well. */
  readonly membership: ClusterMembership<PeerReplica>
  /** It can answer reads: its part in the cluster is known, and the catalog was read. */
  isReady(): boolean
  isUpgrade(request: { readonly url?: string | undefined; readonly headers: { readonly upgrade?: string | undefined } }): boolean
  accept(socket: Duplex, head: Uint8Array): void
  /** For a node that is about to stop: others lead what it has led. It answers until it is closed. */
  leave(): Promise<void>
  close(): Promise<void>
}

/** Resolves once the node has its place in the cluster; its shards may not have leaders yet. 0A000, and what `openMembership` refuses. */
export async function openClusterServer(options: ClusterServerOptions): Promise<ClusterServer> {
  const { settings, storage, clock, random, etcd: address } = options
  checkOptions(options)
  const kernelFloor = openKernelFloor(options)
  const floor = openFloor(options, kernelFloor, settings.shards)
  const alarms = systemAlarms
  const etcd = createEtcdClient(address, { clock, alarms, random })
  const changes = createChanges(alarms)
  const groupBudget: HeapBudget = { bytesMax: Math.floor(floor.kernel.heap.byteLength / 6), usedBytes: 0 }
  const transportSettings = { ...defaultTransportSettings, ...options.transport }
  const closeParts = async (): Promise<void> => {
    changes.close()
    etcd.close()
    await floor.close()
  }
  const late: { terms?: Terms } = {}
  const node = await openClusterNode({
    ...options, ...(!storage.appends && { bucket: options.storageAddress === undefined ? storage.description : addressName(options.storageAddress) }), storage, floor, groupBudget, etcd, alarms, changes, transportSettings,
    beforeResigning: async () => await late.terms?.current?.drain(drainMsMax),
    shardCount: settings.shards, membershipSettings: { ...defaultMembershipSettings, ...options.membership },
  }).catch(async (error: unknown) => {
    await closeParts()
    throw error
  })
  const { server, terms } = serve({ options, node, floor, changes, groupBudget, batchBytesMax: batchBytesMax(transportSettings), closeParts })
  late.terms = terms
  return server
}

/** For statements that are under way when another node is to coordinate writes. */
const drainMsMax = 2_000

function checkOptions({ settings, storage, factor }: ClusterServerOptions): void {
  checkSettings(settings)
  if (settings.durability !== 'sync') throw new LsmtError('0A000', `durability ${settings.durability} in a cluster is not supported: what is acknowledged is on the disks of all copies`)
  if (!storage.appends && factor !== 1) throw new LsmtError('22023', `${factor} copies were asked for, and the data is in ${storage.description}, where there is one, which all nodes have in common`)
}

interface ServerParts {
  readonly options: ClusterServerOptions
  readonly node: ClusterNode
  readonly floor: OpenFloor
  readonly changes: Changes
  readonly groupBudget: HeapBudget
  readonly batchBytesMax: number
  readonly closeParts: () => Promise<void>
}

/** For a snapshot, or the row of a key, of another node. */
const questionMsMax = 5_000

function serve(parts: ServerParts): { readonly server: ClusterServer; readonly terms: Terms } {
  const { options, node, floor, changes, groupBudget } = parts
  const { membership, transport, channel } = node
  const client = createFragmentClient({ kernel: floor.kernel, groupBudget, channel, timeoutMs: questionMsMax })
  const database = createDatabase({ ...parts, client, clock: options.clock, server: options })
  const terms = createTerms({ membership, changes, clock: options.clock, log: options.log, begin: database.begin })
  const readiness = watchReadiness(database, changes)
  const server: ClusterServer = {
    nodeId: options.nodeId,
    engine: database.engine,
    at(consistency) {
      if (consistency.kind === 'linearizable') return database.engine
      if (consistency.kind === 'stale') return database.near({ kind: 'stale', staleMsMax: consistency.maxMs })
      return database.near({ kind: 'session', sequences: consistency.token === undefined ? database.seen.map(() => 0) : decodeToken(consistency.token, membership.shardCount) })
    },
    coordinator: (waitMs) => terms.place(waitMs),
    token: (seen) => tokenOf(database, terms, membership.shardCount, seen),
    get copies() {
      const acknowledged = terms.current?.copies ?? 0
      return acknowledged > 0 ? acknowledged : membership.factor
    },
    membership,
    isReady: () => membership.isReady() && readiness.isRead,
    isUpgrade: ({ url, headers }) => isUpgrade(url, headers.upgrade),
    accept: (socket, head) => transport.accept(socket, head),
    leave: () => membership.leave(),
    async close() {
      await terms.close()
      await node.close()
      database.close()
      client.close()
      await parts.closeParts()
    },
  }
  return { server, terms }
}

/** Everything that was seen by reads, or acknowledged by a term of this node. */
function tokenOf({ seen }: Database, terms: Terms, shardCount: number, earlier: string | undefined): string {
  const own = laterOf(seen, terms.current?.visible() ?? seen)
  return encodeToken(earlier === undefined ? own : laterOf(own, decodeToken(earlier, shardCount)))
}

/** Reads the catalog as soon as there is one. */
function watchReadiness({ catalog }: Database, changes: Changes): { readonly isRead: boolean } {
  const readiness = { isRead: false }
  let isReading = false
  const look = (): void => {
    if (readiness.isRead || isReading) return
    isReading = true
    // What hinders it is told by whatever is asked of the node meanwhile.
    catalog.refresh().then(() => (readiness.isRead = true), () => false).finally(() => (isReading = false))
  }
  changes.onChange(look)
  look()
  return readiness
}
