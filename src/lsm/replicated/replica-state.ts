/** What one open replica holds beside the state of its tree. */
import type { LogWriter } from '../log/log-writer.ts'
import type { TreeState } from '../state/tree-state.ts'
import type { EntryWindow } from './entry-window.ts'
import type { PartLedger } from './part-ledger.ts'
import type { ReplicaRecord } from './replica-record.ts'
import type { EpochStart, ReplicatedTreeOptions } from './replicated-tree.ts'

export interface ReplicaState {
  readonly options: ReplicatedTreeOptions
  readonly tree: TreeState
  readonly flushSoon: () => void
  readonly log: LogWriter
  readonly window: EntryWindow
  readonly parts: PartLedger
  /** As of `ReplicatedLogFound`; none is forgotten while the replica is open, they are few. */
  epochs: readonly EpochStart[]
  /** Of the segment that is being written, as queued. */
  writtenEpoch: number
  committed: number
  /** The greatest release that everything is committed up to, and later ones, ascending. */
  released: number
  readonly releases: number[]
  tablesSequence: number
  /** Applying goes on by itself in a later turn. */
  isApplying: boolean
  record: ReplicaRecord
  /** Settles when epochs and what else goes to the record are on disk. */
  recording: Promise<unknown> | undefined
  /** Exports: the log behind `sequence` stays. */
  readonly holds: Set<{ readonly sequence: number }>
  /** As told by `onTrimmed`. */
  trimmedSequence: number
  /** Where reads of segments have come to. */
  readonly cursors: Map<string, SegmentCursor>
}

/** In a segment: the record after the entry that ends at `sequence` begins at `byteOffset`. */
export interface SegmentCursor {
  readonly sequence: number
  readonly byteOffset: number
}

/** Epoch of the entry that ends at `sequence`. */
export function epochAt(epochs: readonly EpochStart[], sequence: number): number {
  return (epochs.findLast(({ startSequence }, i) => i === 0 || startSequence < sequence) ?? { epoch: 0 }).epoch
}

/** With an entry of `epoch` after `lastSequence`. */
export function withEpoch(epochs: readonly EpochStart[], epoch: number, lastSequence: number): readonly EpochStart[] {
  return epochs.at(-1)!.epoch === epoch ? epochs : [...epochs, { epoch, startSequence: lastSequence }]
}
