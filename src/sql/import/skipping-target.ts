/** Rows written as they come, each batch a statement; rows whose keys exist are left out and told. */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { selectRows } from './row-batch.ts'
import type { RowBatch } from './row-batch.ts'
import { repeatedKeyErrors, repeatedKeys } from './row-target.ts'
import type { ImportMode, RowTarget } from './row-target.ts'
import type { LineError } from './source-record.ts'

const batchBytes = 4 * 1024 * 1024

/** Each try needs somebody else who writes the same keys just then. */
const triesMax = 10

export function writeAsTheyCome(engine: Engine, table: TableSchema, mode: ImportMode): RowTarget {
  return {
    batchBytes,
    write: (batch) => writeNewRows(engine, table, batch, mode),
    finish: async () => [],
    abandon: async () => {},
  }
}

async function writeNewRows(engine: Engine, table: TableSchema, given: RowBatch, mode: ImportMode): Promise<readonly LineError[]> {
  const errors: LineError[] = []
  let batch = given
  for (let tries = 1; ; tries++) {
    try {
      await engine.insertColumns(table, batch.columns, mode)
      return errors
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== '23505' || tries === triesMax) throw error
      const repeated = await repeatedKeys(engine, table, batch)
      errors.push(...repeatedKeyErrors(table, batch, repeated))
      batch = selectRows(batch, repeated.map((each) => !each))
    }
  }
}
