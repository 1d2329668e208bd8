/** What a replica is made of, and what the other replicas of its shard have of it. */
import type { Alarms } from '../../runtime/alarms.ts'
import type { Log } from '../../runtime/log.ts'
import type { ReplicaHost } from '../node/hosted-replica.ts'
import type { Effect } from '../replication/event.ts'
import type { PeerMessage } from '../replication/message.ts'
import type { Rules } from '../replication/rules.ts'
import type { ReplicaState } from '../replication/state/replica-state.ts'
import type { ReplicationTiming } from '../replication/timing.ts'
import type { Transport } from '../transport/transport.ts'
import type { TreeSource } from './held-tree.ts'
import type { Replica } from './replica.ts'
import type { ReleasedMessage } from './wire/released-message.ts'

export interface ReplicaOptions {
  readonly shard: number
  readonly host: ReplicaHost
  readonly trees: TreeSource
  readonly transport: Pick<Transport, 'send' | 'stream'>
  readonly clock: { monotonicMs(): number }
  readonly alarms: Alarms
  readonly log: Log
  readonly timing?: ReplicationTiming
  readonly rules?: Rules
  /** Sees every step before its effects are carried out: how a test holds it to what must be so. */
  readonly watch?: (before: ReplicaState, after: ReplicaState, effects: readonly Effect[]) => void
  /** Of one write: what a message to another node can take, with a kilobyte to spare. */
  readonly batchBytesMax: number
  /** Awaited before it gives up a leadership by itself: what its coordinator has under way is to end first. Must not take long, nor reject. */
  readonly beforeResigning?: () => Promise<void>
  /** Linearizable, from the configuration store, by a read that is sent after this call. */
  readShardZeroEpoch(): Promise<number>
  /** The disk failed, or a bug was met: the replica does nothing any more, and its process is to end. */
  fatal(error: unknown): void
}

/** With what comes from other nodes. */
export interface PeerReplica extends Replica {
  readonly store: string
  receive(message: PeerMessage): void
  receiveReleased(message: ReleasedMessage): void
  streamFiles(forStore: string): AsyncGenerator<Uint8Array, void, void>
}
