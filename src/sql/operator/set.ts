/** DISTINCT, UNION, INTERSECT and EXCEPT, by whole rows; nulls equal each other here. */
import type { EngineRow } from '../../engine/engine.ts'
import { noRows, pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { hashOfKey } from './spill/key-hash.ts'
import { hasKey, keyBytes, lookUp, newKeyMap, put } from './spill/key-map.ts'
import type { KeyMap } from './spill/key-map.ts'
import { inPasses } from './spill/passes.ts'
import type { Pass } from './spill/passes.ts'

/** The rows that come first of those that are equal. */
export function distinct(input: Stream, run: QueryRun, share = run.memory.share()): Stream {
  return () => inPasses([input], run, share, ([rows], pass) => firsts(rows!, pass, run))
}

/** The rows that come first of those that are equal, of those that a pass holds. */
export async function* firsts(input: Stream, pass: Pass, run: QueryRun): AsyncGenerator<Batch> {
  const seen = newKeyMap<true>()
  for await (const batch of input()) {
    await pace(run, batch.length)
    const rows = batch.filter((row) => isFirst(row, seen, pass))
    await pass.settle()
    if (rows.length > 0) yield rows
  }
}

/** Whether a row is the first like it; false also when that is left to a later pass. */
function isFirst(row: EngineRow, seen: KeyMap<true>, pass: Pass): boolean {
  const hash = hashOfKey(row, row.length)
  if (hasKey(seen, row, hash)) return false
  if (!pass.admit(keyBytes(row, row.length))) {
    pass.defer(0, hash, row)
    return false
  }
  put(seen, row, hash, true)
  return true
}

export function unionAll(left: Stream, right: Stream): Stream {
  return () => both(left, right)
}

async function* both(left: Stream, right: Stream): AsyncGenerator<Batch> {
  yield* left()
  yield* right()
}

/** Rows of the left side that are (INTERSECT) or are not (EXCEPT) on the right; with ALL as often as both say. */
export function matched(kind: 'intersect' | 'except', all: boolean, left: Stream, right: Stream, run: QueryRun): Stream {
  const share = run.memory.share()
  const wanted = kind === 'intersect'
  const kept: Stream = () => inPasses([right, left], run, share, (inputs, pass) => matchedInPass(wanted, all, inputs, pass, run))
  return all ? kept : distinct(kept, run)
}

async function* matchedInPass(wanted: boolean, all: boolean, [right, left]: readonly Stream[], pass: Pass, run: QueryRun): AsyncGenerator<Batch> {
  const counts = await countRows(right!, pass, run)
  for await (const batch of left!()) {
    await pace(run, batch.length)
    const rows = batch.filter((row) => {
      const hash = hashOfKey(row, row.length)
      const count = lookUp(counts, row, hash)
      if (count === undefined && pass.isDeferred(hash)) {
        pass.defer(1, hash, row)
        return false
      }
      if (all && count !== undefined && count > 0) put(counts, row, hash, count - 1)
      const isMatched = count !== undefined && (!all || count > 0)
      return isMatched === wanted
    })
    await pass.settle()
    if (rows.length > 0) yield rows
  }
}

/** How often each row comes, of those that are held in this pass. */
async function countRows(input: Stream, pass: Pass, run: QueryRun): Promise<KeyMap<number>> {
  const counts = newKeyMap<number>()
  for await (const batch of input()) {
    await pace(run, batch.length)
    for (const row of batch) countRow(row, counts, pass)
    await pass.settle()
  }
  return counts
}

function countRow(row: EngineRow, counts: KeyMap<number>, pass: Pass): void {
  const hash = hashOfKey(row, row.length)
  const count = lookUp(counts, row, hash)
  if (count === undefined && !pass.admit(keyBytes(row, row.length))) pass.defer(0, hash, row)
  else put(counts, row, hash, (count ?? 0) + 1)
}

/** All rows or none. */
export function gated(input: Stream, isOpen: () => boolean): Stream {
  return () => (isOpen() ? input() : noRows())
}

/** The rows for which a condition holds. */
export function filtered(input: Stream, run: QueryRun, condition: (row: EngineRow) => boolean): Stream {
  return () => filteredRows(input, run, condition)
}

async function* filteredRows(input: Stream, run: QueryRun, condition: (row: EngineRow) => boolean): AsyncGenerator<Batch> {
  for await (const batch of input()) {
    await pace(run, batch.length)
    const rows = batch.filter(condition)
    if (rows.length > 0) yield rows
  }
}
