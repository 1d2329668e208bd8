/** Rows of results, each made into what its caller wants as it comes: rows in between then live shortly. */
import type { EngineRow } from '../engine/engine.ts'
import { userRowOf } from '../engine/user-value.ts'
import type { UserValue } from '../engine/user-value.ts'
import type { ResultColumn } from './plan.ts'
import { areRowsHere } from './result.ts'
import type { Collected, RowsResult, StatementResult } from './result.ts'

/** How rows of such columns are given: those of a batch are added to what there is. */
export type RowsAs<Row> = (columns: readonly ResultColumn[]) => (rows: readonly EngineRow[], into: Row[]) => void

export const asUserRows: RowsAs<readonly UserValue[]> = (columns) => {
  const rowOf = userRowOf(columns.map(({ type }) => type))
  return (rows, into) => {
    for (const row of rows) into.push(rowOf(row))
  }
}

export async function collect<Row>(result: StatementResult, rowsAs: RowsAs<Row>): Promise<Collected<Row>> {
  if (result.kind === 'schema' || result.kind === 'transaction') return { kind: result.kind, columns: [], rows: [], rowCount: 0 }
  const rows = await collectRows(result, rowsAs(result.columns))
  return { kind: result.kind, columns: result.columns, rows, rowCount: result.kind === 'write' ? result.rowCount : rows.length }
}

async function collectRows<Row>({ rows }: Pick<RowsResult, 'rows'>, addTo: ReturnType<RowsAs<Row>>): Promise<readonly Row[]> {
  const collected: Row[] = []
  if (areRowsHere(rows)) addTo(rows, collected)
  else for await (const batch of rows) addTo(batch, collected)
  return collected
}

/** The rows of a result in batches, as they come. */
export async function* rowBatches<Row>({ columns, rows }: Pick<RowsResult, 'columns' | 'rows'>, rowsAs: RowsAs<Row>): AsyncGenerator<readonly Row[]> {
  const addTo = rowsAs(columns)
  const shown = (batch: readonly EngineRow[]): readonly Row[] => {
    const added: Row[] = []
    addTo(batch, added)
    return added
  }
  if (areRowsHere(rows)) yield shown(rows)
  else for await (const batch of rows) yield shown(batch)
}
