/** ORDER BY: all rows sorted, or the first ones kept in a heap when only so many are wanted. */
import type { EngineRow } from '../../engine/engine.ts'
import { comparer } from '../expression/value/order.ts'
import type { SortKey } from './node.ts'
import { batchRows, hold, pace } from './query-run.ts'
import type { QueryRun, Stream } from './query-run.ts'

type CompareRows = (a: EngineRow, b: EngineRow) => number

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

/** `rowsMax`: rows that are wanted of the order; Infinity for all. Rows that are equal keep their order. */
export function sort(keys: readonly SortKey[], input: Stream, run: QueryRun, rowsMax: number): Stream {
  const compare = rowComparer(keys)
  return async function* () {
    const kept = rowsMax < 100_000 ? await smallest(input, run, compare, rowsMax) : await everything(input, run)
    kept.sort(compare)
    for (let start = 0; start < kept.length; start += batchRows) {
      await pace(run, batchRows)
      yield kept.slice(start, start + batchRows)
    }
  }
}

async function everything(input: Stream, run: QueryRun): Promise<EngineRow[]> {
  const rows: EngineRow[] = []
  for await (const batch of input()) {
    await pace(run, batch.length)
    for (const row of batch) {
      hold(run, row)
      rows.push(row)
    }
  }
  return rows
}

/** Twice as many rows as wanted are kept, then cut: few comparisons for a row that is not among them. */
async function smallest(input: Stream, run: QueryRun, compare: CompareRows, rowsMax: number): Promise<EngineRow[]> {
  let rows: EngineRow[] = []
  let bound: EngineRow | undefined
  if (rowsMax === 0) return rows
  for await (const batch of input()) {
    await pace(run, batch.length)
    for (const row of batch) {
      if (bound !== undefined && compare(row, bound) >= 0) continue
      rows.push(row)
      if (rows.length < rowsMax * 2 + 64) continue
      rows = rows.sort(compare).slice(0, rowsMax)
      bound = rows.at(-1)
    }
  }
  return rows.sort(compare).slice(0, rowsMax)
}
