/** Where the rows of an import go, batch by batch. */
import type { Engine, EngineRow, StagedWriteMode } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { VisibleWrites } from '../execute/queried/staging.ts'
import { keysOf } from './row-batch.ts'
import type { RowBatch } from './row-batch.ts'
import type { LineError } from './source-record.ts'

export interface RowTarget {
  /** Batches are written when about so many bytes of the source are read. */
  readonly batchBytes: number
  /** Told while a batch is read, how many bytes were read for it. */
  noteRead?(byteLength: number): void
  /** Writes rows, or begins to; says which of them, or of those before, have keys that exist. */
  write(batch: RowBatch): Promise<readonly LineError[]>
  /** Makes all rows visible, or says which of them, as far as that was not said, have keys that exist: none is visible then. */
  finish(): Promise<readonly LineError[]>
  /** Drops what is not visible yet. Safe to call again, and after any failure. */
  abandon(): Promise<void>
}

/** What makes rows visible is written through it. */
export type VisibleRows = VisibleWrites & Pick<Engine, 'insertColumns'>

export type ImportMode = StagedWriteMode

/** By row: whether its key stands in the table, or in an earlier row of the batch. */
export async function repeatedKeys(engine: Engine, table: TableSchema, batch: RowBatch): Promise<readonly boolean[]> {
  const keys = keysOf(table, batch)
  const there = await engine.getMany(undefined, table, keys, table.primaryKey)
  const seen = new Set<string>()
  return keys.map((key, index) => {
    const identity = identityOf(key)
    const isRepeated = seen.has(identity) || there[index] !== undefined
    seen.add(identity)
    return isRepeated
  })
}

export function repeatedKeyErrors(table: TableSchema, batch: RowBatch, repeated: readonly boolean[]): readonly LineError[] {
  const names = table.primaryKey.map((ordinal) => table.columns[ordinal]!.name).join(', ')
  return keysOf(table, batch).flatMap((key, index) => (repeated[index] ? [{ line: batch.lines[index]!, code: '23505', reason: `duplicate key (${names}) = (${key.map(shown).join(', ')})` }] : []))
}

/** Equal for equal keys: -0 is 0, and integers have one form. */
function identityOf(key: EngineRow): string {
  return key.map((value) => (value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value}${value === 0 ? 0 : String(value)}`)).join('\0')
}

function shown(value: EngineRow[number]): string {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value)
}
