/**
 * The engine of one node: tables by schema over the shards' trees, all dispatched by this thread.
 *
 * A statement that writes is appended to all its shards in one synchronous step, and that step looks last whether the
 * database is open and the table still there; so DDL needs no lock: a DROP marks the table first, and what was
 * appended before it stands before it in every log.
 */
import { LsmtError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { HeapBudget } from '../kernel/grouping/limited-heap.ts'
import type { ReadStats, Tree } from '../lsm/tree.ts'
import { systemTurns } from '../runtime/pace.ts'
import type { Turns } from '../runtime/pace.ts'
import type { Random } from '../runtime/random.ts'
import { checkRow } from './check-value.ts'
import { checkKey } from './codec/key-codec.ts'
import { readRow } from './codec/read-row.ts'
import type { Engine, EngineRow, EngineScan, EngineSnapshot, EngineStats } from './engine.ts'
import { recoverNextRowId, withRowIds } from './tables/hidden-key.ts'
import { aggregateShards } from './read/aggregate.ts'
import { groupShards } from './read/group.ts'
import { isFetch, lookUp } from './read/point-read.ts'
import { scanShards } from './read/scan.ts'
import type { TableSchema } from './schema.ts'
import type { Admission } from './shards/admission.ts'
import { createSpillFile } from './spill/spill-file.ts'
import type { CreateTemporary } from './spill/spill-file.ts'
import { createCommitter } from './shards/commit.ts'
import { createKeyScratch } from './shards/key-scratch.ts'
import { shardsOf, takeShardSnapshot } from './shards/shard-snapshot.ts'
import type { ShardSnapshot } from './shards/shard-snapshot.ts'
import type { Shards } from './shards/shards.ts'
import type { TableAccess } from './tables/table-access.ts'
import { openTables } from './tables/tables.ts'
import type { Tables } from './tables/tables.ts'
import { createTextInserter } from './write/columns/insert-text.ts'
import type { TextInserter } from './write/columns/insert-text.ts'
import { writeBlind, writeNew, writeOperations, writeOrChange } from './write/insert.ts'
import { createStatementBuilder } from './write/statement.ts'
import { changeRows, changeRowsWhere, deleteKeyRange, deleteRowsWhere } from './write/update.ts'
import { tableChanged } from './write/writer.ts'
import type { Writer } from './write/writer.ts'

/** What an engine stands on. */
export interface LocalEngineParts {
  readonly kernel: Kernel
  /** By shard, recovered. */
  readonly trees: readonly Tree[]
  readonly random: Random
  readonly admission: Admission
  /** A row with more bytes is 54000: background work could not rewrite it. */
  readonly rowBytesMax?: number
  /** A statement with more bytes is 54000; by default an eighth of the kernel's memory. */
  readonly statementBytesMax?: number
  readonly cacheBytes: () => number
  readonly createTemporary: CreateTemporary
  /** By default the event loop's. */
  readonly turns?: Turns
  /** Closes the trees and what they stand on. */
  readonly close: () => Promise<void>
}

/** An engine over open trees. Reads the catalog, or makes it the first time. */
export async function createLocalEngine(parts: LocalEngineParts): Promise<Engine> {
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw new LsmtError('55000', 'the database is closed')
  }
  const { kernel, trees } = parts
  const keys = createKeyScratch(kernel, trees.length)
  const groupBudget: HeapBudget = { bytesMax: Math.floor(kernel.heap.byteLength / 6), usedBytes: 0 }
  const shards: Shards = { kernel, trees, keys, committer: createCommitter(trees, parts.random), assertOpen, groupBudget, turns: parts.turns ?? systemTurns }
  const rowLengthMax = parts.rowBytesMax ?? kernel.heap.byteLength / 16
  const writer: Writer = { shards, builder: createStatementBuilder(kernel.memory, keys, trees.length, rowLengthMax), admission: parts.admission, rowLengthMax, statementBytesMax: parts.statementBytesMax ?? kernel.heap.byteLength / 8 }
  const texts = createTextInserter(writer)
  const tables = await openTables(writer)

  return {
    ...catalogPart(tables),
    ...readPart(shards, tables),
    ...writePart(writer, tables, texts),
    get catalogVersion() {
      return tables.version
    },
    spillFile(use, stats) {
      assertOpen()
      return createSpillFile(parts.createTemporary, kernel, use, stats)
    },
    async flush() {
      assertOpen()
      await Promise.all(trees.map((tree) => tree.flush()))
    },
    async compact() {
      assertOpen()
      await Promise.all(trees.map((tree) => tree.compact()))
    },
    stats: () => engineStats(parts),
    async close() {
      if (isClosed) return
      isClosed = true
      await parts.close()
      texts.free()
      keys.free()
    },
  }
}

function catalogPart(tables: Tables): Pick<Engine, 'tables' | 'table' | 'createTable' | 'dropTable' | 'alterTable' | 'truncateTable' | 'catalogSettled'> {
  return { tables: tables.list, table: tables.find, createTable: tables.create, dropTable: tables.drop, alterTable: tables.alter, truncateTable: tables.truncate, catalogSettled: tables.settled }
}

function readPart(shards: Shards, tables: Tables): Pick<Engine, 'snapshot' | 'get' | 'scan' | 'aggregate' | 'groupedAggregate'> {
  const { assertOpen, kernel: { memory } } = shards

  /** Reads the key of `values`; a row that must be fetched first is awaited and asked for again. */
  function get(given: EngineSnapshot | undefined, access: TableAccess, values: EngineRow, columns: readonly number[], stats?: ReadStats): EngineRow | undefined | Promise<EngineRow | undefined> {
    assertOpen()
    shards.keys.writeOne(access, values, access.keyInKey)
    const shard = shards.keys.shardOf(0)
    const tree = shards.trees[shard]!
    const found = lookUp(shards, tree, given && shardsOf(given)[shard], access, 0, stats)
    if (found === undefined) return undefined
    if (!isFetch(found)) return readRow(memory, access, found, columns, values)
    return found.fetch().then(() => get(given, access, values, columns, stats))
  }

  /** The access of a table, once the snapshot is there. */
  async function readyAccess(given: EngineSnapshot, table: TableSchema): Promise<TableAccess> {
    assertOpen()
    const access = tables.access(table)
    await (given as ShardSnapshot).ready
    assertOpen()
    return access
  }

  return {
    snapshot() {
      assertOpen()
      return takeShardSnapshot(shards.trees, shards.committer)
    },
    get(given, table, key, columns, stats) {
      assertOpen()
      const access = tables.access(table)
      const values = checkKey(access.keys, key)
      const ready = given && (given as ShardSnapshot).ready
      return ready === undefined ? get(given, access, values, columns, stats) : ready.then(() => get(given, access, values, columns, stats))
    },
    async *scan(given: EngineSnapshot, scan: EngineScan, stats?: ReadStats) {
      const access = await readyAccess(given, scan.table)
      yield* scanShards(shards, shardsOf(given), access, scan, stats)
    },
    async aggregate(given, scan, aggregates, stats) {
      const access = await readyAccess(given, scan.table)
      return aggregateShards(shards, shardsOf(given), access, scan, aggregates, stats)
    },
    async *groupedAggregate(given, scan, groupBy, aggregates, stats) {
      const access = await readyAccess(given, scan.table)
      yield* groupShards(shards, shardsOf(given), access, scan, groupBy, aggregates, stats)
    },
  }
}

function writePart(writer: Writer, tables: Tables, { insertText }: TextInserter): Pick<Engine, 'insert' | 'insertText' | 'insertOrUpdate' | 'update' | 'updateWhere' | 'deleteWhere' | 'write' | 'deleteRange'> {
  function writable(table: TableSchema): TableAccess {
    writer.shards.assertOpen()
    const access = tables.access(table)
    if (access.schema.columns.length !== table.columns.length) throw tableChanged(table.name)
    return access
  }

  /** The rows checked, with ids where the key is hidden. */
  async function prepare(access: TableAccess, rows: readonly EngineRow[]): Promise<readonly EngineRow[]> {
    if (access.schema.hiddenKey && access.state.nextRowId === undefined) await recoverNextRowId(writer.shards, access)
    return checked(access, access.schema.hiddenKey ? withRowIds(access, rows) : rows)
  }

  return {
    async insert(table, rows, mode) {
      const access = writable(table)
      if (rows.length === 0) return 0
      const ready = access.schema.hiddenKey ? await prepare(access, rows) : checked(access, rows)
      if (mode !== 'upsert' && !access.schema.hiddenKey) return writeNew(writer, access, ready, mode)
      await writeBlind(writer, access, ready)
      return ready.length
    },
    async insertText(table, values, mode) {
      return await insertText(writable(table), values, mode)
    },
    async insertOrUpdate(table, rows, change, before) {
      const access = writable(table)
      return rows.length === 0 ? 0 : writeOrChange(writer, access, await prepare(access, rows), change, before)
    },
    async update(table, keys, change, before) {
      const access = writable(table)
      return keys.length === 0 ? 0 : changeRows(writer, access, keys, change, before)
    },
    async updateWhere(table, where, change, before) {
      return await changeRowsWhere(writer, writable(table), where, change, before)
    },
    async deleteWhere(table, where) {
      return await deleteRowsWhere(writer, writable(table), where)
    },
    async write(table, operations) {
      const access = writable(table)
      if (access.schema.hiddenKey) throw new LsmtError('0A000', `table "${table.name}" has no primary key to write by`)
      if (operations.length > 0) await writeOperations(writer, access, operations)
    },
    async deleteRange(table, lower, upper) {
      await deleteKeyRange(writer, writable(table), lower, upper)
    },
  }
}

function checked(access: TableAccess, rows: readonly EngineRow[]): readonly EngineRow[] {
  const { schema } = access
  for (let i = 0; i < rows.length; i++) {
    const row = checkRow(schema, rows[i]!)
    if (row !== rows[i]) return rows.map((each) => checkRow(schema, each))
  }
  return rows
}

function engineStats({ kernel, trees, cacheBytes, admission }: LocalEngineParts): EngineStats {
  return {
    shards: trees.map((tree) => tree.stats),
    cacheBytes: cacheBytes(),
    admission: { ...admission.counts },
    kernelMemoryBytes: { reserved: kernel.memory.byteLength, used: kernel.heap.usedBytes },
  }
}
