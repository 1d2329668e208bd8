/** Rows written as they come, each batch a statement; rows whose keys exist are left out and told. */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { selectRows } from './row-batch.ts'
import type { RowBatch } from './row-batch.ts'
import { repeatedKeyErrors, repeatedKeys } from './row-target.ts'
import type { ImportMode, RowTarget, VisibleRows } from './row-target.ts'
import type { LineError } from './source-record.ts'

const batchBytes = 4 * 1024 * 1024

/** Each try needs somebody else who writes the same keys just then. */
const triesMax = 10

/** What a batch is written through; told which of its lines are left out. */
export type VisibleBatch = (errors: readonly LineError[]) => Pick<VisibleRows, 'insertColumns'>

export function writeAsTheyCome(engine: Engine, table: TableSchema, mode: ImportMode, visible: VisibleBatch): RowTarget {
  return {
    batchBytes,
    write: (batch) => writeNewRows(engine, table, batch, mode, visible),
    finish: async () => [],
    abandon: async () => {},
  }
}

async function writeNewRows(engine: Engine, table: TableSchema, given: RowBatch, mode: ImportMode, visible: VisibleBatch): Promise<readonly LineError[]> {
  const errors: LineError[] = []
  let batch = given
  for (let tries = 1; ; tries++) {
    try {
      await visible(errors).insertColumns(table, batch.columns, mode)
      return errors
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== '23505' || tries === triesMax) throw error
      const repeated = await repeatedKeys(engine, table, batch)
      errors.push(...repeatedKeyErrors(table, batch, repeated))
      batch = selectRows(batch, repeated.map((each) => !each))
    }
  }
}
