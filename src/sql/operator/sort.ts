/**
 * ORDER BY: rows are sorted in stretches short enough for the event loop, and merged when they are asked for. What does
 * not fit into memory is written as sorted runs and merged from there. When only the first rows are wanted, those that
 * cannot be among them are dropped as they come.
 */
import type { EngineRow, SpilledRun, SpillFile } from '../../engine/engine.ts'
import { comparer } from '../expression/value/order.ts'
import type { SortKey } from './node.ts'
import { discardSpillFile, only, openSpillFile, pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { merged } from './spill/merge.ts'
import type { CompareRows } from './spill/merge.ts'
import { rowBytes } from './spill/query-memory.ts'
import type { MemoryShare } from './spill/query-memory.ts'

/** Sorting so many rows takes a few milliseconds. */
const stretchRows = 4_096
/** Runs that are merged at a time: each has a block in memory, several times as large there. */
const runsMergedMax = 64

export function rowComparer(keys: readonly SortKey[]): CompareRows {
  const parts = keys.map(({ index, type, descending, nullsFirst }) => ({ index, compare: comparer(type), sign: descending ? -1 : 1, nulls: nullsFirst ? -1 : 1 }))
  return (a, b) => {
    for (const { index, compare, sign, nulls } of parts) {
      const x = a[index]!
      const y = b[index]!
      if (x === null || y === null) {
        if (x !== y) return x === null ? nulls : -nulls
        continue
      }
      const order = compare(x, y)
      if (order !== 0) return order * sign
    }
    return 0
  }
}

interface Sorting {
  readonly run: QueryRun
  readonly share: MemoryShare
  readonly compare: CompareRows
  /** Rows that are wanted of the order. */
  readonly rowsMax: number
  /** Each sorted, in the order of their rows' arrival. */
  stretches: EngineRow[][]
  /** Rows that came after them. */
  last: EngineRow[]
  /** In the stretches and after them. */
  rowCount: number
  /** No row that follows this one is wanted. */
  bound: EngineRow | undefined
  spilled: Spilled | undefined
}

/** Sorted runs in one file, in the order of their rows' arrival. */
interface Spilled {
  readonly file: SpillFile
  readonly runs: SpilledRun[]
}

/** `rowsMax`: rows that are wanted of the order; Infinity for all. Rows that are equal keep their order. */
export function sort(keys: readonly SortKey[], input: Stream, run: QueryRun, rowsMax: number): Stream {
  const compare = rowComparer(keys)
  const share = run.memory.share()
  return () => sorted({ run, share, compare, rowsMax, stretches: [], last: [], rowCount: 0, bound: undefined, spilled: undefined }, input)
}

async function* sorted(sorting: Sorting, input: Stream): AsyncGenerator<Batch> {
  const { run, share, rowsMax } = sorting
  if (rowsMax === 0) return
  try {
    for await (const batch of input()) {
      await pace(run, batch.length)
      for (const row of batch) if (!add(sorting, row)) await makeRoom(sorting, row)
    }
    if (sorting.spilled !== undefined) await spillHeld(sorting)
    else endStretch(sorting)
    yield* first(sorting.spilled === undefined ? held(sorting) : await mergedRuns(sorting, sorting.spilled), sorting)
  } finally {
    share.give(share.usedBytes)
    if (sorting.spilled !== undefined) await discardSpillFile(run, sorting.spilled.file)
  }
}

/** Whether the row was kept, or is not wanted. */
function add(sorting: Sorting, row: EngineRow): boolean {
  const { bound, compare, share, last, rowsMax } = sorting
  if (bound !== undefined && compare(row, bound) >= 0) return true
  if (sorting.rowCount >= rowsMax * 2 + stretchRows || !share.take(rowBytes(row))) return false
  sorting.rowCount++
  if (last.push(row) === stretchRows) endStretch(sorting)
  return true
}

function endStretch(sorting: Sorting): void {
  const { last, stretches, compare } = sorting
  if (last.length > 0) stretches.push(last.sort(compare))
  sorting.last = []
}

/** Drops rows that are not wanted, if that makes room for many, or else spills, and keeps the row that found no room. */
async function makeRoom(sorting: Sorting, row: EngineRow): Promise<void> {
  if (sorting.rowCount > sorting.rowsMax * 1.5) await cut(sorting)
  if (add(sorting, row)) return
  await spillHeld(sorting)
  if (add(sorting, row)) return
  sorting.share.need(rowBytes(row))
  sorting.rowCount++
  sorting.last.push(row)
}

/** Keeps only as many rows as are wanted. */
async function cut(sorting: Sorting): Promise<void> {
  endStretch(sorting)
  const kept: EngineRow[] = []
  let bytes = 0
  for await (const batch of first(held(sorting), sorting)) {
    for (const row of batch) {
      kept.push(row)
      bytes += rowBytes(row)
    }
  }
  forget(sorting)
  sorting.share.need(bytes)
  sorting.stretches = [kept]
  sorting.rowCount = kept.length
  sorting.bound = kept.at(-1)
}

function forget(sorting: Sorting): void {
  sorting.stretches = []
  sorting.last = []
  sorting.rowCount = 0
  sorting.share.give(sorting.share.usedBytes)
}

function held({ stretches, compare }: Sorting): AsyncIterable<Batch> {
  return merged(stretches.map(only), compare)
}

/** The rows that are wanted of those in order. */
async function* first(rows: AsyncIterable<Batch>, { run, rowsMax }: Sorting): AsyncGenerator<Batch> {
  let left = rowsMax
  for await (const batch of rows) {
    await pace(run, batch.length)
    yield batch.length <= left ? batch : batch.slice(0, left)
    left -= batch.length
    if (left <= 0) return
  }
}

async function spillHeld(sorting: Sorting): Promise<void> {
  endStretch(sorting)
  if (sorting.rowCount === 0) return
  const { run } = sorting
  sorting.spilled ??= { file: openSpillFile(run), runs: [] }
  const { file, runs } = sorting.spilled
  runs.push(await written(file, held(sorting), sorting))
  forget(sorting)
}

async function written(file: SpillFile, rows: AsyncIterable<Batch>, sorting: Sorting): Promise<SpilledRun> {
  const spilledRun = file.newRun()
  for await (const batch of first(rows, sorting)) await spilledRun.append(batch)
  return spilledRun
}

/** Neighbouring runs are merged to longer ones until few enough are left for the last merge. */
async function mergedRuns(sorting: Sorting, spilled: Spilled): Promise<AsyncIterable<Batch>> {
  const { run, compare, share } = sorting
  let { file, runs } = spilled
  share.need(Math.min(runs.length, runsMergedMax) * run.spill.blockBytes)
  while (runs.length > runsMergedMax) {
    const next: Spilled = { file: openSpillFile(run), runs: [] }
    sorting.spilled = next
    for (let from = 0; from < runs.length; from += runsMergedMax) {
      next.runs.push(await written(next.file, merged(runs.slice(from, from + runsMergedMax).map((each) => each.read()), compare), sorting))
    }
    await discardSpillFile(run, file)
    ;({ file, runs } = next)
  }
  return merged(runs.map((each) => each.read()), compare)
}
