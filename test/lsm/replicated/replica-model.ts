/** What a replica should hold, as plain lists: the log as it was asked for, what of it is certainly on disk, and what reads should see. */
import type { ReplicatedEntry } from '../../../src/lsm/replicated/replicated-tree.ts'
import type { Changes } from './replica-fixture.ts'

export type ModelEntry = ReplicatedEntry & {
  readonly changes: Changes
  /** Of parts. */
  readonly transaction: number | undefined
  /** Transactions that it aborts. */
  readonly aborts: readonly number[]
}

/** One call to the log; `log` is what it comes to. */
interface LogCall {
  readonly log: readonly ModelEntry[]
  /** Shorter outcomes that a crash may leave of it. */
  readonly partial: readonly (readonly ModelEntry[])[]
}

export interface ReplicaModel {
  log: readonly ModelEntry[]
  /** Calls since the last that is known to be on disk, which is the first. */
  calls: LogCall[]
  epochAsked: number
  epochStored: number
  /** Of all lives: nothing below may be cut. */
  committed: number
  /** Of all lives: how far anything may have been visible. */
  shown: number
  /** Of this life. */
  told: { committed: number; released: number }
  /** Decided for good: what became of the parts that were released. */
  readonly fates: Map<number, 'applied' | 'passed'>
}

export function emptyReplicaModel(): ReplicaModel {
  return { log: [], calls: [{ log: [], partial: [] }], epochAsked: 0, epochStored: 0, committed: 0, shown: 0, told: { committed: 0, released: 0 }, fates: new Map() }
}

export const endOf = (log: readonly ModelEntry[]): number => log.at(-1)?.lastSequence ?? 0

/** Resolves with the call: then it is on disk, with all before it. */
export async function noteCall(model: ReplicaModel, log: readonly ModelEntry[], done: Promise<void>): Promise<void> {
  const before = model.log
  const added = log.length > before.length ? log.slice(before.length) : []
  const call: LogCall = { log, partial: added.map((_, i) => [...before, ...added.slice(0, i)]) }
  model.calls.push(call)
  model.log = log
  await done
  const at = model.calls.indexOf(call)
  if (at > 0) model.calls.splice(0, at)
  if (at >= 0) model.calls[0] = { log, partial: [] }
}

export function durableEnd(model: ReplicaModel): number {
  // What is on disk and in none of the calls after is not counted on.
  return Math.min(...model.calls.map(({ log }) => endOf(log)), endOf(model.calls[0]!.log))
}

/** Every log that may be found on the disk. */
export function possibleLogs({ calls }: ReplicaModel): readonly (readonly ModelEntry[])[] {
  return [calls[0]!.log, ...calls.slice(1).flatMap(({ log, partial }) => [...partial, log])]
}

/** Where this life should have come to, by what it was told. */
export function expectedVisible(model: ReplicaModel, from: number): number {
  let sequence = from
  for (const entry of model.log) {
    if (entry.lastSequence <= sequence) continue
    if (entry.lastSequence > model.told.committed || (entry.transaction !== undefined && entry.baseSequence > model.told.released)) break
    sequence = entry.lastSequence
  }
  return sequence
}

/** The rows after the entry that ends at `sequence`. */
export function rowsAt(model: ReplicaModel, sequence: number): ReadonlyMap<number, string> {
  const rows = new Map<number, string>()
  for (const { lastSequence, baseSequence, changes } of model.log) {
    if (lastSequence > sequence) break
    if (model.fates.get(baseSequence) === 'passed') continue
    for (const [key, text] of changes) {
      if (text === null) rows.delete(key)
      else rows.set(key, text)
    }
  }
  return rows
}

export function modelEpochs(log: readonly ModelEntry[], startSequence: number): readonly { readonly epoch: number; readonly startSequence: number }[] {
  const start = log.find(({ lastSequence }) => lastSequence === startSequence)
  const epochs = [{ epoch: start?.epoch ?? 0, startSequence }]
  for (const { epoch, baseSequence, lastSequence } of log) if (lastSequence > startSequence && epochs.at(-1)!.epoch !== epoch) epochs.push({ epoch, startSequence: baseSequence - 1 })
  return epochs
}
