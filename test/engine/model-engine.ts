/**
 * The Engine as plainly as it can be said: sorted arrays of rows, whole copies for snapshots, no durability. It is
 * the model that the real engine is compared with, and good enough to develop and test SQL against.
 */
import { zeroCounts } from '../../src/storage/storage-counts.ts'
import { checkRow } from '../../src/engine/check-value.ts'
import type { Engine, EngineTransaction, EngineAggregate, EngineRow, EngineSnapshot, EngineValue, NewTable, WriteMode } from '../../src/engine/engine.ts'
import { rowsOfColumns } from '../../src/engine/write/columns/rows-of-columns.ts'
import { alteredTable } from '../../src/engine/tables/alter-table.ts'
import { kvTable } from '../../src/engine/tables/catalog.ts'
import { tableSchema } from '../../src/engine/tables/new-table.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { createSpillFile } from '../../src/engine/spill/spill-file.ts'
import { LsmtError } from '../../src/errors.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { modelRequests } from './model-requests.ts'
import { computedTable } from './model-expression.ts'
import { checkedKey, inRange, insertOrUpdateRow, insertRow, keyOf, position, project, rowsByKey, selectRows, updateRows } from './model-rows.ts'
import { aggregateRows, compareOrdered, groupRows, wantedGroups } from './model-values.ts'

interface ModelTable {
  readonly schema: TableSchema
  /** Sorted by key. Replaced by every statement, never changed in place: snapshots keep the array itself. */
  rows: readonly EngineRow[]
  nextRowId: number
}

interface ModelSnapshot extends EngineSnapshot {
  readonly tables: ReadonlyMap<number, readonly EngineRow[]>
}

const pageRows = 100

const spillStorage = createMemoryStorage()
let openedSpillKernel: Kernel | undefined

/** One for all model databases, made when the first of them spills. */
function spillKernel(): Kernel {
  return (openedSpillKernel ??= openKernel('js', reserveLinearMemory(16 * 1024 * 1024)))
}

/** A new, empty model database with its `kv` table. */
export function openModelEngine(): Engine {
  const byName = new Map<string, ModelTable>()
  const engine = modelOver(byName, 1)
  void engine.createTable(kvTable)
  return engine
}

function modelOver(byName: Map<string, ModelTable>, firstVersion: number, staged = new Map<number, ModelTable>()): Engine {
  let catalogVersion = firstVersion
  let nextTableId = 16
  let closed = false

  function addTable(table: NewTable): TableSchema {
    if (closed) throw new LsmtError('55000', 'the database is closed')
    if (byName.has(table.name)) throw new LsmtError('42P07', `table "${table.name}" exists`)
    const schema = tableSchema(table, nextTableId++)
    byName.set(table.name, { schema, rows: [], nextRowId: 1 })
    catalogVersion++
    return schema
  }

  function find(schema: TableSchema): ModelTable {
    if (closed) throw new LsmtError('55000', 'the database is closed')
    const table = [...byName.values(), ...staged.values()].find((each) => each.schema.tableId === schema.tableId)
    if (table === undefined && byName.has(schema.name)) throw changed(schema)
    if (table === undefined) throw new LsmtError('42P01', `table "${schema.name}" does not exist`)
    return table
  }

  function existing(name: string): ModelTable {
    if (closed) throw new LsmtError('55000', 'the database is closed')
    const table = byName.get(name)
    if (table === undefined) throw new LsmtError('42P01', `table "${name}" does not exist`)
    return table
  }

  /** The table to write to, if its rows still have the columns of `schema`. */
  function writable(schema: TableSchema): ModelTable {
    const table = find(schema)
    if (table.schema.columns.length !== schema.columns.length) throw changed(schema)
    return table
  }

  function snapshot(): ModelSnapshot {
    const tables = new Map<number, readonly EngineRow[]>()
    for (const table of [...byName.values(), ...staged.values()]) tables.set(table.schema.tableId, table.rows)
    return { tables, release() {} }
  }

  function rowsOf(given: EngineSnapshot | undefined, schema: TableSchema): readonly EngineRow[] {
    if (closed) throw new LsmtError('55000', 'the database is closed')
    if (given === undefined) return find(schema).rows
    return ((given as ModelSnapshot).tables.get(schema.tableId) ?? []).map((row) => (row.length < schema.columns.length ? widened(schema, row) : row))
  }

  async function insert(schema: TableSchema, rows: readonly EngineRow[], mode: WriteMode): Promise<number> {
    const table = writable(schema)
    const draft = table.rows.slice()
    const count = rows.reduce((sum, row) => sum + insertRow(schema, draft, withHiddenKey(table, row), mode), 0)
    table.rows = draft
    return count
  }

  const model: Engine = {
    tables: () => [...byName.values()].map((table) => table.schema),
    table: (name) => byName.get(name)?.schema,
    catalogVersion: () => catalogVersion,
    async createTable(table) {
      return addTable(table)
    },
    async dropTable(name) {
      existing(name)
      byName.delete(name)
      catalogVersion++
    },
    async alterTable(name, change) {
      const before = existing(name)
      const schema = alteredTable(before.schema, change)
      if (schema.name !== name && byName.has(schema.name)) throw new LsmtError('42P07', `table "${schema.name}" exists`)
      byName.delete(name)
      byName.set(schema.name, { ...before, schema, rows: before.rows.map((row) => widened(schema, row, change.kind === 'addColumn' ? change.missing : undefined)) })
      catalogVersion++
      return schema
    },
    async truncateTable(name) {
      const schema = { ...existing(name).schema, tableId: nextTableId++ }
      byName.set(name, { schema, rows: [], nextRowId: 1 })
      catalogVersion++
      return schema
    },
    async catalogSettled() {},
    collectRows: (table) => collectByRow(table),
    async stageTable(table) {
      const of = writable(table)
      const schema = { ...of.schema, tableId: nextTableId++ }
      staged.set(schema.tableId, { schema, rows: [], nextRowId: of.nextRowId })
      of.nextRowId += 2 ** 32
      return schema
    },
    async publishStaged({ tableId }, table, mode) {
      const from = staged.get(tableId), before = writable(table)
      if (from === undefined) throw new LsmtError('55000', 'the staged rows were published or dropped')
      const draft = from.rows.slice()
      for (const row of before.rows) insertRow(from.schema, draft, row, mode === 'insert' ? 'insert' : 'insert-or-ignore')
      staged.delete(tableId)
      byName.set(table.name, { schema: from.schema, rows: draft, nextRowId: before.nextRowId })
      catalogVersion++
      return from.schema
    },
    async dropStaged({ tableId }) {
      if (!staged.delete(tableId)) throw new LsmtError('55000', 'the staged rows were published or dropped')
    },
    async begin(written) {
      return beginOver(byName, staged, catalogVersion, new Set(written(this).map(({ name }) => name)))
    },
    snapshot,
    get(given, schema, key, columns, _stats, asText) {
      const rows = rowsOf(given, schema)
      const at = position(schema, rows, checkedKey(schema, key))
      return at.found ? textsIn(project(rows[at.index]!, columns), columns, asText) : undefined
    },
    rowsByKey: (schema, columns, asText) => ({ get: (given, key, stats) => model.get(given, schema, key, columns, stats, asText) }),
    getMany(given, schema, keys, columns) {
      return keys.map((key) => this.get(given, schema, key, columns) as EngineRow | undefined)
    },
    async *scan(given, scan) {
      const rows = selectRows(rowsOf(given, scan.table), scan).map((row) => textsIn(project(row, scan.columns), scan.columns, scan.asText))
      for (let from = 0; from < rows.length; from += pageRows) yield rows.slice(from, from + pageRows)
    },
    async *scanColumns(given, scan) {
      for await (const rows of model.scan(given, scan)) yield { rowCount: rows.length, columns: scan.columns.map((_, i) => rows.map((row) => row[i]!)) }
    },
    walk: () => undefined,
    async aggregate(given, scan, aggregates) {
      const { limit: _, ...unlimited } = scan
      const rows = selectRows(rowsOf(given, scan.table), unlimited)
      return aggregates.map((aggregate: EngineAggregate) => aggregateRows(computedTable(scan), rows, aggregate))
    },
    async *groupedAggregate(given, scan, groupBy, aggregates, _stats, wanted) {
      const { limit: _, ...unlimited } = scan
      const groups = groupRows(computedTable(scan), selectRows(rowsOf(given, scan.table), unlimited), groupBy, aggregates)
      yield wantedGroups(groups, wanted)
    },
    async topRows(given, scan, order, limit) {
      const { limit: _, ...unlimited } = scan
      return selectRows(rowsOf(given, scan.table), unlimited).toSorted((a, b) => compareOrdered(a, b, order)).slice(0, Math.max(0, limit)).map((row) => project(row, scan.columns))
    },
    insert,
    async insertColumns(schema, columns, mode) {
      return await insert(schema, rowsOfColumns(columns), mode)
    },
    async insertText() {
      // Texts are not known here: their rows are to be given.
      return undefined
    },
    async insertOrUpdate(schema, rows, change, prepare) {
      const table = writable(schema)
      await prepared(table, (before) => rows.flatMap((row) => {
        const at = position(schema, before, keyOf(schema, withHiddenKey(table, row)))
        return at.found ? [[before[at.index]!, row] as const] : []
      }), prepare)
      const draft = table.rows.slice(), written = new Set<EngineRow>()
      let count = 0
      for (const row of rows) count += insertOrUpdateRow(schema, draft, withHiddenKey(table, row), written, change)
      table.rows = draft
      return count
    },
    async update(schema, keys, change, prepare) {
      const table = writable(schema)
      await prepared(table, (before) => rowsByKey(schema, before, keys), prepare)
      const changed = updateRows(schema, table.rows, keys, change)
      table.rows = changed.rows
      return changed.count
    },
    async updateWhere(schema, where, change, prepare) {
      const table = writable(schema)
      const found = await prepared(table, (before) => selectRows(before, { ...where, table: schema, ordered: true, columns: [] }), prepare)
      const changed = updateRows(schema, table.rows, found.map((row) => keyOf(schema, row)), change)
      table.rows = changed.rows
      return changed.count
    },
    async deleteWhere(schema, where) {
      const table = writable(schema)
      const found = selectRows(table.rows, { ...where, table: schema, ordered: true, columns: [] })
      const changed = updateRows(schema, table.rows, found.map((row) => keyOf(schema, row)), () => 'delete')
      table.rows = changed.rows
      return changed.count
    },
    async write(schema, operations) {
      const table = writable(schema)
      const draft = table.rows.slice()
      for (const operation of operations) {
        if ('put' in operation) insertRow(schema, draft, withHiddenKey(table, operation.put), 'upsert')
        else {
          const at = position(schema, draft, checkedKey(schema, operation.delete))
          if (at.found) draft.splice(at.index, 1)
        }
      }
      table.rows = draft
    },
    async deleteRange(schema, lower, upper) {
      const table = writable(schema)
      table.rows = table.rows.filter((row) => !inRange(schema, row, lower, upper))
    },
    request: modelRequests(() => model),
    spillFile: (use, stats) => createSpillFile(spillStorage.createTemporary, spillKernel(), use, stats),
    storeCheckpoint: () => Promise.reject(new LsmtError('0A000', 'a model has no files')),
    async checkpoint() {
      throw new LsmtError('0A000', 'the model has no files')
    },
    async flush() {},
    async compact() {},
    stats: () => ({ shards: [], cacheBytes: 0, cache: { hits: 0, misses: 0, evictions: 0 }, readers: { threads: 0, scans: 0, rowGroups: 0, repeated: 0, trouble: undefined }, admission: { waiting: 0, waitedMs: 0 }, disk: { refusal: undefined, timesFull: 0, fullMs: 0 }, logOn: 'disk', storage: { counts: zeroCounts(), estimatedUsd: 0, usdPerRead: 0 }, kernelMemoryBytes: { reserved: 0, used: 0 } }),
    async close() {
      closed = true
    },
  }
  return model
}

/** A transaction as a model of its own over copies, which the commit puts in the place of what was there. */
function beginOver(byName: ReadonlyMap<string, ModelTable>, staged: Map<number, ModelTable>, catalogVersion: number, written: ReadonlySet<string>): EngineTransaction {
  const own = new Map([...byName].map(([name, table]) => [name, { ...table }]))
  const { begin: _, catalogSettled: __, flush: ___, compact: ____, stats: _____, stageTable: ______, publishStaged: _______, dropStaged: ________, request: _________, checkpoint: __________, storeCheckpoint: ___________, close: end, ...session } = modelOver(own, catalogVersion, staged)
  const begun = new Map([...own].map(([name, { rows }]) => [name, rows]))
  const refuse = async (): Promise<never> => {
    throw new LsmtError('0A000', 'not in a transaction')
  }
  const states: ReadonlyMap<string, readonly EngineRow[]>[] = []
  let isOver = false
  const finish = (isCommitted: boolean): boolean => {
    if (isOver && isCommitted) throw new LsmtError('25P01', 'the transaction is over')
    if (isOver) return false
    isOver = true
    void end()
    let isWritten = false
    for (const name of written) {
      const table = byName.get(name), mine = own.get(name)!
      if (table === undefined || table.schema.tableId !== mine.schema.tableId) throw new LsmtError('40001', `table "${name}" changed`)
      table.nextRowId = mine.nextRowId
      if (!isCommitted) continue
      isWritten ||= mine.rows.length !== begun.get(name)!.length || mine.rows.some((row, i) => row !== begun.get(name)![i])
      table.rows = mine.rows
    }
    return isWritten
  }
  return {
    ...session,
    createTable: refuse, dropTable: refuse, alterTable: refuse, truncateTable: refuse,
    commit: async () => finish(true),
    rollback: () => void finish(false),
    savepoint: () => ({ partCount: states.push(new Map([...own].map(([name, { rows }]) => [name, rows]))) - 1 }),
    rollbackTo({ partCount }) {
      for (const [name, rows] of states[partCount]!) own.get(name)!.rows = rows
    },
  }
}

function changed(schema: TableSchema): LsmtError {
  return new LsmtError('40001', `table "${schema.name}" was changed by another statement; run the statement again`)
}

/** A row with `missing` in the columns that were added after it was written. */
function widened(schema: TableSchema, row: EngineRow, missing: EngineValue = null): EngineRow {
  return schema.columns.map((_, ordinal) => (ordinal < row.length ? row[ordinal]! : missing))
}

function withHiddenKey(table: ModelTable, row: EngineRow): EngineRow {
  return checkRow(table.schema, table.schema.hiddenKey ? [table.nextRowId++, ...row] : row)
}

/** What is found in the table, seen by `prepare`; both again while others changed the table meanwhile. */
async function prepared<Found>(table: ModelTable, find: (rows: readonly EngineRow[]) => Found, prepare: ((found: Found) => Promise<void>) | undefined): Promise<Found> {
  for (;;) {
    const { rows } = table
    const found = find(rows)
    await prepare?.(found)
    if (table.rows === rows) return found
  }
}

function textsIn(row: EngineRow, columns: readonly number[], asText: ReadonlySet<number> | undefined): EngineRow {
  return row.map((value, i) => (value instanceof Uint8Array && asText?.has(columns[i]!) === true ? Buffer.from(value).toString() : value))
}

/** Knows no CSV, so all of it comes row by row. */
function collectByRow({ columns, hiddenKey }: TableSchema): ReturnType<Engine['collectRows']> {
  const width = columns.length - (hiddenKey ? 1 : 0)
  let rows: EngineRow[] = [], lines: number[] = []
  return {
    get rowCount() {
      return rows.length
    },
    add(row, line) {
      rows.push([...row])
      lines.push(line)
    },
    addCsv: () => undefined,
    take() {
      const taken = { columns: { rowCount: rows.length, columns: Array.from({ length: width }, (_, index) => ({ values: rows.map((row) => row[index]!) })) }, lines: Uint32Array.from(lines) }
      rows = []
      lines = []
      return taken
    },
  }
}
