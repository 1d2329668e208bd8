/**
 * Random operations on an engine and on the model, with equal answers after each: writes in all modes, reads by key,
 * by range, by predicate, aggregates, snapshots that outlive writes, flushes, compactions and reopenings.
 */
import { randomExpression } from './random-expression.ts'
import { expect } from 'vitest'
import type { Engine, EngineAggregate, EngineCatalog, EngineGroupedAggregate, EngineOrder, EngineRow, EngineScan, EngineSession, EngineSnapshot, EngineValue, KeyBound, NewTable, WantedGroups, WriteMode, WriteOperation } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import type { ShardSnapshot } from '../../src/engine/shards/shard-snapshot.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { newTable, toColumns } from './engine-fixtures.ts'
import { openModelEngine } from './model-engine.ts'
import { comparingGroups } from './model-values.ts'

export interface Differential {
  readonly open: () => Promise<Engine>
  /** Closes nothing by itself: what must happen before `open` gives the same data again. Absent = never reopened. */
  readonly reopens: boolean
  readonly steps: number
  readonly seed: number
}

const definitions: readonly NewTable[] = [
  newTable('numbers', { id: 'bigint', n: 'bigint', d: 'double', x: 'text' }, ['id']),
  newTable('names', { v: 'bigint', name: 'text', w: 'text' }, ['name']),
  newTable('pairs', { a: 'text', n: 'bigint', d: 'double', b: 'bigint' }, ['a', 'b']),
  newTable('log', { line: 'text', n: 'bigint' }, []),
]

/** Two databases, or two transactions of them. */
interface Pair {
  readonly engine: EngineSession
  readonly model: EngineSession
  readonly random: Random
  readonly reopens: boolean
  readonly isTransaction?: true
  snapshots: (readonly [EngineSnapshot, EngineSnapshot])[]
}

interface Databases extends Pair {
  engine: Engine
  readonly model: Engine
}

export async function runDifferential(options: Differential): Promise<void> {
  const random = seededRandom(options.seed)
  const pair: Databases = { engine: await options.open(), model: openModelEngine(), random, reopens: options.reopens, snapshots: [] }
  try {
    for (const definition of definitions) {
      await pair.engine.createTable(definition)
      await pair.model.createTable(definition)
    }
    for (let step = 0; step < options.steps; step++) {
      await explained(options.seed, step, () => oneStep(pair))
      if (options.reopens && random.below(60) === 0) await explained(options.seed, step, () => reopen(pair, options.open))
    }
    for (const definition of definitions) await explained(options.seed, options.steps, () => compareScans(pair, definition.name))
  } finally {
    releaseAll(pair)
    await pair.engine.close()
  }
}

async function explained(seed: number, step: number, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    throw new Error(`seed ${seed}, step ${step}: ${(cause as Error).message}`, { cause })
  }
}

async function oneStep(pair: Databases): Promise<void> {
  const { random } = pair
  if (random.below(50) === 0) return alter(pair, anyName(random))
  if (random.below(25) === 0) return transact(pair)
  const kind = random.below(20)
  if (kind < 17) return oneStatement(pair, kind)
  if (kind === 17) return random.below(3) === 0 ? pair.engine.compact() : pair.engine.flush()
  if (pair.snapshots.length < 4) return keepSnapshots(pair)
  for (const snapshot of pair.snapshots.splice(random.below(4), 1)[0]!) snapshot.release()
}

/** Over shards that are elsewhere, one is of the moment when they have answered. */
async function keepSnapshots({ engine, model, snapshots }: Databases): Promise<void> {
  const snapshot = engine.snapshot()
  snapshots.push([snapshot, model.snapshot()])
  await (snapshot as ShardSnapshot).ready
}

const anyName = (random: Random): string => definitions[random.below(definitions.length)]!.name

async function oneStatement(pair: Pair, kind: number): Promise<void> {
  const { random } = pair
  const name = anyName(random)
  // Row ids that a rollback took back are given again after a reopening, which the model knows nothing of either.
  if (pair.isTransaction === true && pair.reopens && pair.model.table(name)!.hiddenKey) return
  if (kind < 9) return compareWrites(pair, name, kind)
  if (kind < 11) return compareGets(pair, name)
  if (kind < 15) return compareScans(pair, name)
  return [compareAggregates, compareGroups, compareTop][random.below(3)]!(pair, name)
}

/** Statements within a transaction, seen there and not outside; some are taken back, and at the end perhaps all. */
async function transact(pair: Databases): Promise<void> {
  const { random } = pair
  const all = (catalog: EngineCatalog): readonly TableSchema[] => catalog.tables()
  const [engine, model] = [await pair.engine.begin(all), await pair.model.begin(all)]
  const inner: Pair = { engine, model, random, reopens: pair.reopens, isTransaction: true, snapshots: [] }
  try {
    for (let left = random.below(12); left > 0; left--) {
      const savepoints = random.below(3) === 0 ? [engine.savepoint(), model.savepoint()] as const : undefined
      await oneStatement(inner, random.below(17))
      if (savepoints !== undefined) await oneStatement(inner, random.below(17))
      if (savepoints !== undefined && random.below(2) === 0) [engine, model].forEach((each, i) => each.rollbackTo(savepoints[i]!))
      if (random.below(4) === 0) await compareScans(pair, anyName(random))
      if (random.below(8) === 0) await pair.engine.flush()
    }
    if (random.below(3) > 0) await Promise.all([engine.commit(), model.commit()])
  } finally {
    engine.rollback()
    model.rollback()
  }
  await compareScans(pair, anyName(random))
}

/** Columns come and go, tables are emptied; snapshots from before are read by the schema of before, which is not kept here. */
async function alter(pair: Databases, name: string): Promise<void> {
  const { random } = pair
  releaseAll(pair)
  const { columns } = pair.model.table(name)!
  const added = columns.map((column) => column.name).filter((each) => each.startsWith('added'))
  const to = `added${columns.length}`
  switch (random.below(6)) {
    case 0:
      return both(pair, name, async (engine) => (await engine.truncateTable(name)).columns)
    case 1:
      return both(pair, name, async (engine) => (await engine.alterTable(name, { kind: 'dropColumn', column: added[0] ?? 'none' })).columns)
    case 2:
      return both(pair, name, async (engine) => (await engine.alterTable(name, { kind: 'renameColumn', column: added[0] ?? 'none', to })).columns)
  }
  if (columns.length > 12) return
  const type = { kind: (['bigint', 'double', 'text'] as const)[random.below(3)]! }
  const missing = random.below(3) === 0 ? null : { bigint: [0, -7, 2n ** 62n], double: [0.25, Number.NaN, 1e300], text: ['', 'é€', 'x'.repeat(300)] }[type.kind][random.below(3)]!
  const column = { name: to, type, notNull: false, default: '1' }
  return both(pair, name, async (engine) => (await engine.alterTable(name, { kind: 'addColumn', column, missing })).columns)
}

async function reopen(pair: Databases, open: () => Promise<Engine>): Promise<void> {
  releaseAll(pair)
  await pair.engine.close()
  pair.engine = await open()
  for (const { name, columns } of pair.model.tables()) expect(pair.engine.table(name)?.columns).toEqual(columns)
}

function releaseAll(pair: Pair): void {
  for (const snapshots of pair.snapshots.splice(0)) for (const snapshot of snapshots) snapshot.release()
}

/** The same on both: equal results, or errors of equal code. */
async function both<T, Session extends EngineSession>(pair: { readonly engine: Session; readonly model: Session }, name: string, run: (engine: Session, table: TableSchema) => Promise<T>): Promise<void> {
  const [actual, expected] = await Promise.all([pair.engine, pair.model].map(async (engine) => {
    try {
      return { value: await run(engine, engine.table(name)!) }
    } catch (error) {
      return { code: (error as { code?: string }).code, message: (error as { code?: string }).code === undefined ? (error as Error).message : '' }
    }
  }))
  expect(actual).toEqual(expected)
}

async function compareWrites(pair: Pair, name: string, kind: number): Promise<void> {
  const { random } = pair
  const table = pair.model.table(name)!
  // Ids of deleted last rows are given again after a reopening, which the model knows nothing of.
  if (table.hiddenKey && pair.reopens && kind >= 4) return
  const rows = Array.from({ length: 1 + random.below(random.below(10) === 0 ? 200 : 8) }, () => randomRow(random, table))
  const keys = rows.map((row) => keyOf(table, row))
  const salt = random.below(1000)
  if (kind < 4) {
    const mode = (['insert', 'upsert', 'insert-or-ignore', 'upsert'] as const satisfies readonly WriteMode[])[kind]!
    const given = rows.map((row) => withoutHidden(table, row))
    return both(pair, name, (engine, of) => (salt % 2 === 0 ? engine.insert(of, given, mode) : engine.insertColumns(of, toColumns(given, given[0]!.length), mode)))
  }
  if (kind === 4) return both(pair, name, (engine, of) => engine.update(of, keys, (row) => (Number(row[other(table)]) % 3 === 0 ? 'delete' : changed(table, row, salt))))
  if (kind === 5) return both(pair, name, (engine, of) => engine.update(of, keys, () => 'delete'))
  if (kind === 6 && !table.hiddenKey) return both(pair, name, (engine, of) => engine.insertOrUpdate(of, rows, (existing) => (salt % 4 === 0 ? 'keep' : changed(table, existing, salt))))
  if (kind === 7 && !table.hiddenKey) {
    const operations = rows.map((row, i): WriteOperation => (i % 3 === 0 ? { delete: keyOf(table, row) } : { put: row }))
    return both(pair, name, (engine, of) => engine.write(of, operations))
  }
  if (kind === 8 && random.below(2) === 0) return compareFound(pair, name, salt)
  if (random.below(3) > 0) return
  const [lower, upper] = randomBounds(random, table)
  return both(pair, name, (engine, of) => engine.deleteRange(of, lower, upper))
}

/** Changes and deletions of rows that are found first. */
async function compareFound(pair: Pair, name: string, salt: number): Promise<void> {
  const table = pair.model.table(name)!
  const { lower, upper, predicate, conditions } = randomScan(pair.random, table)
  const where = { ...(lower && { lower }), ...(upper && { upper }), predicate, ...(conditions && { conditions }) }
  if (salt % 5 === 0) return both(pair, name, (engine, of) => engine.deleteWhere(of, where))
  return both(pair, name, (engine, of) => engine.updateWhere(of, where, (row) => (salt % 3 === 0 ? 'delete' : salt % 7 === 0 ? 'keep' : changed(table, row, salt))))
}

async function compareGets(pair: Pair, name: string): Promise<void> {
  const { random } = pair
  const snapshots = random.below(2) === 0 ? undefined : pair.snapshots[random.below(4)]
  const columns = randomColumns(random, pair.model.table(name)!)
  for (let i = 0; i < 5; i++) {
    const key = keyOf(pair.model.table(name)!, randomRow(random, pair.model.table(name)!))
    await both(pair, name, async (engine, table) => engine.get(snapshots?.[engine === pair.engine ? 0 : 1], table, key, columns))
  }
}

async function compareScans(pair: Pair, name: string): Promise<void> {
  const scan = randomScan(pair.random, pair.model.table(name)!)
  const order = (rows: EngineRow[]): EngineRow[] => (scan.ordered ? rows : rows.toSorted((a, b) => (JSON.stringify(a, bigintText) < JSON.stringify(b, bigintText) ? -1 : 1)))
  const { limit, ...unlimited } = scan
  await withSnapshots(pair, (snapshotOf) =>
    both(pair, name, async (engine, table) => {
      const rows: EngineRow[] = []
      for await (const page of engine.scan(snapshotOf(engine), { ...(scan.ordered ? scan : unlimited), table })) rows.push(...page)
      return { limit: limit ?? 'none', rows: order(rows) }
    }))
}

async function compareAggregates(pair: Pair, name: string): Promise<void> {
  const { ordered, limit: _, ...scan } = randomScan(pair.random, pair.model.table(name)!)
  const aggregates = pair.model.table(name)!.columns.flatMap((column, ordinal): EngineAggregate[] => [
    { function: 'count', ordinal },
    { function: 'min', ordinal },
    { function: 'max', ordinal },
    ...(column.type.kind === 'bigint' || column.type.kind === 'double' ? [{ function: 'sum' as const, ordinal }] : []),
  ])
  await withSnapshots(pair, (snapshotOf) => both(pair, name, (engine, table) => engine.aggregate(snapshotOf(engine), { ...scan, ordered, table }, [{ function: 'count' }, ...aggregates])))
}

async function compareGroups(pair: Pair, name: string): Promise<void> {
  const { random } = pair
  const table = pair.model.table(name)!
  const { limit: _, ...scan } = randomScan(random, table)
  const groupBy = Array.from({ length: random.below(4) }, () => random.below(table.columns.length))
  const aggregates = table.columns.flatMap((column, ordinal): EngineGroupedAggregate[] => [
    { function: 'count', ordinal }, { function: 'count', ordinal, distinct: true }, { function: 'min', ordinal }, { function: 'max', ordinal },
    ...(column.type.kind === 'bigint' || column.type.kind === 'double' ? [{ function: 'sum', ordinal } as const, { function: 'sum', ordinal, distinct: true } as const] : []),
  ])
  const wanted = [{ function: 'count' as const }, ...aggregates].filter(() => random.below(2) === 0)
  const nameOf = (row: EngineRow): string => JSON.stringify(row, bigintText)
  const groups = wantedGroupsOf(groupBy, wanted)
  await withSnapshots(pair, (snapshotOf) => both(pair, name, async (engine, of) => {
    const rows: EngineRow[] = []
    for await (const batch of engine.groupedAggregate(snapshotOf(engine), { ...scan, table: of }, groupBy, wanted, undefined, groups)) rows.push(...batch)
    return { groupBy, wanted, groups, rows: groups.first === undefined ? rows.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : rows }
  }))
}

/** Undefined for some. The keys come last, so that the order is total. Of a chance of its own, so that histories stay what they were. */
function wantedGroupsOf(groupBy: readonly number[], wanted: readonly EngineGroupedAggregate[]): WantedGroups {
  const random = seededRandom(groupBy.reduce((sum, ordinal) => 7 * sum + ordinal, wanted.length))
  const indexes = [...(wanted.length === 0 ? [] : [groupBy.length + random.below(wanted.length)]), ...groupBy.keys()]
  if (indexes.length === 0) return {}
  const first = random.below(3) === 0 ? undefined : { order: indexes.map((value) => ({ value, descending: random.below(2) === 0, nullsFirst: random.below(2) === 0 })), limit: random.below(12) }
  const anything = (row: EngineRow): number => JSON.stringify(indexes.map((index) => row[index]), bigintText).length % 2
  const comparison = (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)[random.below(6)]!
  const compared = comparingGroups(indexes[0]!, comparison, random.below(40) - 10, random.below(2) === 0 ? undefined : { columns: indexes, of: anything })
  const having = [undefined, { columns: indexes, comparisons: [], isWhole: false, of: anything }, compared][random.below(3)]
  return { ...(first && { first }), ...(having && { having }) }
}

/** The key's columns come last, so that the order is total. */
async function compareTop(pair: Pair, name: string): Promise<void> {
  const { random } = pair
  const table = pair.model.table(name)!
  const { limit: _, ...scan } = randomScan(random, table)
  const ordinals = [...Array.from({ length: 1 + random.below(2) }, () => random.below(table.columns.length)), ...table.primaryKey]
  const order = ordinals.map((ordinal): EngineOrder => ({ ordinal, descending: random.below(2) === 0, nullsFirst: random.below(2) === 0 }))
  const wanted = random.below(random.below(4) === 0 ? 400 : 12)
  await withSnapshots(pair, (snapshotOf) => both(pair, name, (engine, of) => engine.topRows(snapshotOf(engine), { ...scan, table: of }, order, wanted)))
}

async function withSnapshots(pair: Pair, run: (snapshotOf: (engine: EngineSession) => EngineSnapshot) => Promise<void>): Promise<void> {
  const kept = pair.random.below(2) === 0 ? undefined : pair.snapshots[pair.random.below(4)]
  const [actual, expected] = kept ?? [pair.engine.snapshot(), pair.model.snapshot()]
  try {
    await run((engine) => (engine === pair.engine ? actual : expected))
  } finally {
    if (kept === undefined) for (const snapshot of [actual, expected]) snapshot.release()
  }
}

function randomOrder(random: Random): Pick<EngineScan, 'ordered' | 'reverse'> {
  const ordered = ([true, true, 'few', false] as const)[random.below(4)]!
  return { ordered, reverse: random.below(2) === 0 && ordered !== 'few' }
}

function randomScan(random: Random, table: TableSchema): EngineScan {
  const [lower, upper] = randomBounds(random, table)
  const ordinal = random.below(table.columns.length)
  const comparison = (['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'isNull', 'isNotNull'] as const)[random.below(8)]!
  const predicate = random.below(2) === 0 ? [] : [{ ordinal, comparison, value: randomValue(random, table, ordinal) }]
  return { table, ...(lower && { lower }), ...(upper && { upper }), ...randomOrder(random), columns: randomColumns(random, table), predicate, ...(random.below(3) === 0 && { conditions: [randomExpression(random, table, 'boolean', false)] }), ...(random.below(3) === 0 && { limit: random.below(20) }) }
}

function randomBounds(random: Random, table: TableSchema): [KeyBound | undefined, KeyBound | undefined] {
  const one = (): KeyBound | undefined => {
    if (random.below(2) === 0) return undefined
    const key = keyOf(table, randomRow(random, table))
    return { values: key.slice(0, 1 + random.below(key.length)), inclusive: random.below(2) === 0 }
  }
  return [one(), one()]
}

const randomColumns = (random: Random, table: TableSchema): number[] => table.columns.map((_, ordinal) => ordinal).filter(() => random.below(3) > 0)
const keyOf = (table: TableSchema, row: EngineRow): EngineRow => table.primaryKey.map((ordinal) => row[ordinal]!)
const withoutHidden = (table: TableSchema, row: EngineRow): EngineRow => (table.hiddenKey ? row.slice(1) : row)
const other = (table: TableSchema): number => table.columns.findIndex((column, ordinal) => !table.primaryKey.includes(ordinal) && column.type.kind === 'bigint')
const changed = (table: TableSchema, row: EngineRow, salt: number): EngineRow => row.with(other(table), salt)
const bigintText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : Number.isNaN(value) ? 'NaN' : value)

function randomRow(random: Random, table: TableSchema): EngineRow {
  return table.columns.map((_, ordinal) => {
    const value = randomValue(random, table, ordinal)
    return !table.primaryKey.includes(ordinal) && random.below(5) === 0 ? null : value
  })
}

function randomValue(random: Random, table: TableSchema, ordinal: number): EngineValue {
  const { kind } = table.columns[ordinal]!.type
  const spread = random.below(10) === 0 ? 100_000 : 60
  if (kind === 'text') return random.below(12) === 0 ? `é€${'x'.repeat(random.below(300))}` : `key ${random.below(spread)}`
  // Doubles are multiples of a quarter, so that sums are exact in any order.
  if (kind === 'double') return random.below(spread) / 4 - 5
  if (table.hiddenKey && ordinal === 0) return 1 + random.below(spread)
  return random.below(15) === 0 ? (BigInt(random.below(60)) - 8n) * 2n ** 55n || 0 : random.below(spread) - 10
}
