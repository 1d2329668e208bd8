/** Rows read by their whole keys. */
import type { EnginePredicateTerm, EngineRow } from '../../../engine/engine.ts'
import type { TableSchema } from '../../../engine/schema.ts'
import type { Access } from '../../execute/access.ts'
import { comparer } from '../../expression/value/order.ts'
import type { ScanNode } from '../node.ts'
import { batchRows, pace, readStatsOf, snapshotOf } from '../query-run.ts'
import type { Batch, QueryRun } from '../query-run.ts'

/** Keys of a step over storage that is far away, where each step may wait for it. */
const farKeys = 4 * batchRows

export async function* readKeys(node: ScanNode, { keys, predicate }: Extract<Access, { kind: 'keys' }>, run: QueryRun, rowsMax = Number.POSITIVE_INFINITY): AsyncGenerator<Batch> {
  const read = keyReader(node, predicate, run)
  const inOrder = node.reverse ? keys.toReversed() : keys
  let left = rowsMax
  let step = batchRows
  for (let from = 0; from < inOrder.length && left > 0; ) {
    const wanted = inOrder.slice(from, from + Math.min(step, left))
    from += wanted.length
    const found = read(wanted)
    if (found instanceof Promise) step = farKeys
    const rows = found instanceof Promise ? await found : found
    left -= rows.length
    run.rowsOfTurn += wanted.length
    if (run.rowsOfTurn >= batchRows) await pace(run, 0)
    for (let at = 0; at < rows.length; at += batchRows) yield rows.slice(at, at + batchRows)
  }
}

/** Reads the rows of keys, with the node's columns, that are there and satisfy the predicate. */
function keyReader(node: ScanNode, predicate: readonly EnginePredicateTerm[], run: QueryRun): (keys: readonly EngineRow[]) => Batch | Promise<Batch> {
  const { table } = node
  const width = node.columns.length
  const columns = [...new Set([...node.columns, ...predicate.map(({ ordinal }) => ordinal)])]
  const test = rowTest(table, predicate, columns)
  const cut = (rows: readonly (EngineRow | undefined)[]): Batch => {
    const wanted = rows.filter((row) => row !== undefined && test(row)) as EngineRow[]
    return columns.length === width ? wanted : wanted.map((row) => row.slice(0, width))
  }
  const stats = readStatsOf(run, node)
  return (keys) => {
    const found = run.engine.getMany(snapshotOf(run), table, keys, columns, stats)
    return found instanceof Promise ? found.then(cut) : cut(found)
  }
}

/** Whether a row satisfies conditions, as the engine would say. */
function rowTest(table: TableSchema, predicate: readonly EnginePredicateTerm[], columns: readonly number[]): (row: EngineRow) => boolean {
  const tests = predicate.map(({ ordinal, comparison, value }) => {
    const at = columns.indexOf(ordinal)
    if (comparison === 'isNull') return (row: EngineRow) => row[at] === null
    if (comparison === 'isNotNull') return (row: EngineRow) => row[at] !== null
    const compare = comparer(table.columns[ordinal]!.type)
    const holds = orders[comparison]
    return (row: EngineRow) => row[at] !== null && holds(compare(row[at]!, value!))
  })
  return (row) => tests.every((test) => test(row))
}

const orders = {
  eq: (order: number) => order === 0,
  ne: (order: number) => order !== 0,
  lt: (order: number) => order < 0,
  le: (order: number) => order <= 0,
  gt: (order: number) => order > 0,
  ge: (order: number) => order >= 0,
} as const
