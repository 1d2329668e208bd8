/** Rows of results, each made into what its caller wants as it comes: rows in between then live shortly. */
import { rowsOfColumns } from '../engine/codec/read-page.ts'
import type { EngineRow, EngineValue } from '../engine/engine.ts'
import type { RowColumns } from '../engine/engine-walk.ts'
import { userRowOf } from '../engine/user-value.ts'
import type { UserValue } from '../engine/user-value.ts'
import type { ResultColumn } from './plan.ts'
import { areRowsHere } from './result.ts'
import type { Collected, RowsResult, RowStream, StatementResult, WriteResult } from './result.ts'

/** Makes what a caller wants of the rows of a batch, and adds it to what there is. */
export interface RowMaker<Row> {
  addRows(rows: readonly EngineRow[], into: Row[]): void
  addColumns(rows: RowColumns<EngineValue>, into: Row[]): void
}

/** How rows of such columns are given. */
export type RowsAs<Row> = (columns: readonly ResultColumn[]) => RowMaker<Row>

export const asUserRows: RowsAs<readonly UserValue[]> = (columns) => {
  const rowOf = userRowOf(columns.map(({ type }) => type))
  return {
    addRows(rows, into) {
      for (const row of rows) into.push(rowOf(row))
    },
    addColumns({ columns: values, rowCount }, into) {
      for (const row of rowsOfColumns(values, rowCount)) into.push(rowOf(row))
    },
  }
}

/** At once where the rows are all here. */
export function collect<Row>(result: StatementResult, rowsAs: RowsAs<Row>): Collected<Row> | Promise<Collected<Row>> {
  if (result.kind === 'schema' || result.kind === 'transaction') return { kind: result.kind, columns: [], rows: [], rowCount: 0 }
  const { rows } = result, maker = rowsAs(result.columns)
  if (!areRowsHere(rows)) return collectBatches(rows, maker).then((collected) => withRows(result, collected))
  const collected: Row[] = []
  maker.addRows(rows, collected)
  return withRows(result, collected)
}

function withRows<Row>(result: RowsResult | WriteResult, rows: readonly Row[]): Collected<Row> {
  return { kind: result.kind, columns: result.columns, rows, rowCount: result.kind === 'write' ? result.rowCount : rows.length }
}

async function collectBatches<Row>(rows: RowStream, maker: RowMaker<Row>): Promise<readonly Row[]> {
  const collected: Row[] = [], columns = rows.byColumn?.()
  if (columns === undefined) for await (const batch of rows) maker.addRows(batch, collected)
  else for await (const batch of columns) maker.addColumns(batch, collected)
  return collected
}

/** The rows of a result in batches, as they come. */
export async function* rowBatches<Row>({ columns, rows }: Pick<RowsResult, 'columns' | 'rows'>, rowsAs: RowsAs<Row>): AsyncGenerator<readonly Row[]> {
  const maker = rowsAs(columns)
  const shown = (add: (into: Row[]) => void): readonly Row[] => {
    const added: Row[] = []
    add(added)
    return added
  }
  if (areRowsHere(rows)) return yield shown((into) => maker.addRows(rows, into))
  const byColumn = rows.byColumn?.()
  if (byColumn === undefined) for await (const batch of rows) yield shown((into) => maker.addRows(batch, into))
  else for await (const batch of byColumn) yield shown((into) => maker.addColumns(batch, into))
}
