/** Rows of results, each made into what its caller wants as it comes: rows in between then live shortly. */
import type { EngineRow } from '../engine/engine.ts'
import { userRowOf } from '../engine/user-value.ts'
import type { UserValue } from '../engine/user-value.ts'
import type { ResultColumn } from './plan.ts'
import { areRowsHere } from './result.ts'
import type { Collected, RowsResult, StatementResult } from './result.ts'

/** How rows of such columns are given. */
export type RowsAs<Row> = (columns: readonly ResultColumn[]) => (row: EngineRow) => Row

export const asUserRows: RowsAs<readonly UserValue[]> = (columns) => userRowOf(columns.map(({ type }) => type))

export async function collect<Row>(result: StatementResult, rowsAs: RowsAs<Row>): Promise<Collected<Row>> {
  if (result.kind === 'schema' || result.kind === 'transaction') return { kind: result.kind, columns: [], rows: [], rowCount: 0 }
  const rows = await collectRows(result, rowsAs(result.columns))
  return { kind: result.kind, columns: result.columns, rows, rowCount: result.kind === 'write' ? result.rowCount : rows.length }
}

async function collectRows<Row>({ rows }: Pick<RowsResult, 'rows'>, rowOf: (row: EngineRow) => Row): Promise<readonly Row[]> {
  if (areRowsHere(rows)) return rows.map(rowOf)
  const collected: Row[] = []
  for await (const batch of rows) {
    for (const row of batch) collected.push(rowOf(row))
  }
  return collected
}

/** The rows of a result in batches, as they come. */
export async function* rowBatches<Row>({ columns, rows }: Pick<RowsResult, 'columns' | 'rows'>, rowsAs: RowsAs<Row>): AsyncGenerator<readonly Row[]> {
  const rowOf = rowsAs(columns)
  if (areRowsHere(rows)) yield rows.map(rowOf)
  else for await (const batch of rows) yield batch.map(rowOf)
}
