/** What all statements that write share: locks, the last look at the table, where their parts go. */
import { LsmtError } from '../../errors.ts'
import type { EngineRow } from '../engine.ts'
import type { Shards } from '../shards/shards.ts'
import type { StatementPart } from '../shards/commit.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { TableLocks } from './locks.ts'
import type { StatementBuilder } from './statement.ts'

export interface Writer {
  readonly shards: Shards
  readonly builder: StatementBuilder
  /** A row with more bytes is 54000. */
  readonly rowLengthMax: number
  readonly statementBytesMax: number
  /** What a statement locks before it reads what it goes by. */
  locksOf(access: TableAccess): TableLocks
  /** Runs what lets others pass: at once, or when a write whose outcome is not known is decided. */
  afterDoubt(run: () => void): void
  /**
   * Brings a statement's parts in, all or none, if the table still is as they were made for; resolves when they are
   * visible to those who are to see them. At once, in this synchronous step, when nothing makes it wait. To be called
   * with the locks that the statement needs, since who waits for memory must not keep any from those who wait for locks.
   * `rowCount`: how many rows the statement tells to have changed; 0 of one that changes the catalog.
   */
  commit(access: TableAccess, parts: readonly StatementPart[], rowCount: number): Promise<void>
}

/** The parts of what `add` adds; the builder is left empty whatever happens. 54000 when they are more than memory can take. */
export function buildParts(writer: Writer, add: (builder: StatementBuilder) => void): readonly StatementPart[] {
  return tryBuildParts(writer, (builder) => {
    add(builder)
    return true
  })!
}

/** The same, undefined when `add` answers that it cannot. */
export function tryBuildParts(writer: Writer, add: (builder: StatementBuilder) => boolean): readonly StatementPart[] | undefined {
  writer.shards.assertOpen()
  try {
    if (!add(writer.builder)) {
      writer.builder.clear()
      return undefined
    }
    if (writer.builder.byteLength > writer.statementBytesMax) {
      throw new LsmtError('54000', `the statement writes ${writer.builder.byteLength} bytes, at most ${writer.statementBytesMax} are possible; write in smaller statements`)
    }
    return writer.builder.finish()
  } catch (error) {
    writer.builder.clear()
    throw error
  }
}

/** 42P01 when the table was dropped; 40001 when rows made for it as it was are not rows of it any more. */
export function checkCurrent({ schema, state }: TableAccess): void {
  if (state.gone === 'dropped') throw new LsmtError('42P01', `table "${schema.name}" does not exist`)
  if (state.gone === 'truncated' || state.columnCount !== schema.columns.length) throw tableChanged(schema.name)
}

export function tableChanged(name: string): LsmtError {
  return new LsmtError('40001', `table "${name}" was changed by another statement; run the statement again`)
}

/** The lock hashes of the keys of `rows`. */
export function keyHashes(writer: Writer, access: TableAccess, rows: readonly EngineRow[], ordinals: readonly number[]): Uint32Array {
  const { keys, assertOpen } = writer.shards
  assertOpen()
  const hashes = new Uint32Array(rows.length)
  for (let from = 0; from < rows.length; ) {
    const count = keys.writeMany(access, rows, from, ordinals)
    for (let i = 0; i < count; i++) hashes[from + i] = keys.hashOf(i)
    from += count
  }
  return hashes
}

/** The keys of `rows` as texts, equal when the keys are. */
export function keyIdentities(writer: Writer, access: TableAccess, rows: readonly EngineRow[], ordinals: readonly number[]): readonly string[] {
  const { keys, assertOpen } = writer.shards
  assertOpen()
  const identities: string[] = []
  for (let from = 0; from < rows.length; ) {
    const count = keys.writeMany(access, rows, from, ordinals)
    for (let i = 0; i < count; i++) identities.push(keys.identityOf(i))
    from += count
  }
  return identities
}

/** The key's values of a row, in key order. */
export function keyOf(access: TableAccess, row: EngineRow): EngineRow {
  return access.keyInRow.map((ordinal) => row[ordinal]!)
}

export function duplicateKey(access: TableAccess, row: EngineRow): LsmtError {
  const { schema } = access
  const names = schema.primaryKey.map((ordinal) => schema.columns[ordinal]!.name).join(', ')
  const values = keyOf(access, row).map((value) => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value))).join(', ')
  return new LsmtError('23505', `duplicate key in table "${schema.name}": (${names}) = (${values}) exists`)
}
