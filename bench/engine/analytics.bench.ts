/**
 * Analytic reads through the engine over a compacted table that is in the cache, beside plain loops over the same columns as
 * typed arrays in memory (texts as dictionary codes, which a program that had them so would do): aggregates from zone maps
 * and scanned, a filter that leaves one row of a hundred, groups by a text of 50 and by a skewed integer of 100,000.
 * `LSMT_BENCH_DIR` keeps the loaded table between runs; `LSMT_BENCH_ROW_GROUP_KIB` sets the size of row groups.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, EngineGroupedAggregate, EnginePredicateTerm, EngineRow } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import { makeSales, regionNames, saleAt, userCount } from '../sql/sales.ts'
import type { Sales } from '../sql/sales.ts'
import { measureContestants, type BenchOptions, type Contestant, type Measurement } from '../harness.ts'

const user = 2, region = 3, amount = 4
const rowsPerInsert = 5_000

export async function* measure(options: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const columns = makeSales(options.smoke ? 20_000 : 5_000_000)
  const rounds = options.smoke ? 1 : 15
  const opened = await openLoaded(columns)
  const { engine, table } = opened
  try {
    for (const query of queries(engine, table, columns)) {
      for (const contestant of query.contestants) await contestant.run()
      yield await measureContestants(`engine/analytics/${query.name}`, query.contestants, rounds)
    }
  } finally {
    await opened.close()
  }
}

async function openLoaded(columns: Sales): Promise<{ readonly engine: Engine; readonly table: TableSchema; close(): Promise<void> }> {
  const kept = process.env['LSMT_BENCH_DIR']
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'lsmt-bench-'))
  const isLoaded = kept !== undefined && existsSync(kept)
  const rowGroupBytes = Number(process.env['LSMT_BENCH_ROW_GROUP_KIB'] ?? defaultDatabaseSettings.tree.rowGroupBytes / 1024) * 1024
  const storage = await openLocalStorage(directory)
  const engine = await openEngine({ storage, settings: { ...defaultDatabaseSettings, durability: 'interval', workers: 0, tree: { ...defaultDatabaseSettings.tree, rowGroupBytes } }, clock: systemClock, random: seededRandom(1) })
  const table = isLoaded ? engine.table('sales')! : await load(engine, columns)
  return {
    engine, table,
    async close() {
      await engine.close()
      await storage.close()
      if (kept === undefined) rmSync(directory, { recursive: true })
    },
  }
}

async function load(engine: Engine, columns: Sales): Promise<TableSchema> {
  const column = (name: string, kind: 'bigint' | 'text' | 'double') => ({ name, type: { kind }, notNull: true })
  const table = await engine.createTable({
    name: 'sales', primaryKey: [0], onInsert: 'upsert',
    columns: [column('id', 'bigint'), column('ts', 'bigint'), column('user_id', 'bigint'), column('region', 'text'), column('amount', 'double'), column('status', 'text')],
  })
  for (let from = 0; from < columns.count; from += rowsPerInsert) {
    const rows = Array.from({ length: Math.min(rowsPerInsert, columns.count - from) }, (_, i): EngineRow => {
      const { id, ts, user_id, region: name, amount: price, status } = saleAt(columns, from + i)
      return [id, ts, user_id, name, price, status]
    })
    await engine.insert(table, rows, 'upsert')
  }
  await engine.compact()
  return table
}

interface Query {
  readonly name: string
  readonly contestants: readonly Contestant[]
}

const summary: readonly EngineGroupedAggregate[] = [{ function: 'count' }, { function: 'sum', ordinal: amount }, { function: 'min', ordinal: amount }, { function: 'max', ordinal: amount }]
const countAndSum: readonly EngineGroupedAggregate[] = [{ function: 'count' }, { function: 'sum', ordinal: amount }]
/** Lies among the amounts and is none, so that zone maps cannot tell. */
const noAmount = 500.005

function queries(engine: Engine, table: TableSchema, columns: Sales): readonly Query[] {
  const { count } = columns
  const contestant = (name: string, run: () => readonly EngineRow[] | Promise<readonly EngineRow[]>): Contestant => ({
    name,
    async run() {
      const start = performance.now()
      const rows = await run()
      const elapsedMs = performance.now() - start
      return { elapsedMs, operations: count, answer: answerOf(rows) }
    },
  })
  const aggregate = (predicate: readonly EnginePredicateTerm[]): Contestant => contestant('lsmt', () => within(engine, async (snapshot) => [await engine.aggregate(snapshot, { table, ordered: false, columns: [], predicate }, summary)]))
  const grouped = (groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[]): Contestant =>
    contestant('lsmt', () => within(engine, async (snapshot) => {
      const rows: EngineRow[] = []
      for await (const batch of engine.groupedAggregate(snapshot, { table, ordered: false, columns: [], predicate: [] }, groupBy, aggregates)) rows.push(...batch)
      return rows
    }))
  const arrays = (run: () => readonly EngineRow[]): Contestant => contestant('typed arrays', run)
  return [
    { name: 'summary from zone maps', contestants: [aggregate([]), arrays(() => summarize(columns, () => true))] },
    { name: 'summary scanned', contestants: [aggregate([{ ordinal: amount, comparison: 'ne', value: noAmount }]), arrays(() => summarize(columns, (value) => value !== noAmount))] },
    { name: 'summary of 1 %', contestants: [aggregate([{ ordinal: amount, comparison: 'ge', value: 990 }]), arrays(() => summarize(columns, (value) => value >= 990))] },
    { name: 'group by 50 texts', contestants: [grouped([region], countAndSum), arrays(() => groupByCode(columns.regions, columns.amounts, regionNames.length, (code) => regionNames[code]!))] },
    { name: 'group by 100,000 integers', contestants: [grouped([user], countAndSum), arrays(() => groupByCode(columns.users, columns.amounts, userCount, (code) => code))] },
    { name: 'count distinct of 100,000', contestants: [grouped([], [{ function: 'count', ordinal: user, distinct: true }]), arrays(() => [[new Set(columns.users).size]])] },
  ]
}

async function within<T>(engine: Engine, run: (snapshot: ReturnType<Engine['snapshot']>) => Promise<T>): Promise<T> {
  const snapshot = engine.snapshot()
  try {
    return await run(snapshot)
  } finally {
    snapshot.release()
  }
}

function summarize({ amounts, count }: Sales, matches: (value: number) => boolean): readonly EngineRow[] {
  let rows = 0, sum = 0, min = Infinity, max = -Infinity
  for (let i = 0; i < count; i++) {
    const value = amounts[i]!
    if (!matches(value)) continue
    rows++
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  }
  return [[rows, sum, min, max]]
}

function groupByCode(codes: Int32Array | Uint8Array, amounts: Float64Array, groups: number, key: (code: number) => string | number): readonly EngineRow[] {
  const counts = new Float64Array(groups), sums = new Float64Array(groups)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    counts[code]! += 1
    sums[code]! += amounts[i]!
  }
  const rows: EngineRow[] = []
  for (let code = 0; code < groups; code++) if (counts[code]! > 0) rows.push([key(code), counts[code]!, sums[code]!])
  return rows
}

/** Sums of doubles differ in their last bits by the order of adding; these have two decimals. */
function answerOf(rows: readonly EngineRow[]): string {
  const text = (row: EngineRow): string => row.map((value) => (typeof value === 'number' ? value.toFixed(2) : String(value))).join()
  return rows.map(text).toSorted().join('\n')
}
