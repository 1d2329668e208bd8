/** Rows read one by one by their whole keys. */
import type { EnginePredicateTerm, EngineRow } from '../../../engine/engine.ts'
import type { TableSchema } from '../../../engine/schema.ts'
import type { Access } from '../../execute/access.ts'
import { comparer } from '../../expression/value/order.ts'
import type { ScanNode } from '../node.ts'
import { batchRows, pace, readStatsOf, snapshotOf } from '../query-run.ts'
import type { Batch, QueryRun } from '../query-run.ts'

export async function* readKeys(node: ScanNode, { keys, predicate }: Extract<Access, { kind: 'keys' }>, run: QueryRun, rowsMax = Number.POSITIVE_INFINITY): AsyncGenerator<Batch> {
  const read = keyReader(node, predicate, run)
  let left = rowsMax
  let rows: EngineRow[] = []
  for (const key of node.reverse ? keys.toReversed() : keys) {
    const found = read(key)
    const row = found instanceof Promise ? await found : found
    if (row !== undefined) {
      rows.push(row)
      left--
    }
    run.rowsOfTurn++
    if (left <= 0) break
    if (rows.length < batchRows && run.rowsOfTurn < batchRows) continue
    await pace(run, 0)
    if (rows.length > 0) yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

export type KeyReader = (key: EngineRow) => EngineRow | undefined | Promise<EngineRow | undefined>

/** Reads the row of a key, with the node's columns, when there is one that satisfies the predicate. */
export function keyReader(node: ScanNode, predicate: readonly EnginePredicateTerm[], run: QueryRun): KeyReader {
  const { table } = node
  const width = node.columns.length
  const columns = [...new Set([...node.columns, ...predicate.map(({ ordinal }) => ordinal)])]
  const test = rowTest(table, predicate, columns)
  const cut = (row: EngineRow | undefined): EngineRow | undefined => (row === undefined || !test(row) ? undefined : columns.length === width ? row : row.slice(0, width))
  const stats = readStatsOf(run, node)
  return (key) => {
    const found = run.engine.get(snapshotOf(run), table, key, columns, stats)
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
