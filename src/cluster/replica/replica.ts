/**
 * A replica of a shard as the rest of a node sees it: a copy of the log with a tree over it, which leads or follows.
 *
 * Writes come from one coordinator for all shards, whoever leads shard 0; `c` below is its epoch there. A leader takes
 * them only from the coordinator that has opened the shard in this leadership, so that one whose time is over can change
 * nothing behind the back of the next.
 */
import type { LoggedPart } from '../../lsm/log/logged-parts.ts'
import type { ReplicatedTree } from '../../lsm/replicated/replicated-tree.ts'
import type { Tree } from '../../lsm/tree.ts'
import type { ReplicaId } from '../replication/configuration.ts'
import type { ReadLevel } from '../replication/event.ts'

/** What a coordinator finds: all of it is committed, and nothing that another coordinator sends is added to it. */
export interface OpenedShard {
  readonly lastSequence: number
  readonly flushedSequence: number
  /** Of statements over several shards, above `flushedSequence`. */
  readonly parts: readonly LoggedPart[]
  readonly aborted: ReadonlySet<string>
  /** Of the leadership that was opened. */
  readonly epoch: number
}

export interface PeerStatus {
  readonly node: string
  readonly store: string
  /** Sequences of the leader's log that it does not have on disk, as far as is known. */
  readonly lag: number
}

export interface ReplicaStatus {
  readonly shard: number
  readonly role: 'leader' | 'elected' | 'follower'
  /** A leader that knows all that was ever committed. */
  readonly isReady: boolean
  readonly epoch: number
  /** Of the last entry of its log. */
  readonly lastEpoch: number
  /** Node that leads, as far as is known here. */
  readonly leader: string | undefined
  /** Its log on disk, what of it is committed, and what of that is visible. */
  readonly durableSequence: number
  readonly commitSequence: number
  readonly visibleSequence: number
  readonly flushedSequence: number
  readonly members: readonly ReplicaId[]
  readonly joining: ReplicaId | undefined
  /** Of a leader: those that get the log. */
  readonly peers: readonly PeerStatus[]
  /** Disks that what is acknowledged now is on. */
  readonly copies: number
  /** Files of another replica are coming in. */
  readonly isFetching: boolean
  /** Why it does nothing any more, until people have looked. */
  readonly halted: string | undefined
}

/** What others see of a replica's copy of the shard, beside the tree. */
export type SeenTree = Pick<ReplicatedTree, 'tree' | 'flushedSequence' | 'logged' | 'tablesSequence' | 'visibleParts' | 'partsAfter'>

export interface Replica {
  readonly shard: number
  /** Another one after files were fetched. */
  readonly tree: Tree
  readonly replicated: SeenTree
  status(): ReplicaStatus
  /** Called when role, readiness or leader have changed. What it gives ends that. */
  onChange(listener: () => void): () => void
  /**
   * The batch that stands at `baseSequence`, which belongs to the replica from here on. What is there already is not
   * appended again, so it may be offered as often as one likes. Resolves when it is on disk of all members, or visible as
   * well. Refused: notLeader, notReady (not opened by `c`), fenced, gap.
   */
  append(c: number, baseSequence: number, batch: Uint8Array, until: 'committed' | 'visible'): Promise<{ readonly copies: number }>
  /**
   * Parts of statements over several shards up to `throughSequence` are committed in all of their shards, or aborted by
   * what stands behind them; those up to `settledThrough` are visible in all of them. Resolves when visible through it.
   */
  release(c: number, throughSequence: number, settledThrough: number): Promise<void>
  /**
   * From now on the leader takes what `c` sends, and nothing of earlier coordinators. Resolves when all members have said
   * that they have nothing else, so that what it tells is final. Again: the same. Refused: notLeader, fenced, timedOut.
   */
  open(c: number): Promise<OpenedShard>
  /**
   * Resolves when what is visible here satisfies the level, and reaches `minSequence`. Then, in the turn in which it takes
   * its snapshot, the caller looks whether `deadlineMs` (monotonic) has not come yet, else asks again.
   */
  read(level: ReadLevel, minSequence?: number): Promise<{ readonly deadlineMs: number }>
  /** Now: it leads, is ready, its lease holds, and everything committed is visible. Good for this turn of the event loop. */
  mayServe(): boolean
  /** Placement's wish; what cannot be done now is dropped. */
  move(fromStore: string, to: ReplicaId): void
  /** Lets another member lead. Resolves when it does not lead any more; 55000 when none is heard of that could, and then it goes on. */
  resign(): Promise<void>
  close(): Promise<void>
}
