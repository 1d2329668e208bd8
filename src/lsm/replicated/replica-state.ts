/** What one open replica holds beside the state of its tree. */
import type { LogWriter } from '../log/log-writer.ts'
import type { Applying } from './apply.ts'
import type { ReplicaRecord } from './replica-record.ts'
import type { EpochStart, ReplicatedTreeOptions } from './replicated-tree.ts'

export interface ReplicaState extends Applying {
  readonly options: ReplicatedTreeOptions
  readonly log: LogWriter
  /** As of `ReplicatedLogFound`; none is forgotten while the replica is open, they are few. */
  epochs: readonly EpochStart[]
  /** Of the segment that is being written, as queued. */
  writtenEpoch: number
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
