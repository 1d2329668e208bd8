/**
 * What a replica knows of its own log; the bytes are in storage. Requests to storage are carried out in the order in
 * which they were given, so a truncation counts at once and what is appended after it stands after it.
 */
import { invariant } from '../../../errors.ts'
import { beginEpoch, emptyEpochs, epochAt, trimEpochs, truncateEpochs } from './epochs.ts'
import type { Epochs, LogEnd } from './epochs.ts'

/** One batch of the log: its bytes as they stand in the WAL, and the shard sequences that they take. */
export interface LogEntry {
  readonly epoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly batch: Uint8Array
}

export interface LogState {
  /** Everything up to it is in files, and may be gone from the log. */
  readonly startSequence: number
  readonly lastSequence: number
  /** How far it is on disk. */
  readonly durableSequence: number
  readonly epochs: Epochs
  /** Grows with every truncation and replacement: completions of what was appended before it say nothing any more. */
  readonly generation: number
  /** What was cut off may still be on disk, and come back after a crash. */
  readonly isCutting: boolean
}

export const emptyLog: LogState = { startSequence: 0, lastSequence: 0, durableSequence: 0, epochs: emptyEpochs, generation: 0, isCutting: false }

export const endOfLog = ({ lastSequence, epochs }: LogState): LogEnd => ({ sequence: lastSequence, epoch: epochAt(epochs, lastSequence) })

/** Entries must follow the log's end without a gap. */
export function appended(log: LogState, entries: readonly LogEntry[]): LogState {
  let { epochs, lastSequence } = log
  for (const entry of entries) {
    invariant(entry.baseSequence === lastSequence + 1 && entry.lastSequence >= entry.baseSequence, () => `an entry [${entry.baseSequence}, ${entry.lastSequence}] after sequence ${lastSequence}`)
    invariant(entry.epoch >= epochs.at(-1)!.epoch, () => `an entry of epoch ${entry.epoch} after one of ${epochs.at(-1)!.epoch}`)
    epochs = beginEpoch(epochs, entry.epoch, lastSequence)
    lastSequence = entry.lastSequence
  }
  return { ...log, epochs, lastSequence }
}

export function truncated(log: LogState, toSequence: number): LogState {
  invariant(toSequence >= log.startSequence && toSequence <= log.lastSequence, () => `truncation to ${toSequence} of a log from ${log.startSequence} to ${log.lastSequence}`)
  return { ...log, lastSequence: toSequence, durableSequence: Math.min(log.durableSequence, toSequence), epochs: truncateEpochs(log.epochs, toSequence), generation: log.generation + 1, isCutting: true }
}

export function trimmed(log: LogState, startSequence: number): LogState {
  if (startSequence <= log.startSequence) return log
  return { ...log, startSequence, epochs: trimEpochs(log.epochs, startSequence) }
}

/** Files up to `end` came in place of everything that was here. */
export function replacedByFiles(log: LogState, { sequence, epoch }: LogEnd): LogState {
  return { startSequence: sequence, lastSequence: sequence, durableSequence: sequence, epochs: [{ epoch, startSequence: sequence }], generation: log.generation + 1, isCutting: false }
}
