/** Rows of results, each made into what its caller wants as it comes: rows in between then live shortly. */
import type { EngineRow } from '../engine/engine.ts'
import { userRowOf } from '../engine/user-value.ts'
import type { UserValue } from '../engine/user-value.ts'
import type { ResultColumn } from './plan.ts'
import { areRowsHere } from './result.ts'
import type { Collected, RowsResult, StatementResult, WriteResult } from './result.ts'

/** How rows of such columns are given: those of a batch are added to what there is. */
export type RowsAs<Row> = (columns: readonly ResultColumn[]) => (rows: readonly EngineRow[], into: Row[]) => void

export const asUserRows: RowsAs<readonly UserValue[]> = (columns) => {
  const rowOf = userRowOf(columns.map(({ type }) => type))
  return (rows, into) => {
    for (const row of rows) into.push(rowOf(row))
  }
}

/** At once where the rows are all here. */
export function collect<Row>(result: StatementResult, rowsAs: RowsAs<Row>): Collected<Row> | Promise<Collected<Row>> {
  if (result.kind === 'schema' || result.kind === 'transaction') return { kind: result.kind, columns: [], rows: [], rowCount: 0 }
  const { rows } = result, addTo = rowsAs(result.columns)
  if (!areRowsHere(rows)) return collectBatches(rows, addTo).then((collected) => withRows(result, collected))
  const collected: Row[] = []
  addTo(rows, collected)
  return withRows(result, collected)
}

function withRows<Row>(result: RowsResult | WriteResult, rows: readonly Row[]): Collected<Row> {
  return { kind: result.kind, columns: result.columns, rows, rowCount: result.kind === 'write' ? result.rowCount : rows.length }
}

async function collectBatches<Row>(batches: AsyncIterable<readonly EngineRow[]>, addTo: ReturnType<RowsAs<Row>>): Promise<readonly Row[]> {
  const collected: Row[] = []
  for await (const batch of batches) addTo(batch, collected)
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
