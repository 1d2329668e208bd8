/** A node of a cluster below its engines: its part of the configuration store, the channel to other nodes, the copies that it keeps. */
import type { OpenFloor } from '../../../engine/open/open-floor.ts'
import { catalogShard } from '../../../engine/tables/catalog.ts'
import type { HeapBudget } from '../../../kernel/grouping/limited-heap.ts'
import { installFiles } from '../../../lsm/replicated/install-files.ts'
import { openReplicatedTree } from '../../../lsm/replicated/open-replicated-tree.ts'
import { LsmtError } from '../../../errors.ts'
import type { Alarms } from '../../../runtime/alarms.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Log } from '../../../runtime/log.ts'
import { systemTurns } from '../../../runtime/pace.ts'
import type { Random } from '../../../runtime/random.ts'
import type { DatabaseSettings } from '../../../settings.ts'
import type { Storage } from '../../../storage/storage.ts'
import { readBucketDirectory } from '../../bucket/bucket-directory.ts'
import type { BucketDirectory } from '../../bucket/bucket-directory.ts'
import type { BucketReplicaOptions } from '../../bucket/bucket-replica.ts'
import { BucketReplica } from '../../bucket/bucket-replica.ts'
import { openShard } from '../../bucket/open-shard.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { Channel } from '../../fragments/client/peer.ts'
import { createFragmentService } from '../../fragments/server/fragment-service.ts'
import type { FragmentService } from '../../fragments/server/fragment-service.ts'
import type { ClusterMembership } from '../../node/membership.ts'
import { openMembership } from '../../node/open-membership.ts'
import type { MembershipSettings } from '../../node/settings.ts'
import type { TreeSource } from '../../replica/held-tree.ts'
import { openReplica } from '../../replica/open-replica.ts'
import { createPeerServices } from '../../replica/peer-services.ts'
import type { PeerReplica } from '../../replica/replica-options.ts'
import { defaultTiming } from '../../replication/timing.ts'
import type { ReplicationTiming } from '../../replication/timing.ts'
import type { PeerTls } from '../../transport/dial/connect.ts'
import type { TransportSettings } from '../../transport/settings.ts'
import { createTransport } from '../../transport/transport.ts'
import type { Transport } from '../../transport/transport.ts'
import { createAppendServices } from '../appends/append-services.ts'
import type { Changes } from './changes.ts'
import { createLoopback } from './loopback.ts'

export interface ClusterNodeOptions {
  readonly storage: Storage
  /** What the storage is called, if it is a bucket that all nodes of the cluster have in common. */
  readonly bucket?: string
  readonly settings: DatabaseSettings
  readonly floor: OpenFloor
  readonly groupBudget: HeapBudget
  readonly cluster: string
  readonly nodeId: string
  /** Where others, and clients, reach this node. */
  readonly advertise: string
  readonly beforeTold?: () => Promise<void>
  readonly version: string
  readonly shardCount: number
  readonly factor: number
  readonly secret: Uint8Array
  readonly tls?: PeerTls
  readonly etcd: EtcdClient
  readonly membershipSettings: MembershipSettings
  readonly transportSettings: TransportSettings
  readonly timing?: ReplicationTiming
  readonly clock: Clock
  readonly alarms: Alarms
  readonly random: Random
  readonly log: Log
  readonly changes: Changes
  /** Awaited before this node gives up the leadership of shard 0 by itself. */
  readonly beforeResigning: () => Promise<void>
  readonly fatal: (error: unknown) => void
}

export interface ClusterNode {
  readonly membership: ClusterMembership<PeerReplica>
  readonly transport: Transport
  /** To other nodes, and to this one. */
  readonly channel: Channel
  close(): Promise<void>
}

/** What is known only while it is being opened. */
interface Opening {
  membership?: ClusterMembership<PeerReplica>
  transport?: Transport
}

export async function openClusterNode(options: ClusterNodeOptions): Promise<ClusterNode> {
  const { nodeId, changes, fatal, etcd, membershipSettings, advertise, floor: { kernel } } = options
  const opening: Opening = {}
  const bucket = options.bucket === undefined ? undefined : await readBucketDirectory({ ...options, kernel }, options.cluster, nodeId)
  const closing = new AbortController()
  const replica = (shard: number): PeerReplica | undefined => opening.membership?.replica(shard)
  const fragments = createFragments(options, replica, closing.signal)
  const appends = createAppendServices(replica)
  const peers = createPeerServices(nodeId, replica)
  const requests = { ...fragments.requests, ...appends.requests }
  const streams = { ...peers.streams, ...fragments.streams, ...appends.streams }
  const closeParts = async (): Promise<void> => {
    closing.abort(closedError())
    fragments.close()
    await opening.transport?.close()
  }
  try {
    opening.membership = await openMembership<PeerReplica>({
      ...options, node: nodeId, address: advertise, etcd, kernel, settings: membershipSettings, fatal,
      storage: bucket?.directory ?? options.storage,
      connect: (own) => (opening.transport = connect(options, { onMessage: peers.onMessage, requests: { ...requests, ...own }, streams })),
      openReplica: async (shard, host) => {
        const shared = { ...replicaOptions(options, opening), shard, host, ...(shard === catalogShard && { beforeResigning: options.beforeResigning }) }
        const opened = bucket === undefined ? await openReplica({ ...shared, trees: treeSource(options, shard) }) : openBucketReplica(options, bucket, shared)
        opened.onChange(changes.tell)
        changes.tell()
        return opened
      },
    })
  } catch (error) {
    await closeParts()
    throw error
  }
  const { membership, transport } = opening
  membership.onChange(changes.tell)
  return {
    membership,
    transport: transport!,
    channel: createLoopback({ self: nodeId, others: () => transport!, requests, streams, closing: closing.signal }),
    async close() {
      await membership.close()
      await closeParts()
    },
  }
}

const closedError = (): LsmtError => new LsmtError('55000', 'the node is closed')

function createFragments({ floor: { kernel }, groupBudget, clock }: ClusterNodeOptions, replica: (shard: number) => PeerReplica | undefined, closing: AbortSignal): FragmentService {
  const assertOpen = (): void => {
    if (closing.aborted) throw closedError()
  }
  return createFragmentService({ kernel, groupBudget, clock, turns: systemTurns, assertOpen, replica })
}

function connect({ cluster, nodeId, secret, tls, transportSettings, clock, random, log }: ClusterNodeOptions, services: Pick<Parameters<typeof createTransport>[0], 'onMessage' | 'requests' | 'streams'>): Transport {
  return createTransport({ cluster, node: nodeId, secret, ...(tls !== undefined && { tls }), settings: transportSettings, clock, random, log, ...services })
}

/** What a message has besides a batch. */
const messageHeadBytes = 1024

function replicaOptions({ clock, alarms, log, timing, transportSettings, fatal }: ClusterNodeOptions, opening: Opening): Omit<Parameters<typeof openReplica>[0], 'shard' | 'host' | 'trees'> {
  return {
    transport: opening.transport!, clock, alarms, log, fatal,
    ...(timing !== undefined && { timing }),
    batchBytesMax: batchBytesMax(transportSettings),
    readShardZeroEpoch: () => opening.membership?.readShardZeroEpoch() ?? Promise.reject(new LsmtError('57P03', 'the node is being opened')),
  }
}

function openBucketReplica(options: ClusterNodeOptions, bucket: BucketDirectory, shared: Omit<BucketReplicaOptions, 'readMsMax' | 'openShard'>): PeerReplica {
  const { readMsMax } = options.timing ?? defaultTiming
  return new BucketReplica({ ...shared, readMsMax, openShard: async (events) => await openShard({ ...options, origin: await bucket.origin() }, shared.shard, events) })
}

/** Of one shard's part of a statement. */
export const batchBytesMax = ({ frameBytesMax, queueBytesMax }: TransportSettings): number => Math.min(frameBytesMax, queueBytesMax) - messageHeadBytes

function treeSource({ storage, floor }: ClusterNodeOptions, shard: number): TreeSource {
  return {
    open: (events) => openReplicatedTree({ ...floor.treeOptions(shard), onVisible: (sequence) => events.onVisible(sequence), onTrimmed: (startSequence) => events.onTrimmed(startSequence), onFailure: (error) => events.onFailure(error) }),
    install: (received) => installFiles({ storage, kernel: floor.kernel, shard }, received),
  }
}
