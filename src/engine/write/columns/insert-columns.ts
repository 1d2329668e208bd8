/**
 * INSERT of VALUES text, and of rows given by column. Locks, admission and commit are those of rows (../insert.ts). What the columns' way does not
 * take, it leaves to rows without having written anything: so every refusal is worded in one place.
 */
import type { EngineColumns, EngineValue, ValuesText } from '../../engine.ts'
import type { StatementPart } from '../../shards/commit.ts'
import type { Shards } from '../../shards/shards.ts'
import { recoverNextRowId } from '../../tables/hidden-key.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import { ingestColumns } from '../ingest/ingest-columns.ts'
import type { StagedIngest } from '../ingest/staged-ingest.ts'
import { commitBlind } from '../insert.ts'
import { tryBuildParts } from '../writer.ts'
import type { Writer } from '../writer.ts'
import { createRowCollector } from './collect-rows.ts'
import { createColumnScratch } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'
import { addColumns } from './column-operations.ts'
import type { ChunkStatement } from './encode-chunk.ts'
import { anyExists, hasRepeats, newParts } from './existing-keys.ts'
import { KeyExtents } from './key-extents.ts'
import type { RowCollector } from './row-collector.ts'
import { addText } from './text-operations.ts'
import type { GivenColumns } from './values-plan.ts'

type InsertMode = 'insert' | 'upsert'

/** Each gives the rows written, or undefined when they have to be given one by one. */
export interface ColumnInserter {
  insertText(writer: Writer, access: TableAccess, values: ValuesText, mode: InsertMode, stats?: ReadStats): Promise<number | undefined>
  insertColumns(writer: Writer, access: TableAccess, columns: EngineColumns, mode: InsertMode, stats?: ReadStats): Promise<number | undefined>
  /** Rows for `insertColumns`, which may be read from CSV. */
  collect(shards: Shards, access: TableAccess, given: GivenColumns): RowCollector<EngineValue, EngineColumns>
  /** See `Engine.ingestStaged`. */
  ingest(shards: Shards, access: TableAccess): StagedIngest<EngineColumns> | undefined
  free(): void
}

/** The scratch memory is taken by the first statement that comes. */
export function createColumnInserter(): ColumnInserter {
  let scratch: ColumnScratch | undefined
  const scratchOf = ({ kernel, trees }: Shards): ColumnScratch | undefined => (scratch ??= createColumnScratch(kernel, trees.length))

  async function insert(writer: Writer, access: TableAccess, mode: InsertMode, stats: ReadStats | undefined, add: (statement: ChunkStatement) => Uint32Array | undefined): Promise<number | undefined> {
    const { hiddenKey } = access.schema
    if (hiddenKey && access.state.nextRowId === undefined) await recoverNextRowId(writer.shards, access)
    const place = scratchOf(writer.shards)
    const extents = mode === 'insert' && !hiddenKey ? new KeyExtents() : undefined
    const built = place && build(writer, place, access, extents, add)
    if (built === undefined) return undefined
    const rowCount = built.hashes.length
    if (extents !== undefined) return await writeNewParts(writer, access, built, extents, stats)
    await commitBlind(writer, access, { parts: built.parts, rowCount }, () => built.hashes)
    return rowCount
  }

  return {
    insertText: (writer, access, values, mode, stats) => insert(writer, access, mode, stats, (statement) => addText(statement, values)),
    insertColumns: (writer, access, columns, mode, stats) => insert(writer, access, mode, stats, (statement) => addColumns(statement, columns)),
    collect: (shards, access, given) => createRowCollector(access, given, () => scratchOf(shards)),
    ingest(shards, access) {
      const place = scratchOf(shards)
      return place && ingestColumns(shards, access, place)
    },
    free() {
      scratch?.free()
      scratch = undefined
    },
  }
}

interface BuiltRows {
  readonly parts: readonly StatementPart[]
  /** Of the rows' keys, for their locks. */
  readonly hashes: Uint32Array
}

function build(writer: Writer, scratch: ColumnScratch, access: TableAccess, extents: KeyExtents | undefined, add: (statement: ChunkStatement) => Uint32Array | undefined): BuiltRows | undefined {
  const firstRowId = access.state.nextRowId ?? 0
  let hashes: Uint32Array | undefined
  const parts = tryBuildParts(writer, (builder) => {
    hashes = add({ scratch, access, builder, rowLengthMax: writer.rowLengthMax, firstRowId, extents })
    return hashes !== undefined
  })
  if (parts === undefined || hashes === undefined) return undefined
  if (access.schema.hiddenKey) access.state.nextRowId = firstRowId + hashes.length
  return { parts, hashes }
}

/** Writes rows whose keys are new; undefined when one of them exists, or stands twice among them. */
async function writeNewParts(writer: Writer, access: TableAccess, { parts: written, hashes }: BuiltRows, extents: KeyExtents, stats: ReadStats | undefined): Promise<number | undefined> {
  const parts = newParts(written, extents)
  if (hasRepeats(parts, hashes)) return undefined
  const release = await writer.locksOf(access).lockKeys(hashes)
  try {
    if (await anyExists(writer.shards, access, parts, stats)) return undefined
    await writer.commit(access, parts, hashes.length)
    return hashes.length
  } finally {
    release()
  }
}
