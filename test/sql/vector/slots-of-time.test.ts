/** Groups of slots of time, whose rows come in the order of time, or nearly: what a map makes of the rows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'

interface Row {
  readonly id: number
  /** Milliseconds. */
  readonly ts: number
  readonly region: string
  readonly amount: number
}

const MiB = 1024 * 1024
const rowCount = 30_000
const random = seededRandom(41)
const rows: readonly Row[] = Array.from({ length: rowCount }, (_, id) => ({ id, ts: 1_700_000_000_000 + id * 70 + random.below(200), region: `region ${random.below(4)}`, amount: random.below(1000) }))
const micros = (ts: number): string => `'${new Date(ts).toISOString().replace('T', ' ').replace('Z', '')}'`

interface Case {
  readonly name: string
  readonly key: string
  readonly where?: string
  slot(row: Row): string | number
  keeps?(row: Row): boolean
}

const truncated = (ts: number, length: number): string => new Date(Math.floor(ts / length) * length).toISOString().replace('.000Z', 'Z')

const cases: readonly Case[] = [
  { name: 'multiples, which lie far apart', key: 'ts - ts % 150000', slot: ({ ts }) => ts - (ts % 150_000) },
  { name: 'quotients, which lie close together', key: 'ts / 60000', slot: ({ ts }) => Math.floor(ts / 60_000) },
  { name: 'that fall', key: '(1800000000000 - ts) / 90000', slot: ({ ts }) => Math.floor((1_800_000_000_000 - ts) / 90_000) },
  { name: 'by date_trunc', key: "date_trunc('minute', at)", slot: ({ ts }) => truncated(ts, 60_000) },
  { name: 'of some rows in each', key: 'ts - ts % 150000', where: 'amount < 500', slot: ({ ts }) => ts - (ts % 150_000), keeps: ({ amount }) => amount < 500 },
  { name: 'of few rows, so that some slots have none', key: 'ts / 60000', where: 'amount = 7', slot: ({ ts }) => Math.floor(ts / 60_000), keeps: ({ amount }) => amount === 7 },
  { name: 'that all rows are in', key: 'ts / 1000000000000', slot: () => 1 },
  { name: 'and another column', key: "ts - ts % 300000 || ' ' || region", slot: ({ ts, region }) => `${ts - (ts % 300_000)} ${region}` },
]

describe.each(['wasm', 'js'] as const)('slots of time (%s)', (kernels) => {
  let engine: Engine

  beforeAll(async () => {
    engine = await openTestEngine(createMemoryStorage(), { kernels, shards: 2, tree: { memtableBytesMax: 4 * MiB, rowGroupBytes: MiB / 4, tableFileBytes: 4 * MiB } })
    const sql = createSql(engine)
    await sql.query('CREATE TABLE sales (id BIGINT PRIMARY KEY, ts BIGINT NOT NULL, at TIMESTAMP NOT NULL, region TEXT NOT NULL, amount INT NOT NULL)')
    for (let from = 0; from < rowCount; from += 5000) {
      await sql.query(`INSERT INTO sales VALUES ${rows.slice(from, from + 5000).map(({ id, ts, region, amount }) => `(${id}, ${ts}, ${micros(ts)}, '${region}', ${amount})`).join(', ')}`)
    }
    await engine.flush()
    await engine.compact()
  })
  afterAll(() => engine.close())

  test.each(cases)('$name', async ({ key, where, slot, keeps }) => {
    const expected = new Map<string, { count: number; total: number; least: string }>()
    for (const row of rows.filter((each) => keeps?.(each) ?? true)) {
      const group = expected.get(String(slot(row))) ?? { count: 0, total: 0, least: row.region }
      expected.set(String(slot(row)), { count: group.count + 1, total: group.total + row.amount, least: row.region < group.least ? row.region : group.least })
    }
    const [result] = await createSql(engine).query(`SELECT ${key} AS slot, COUNT(*), SUM(amount), MIN(region) FROM sales ${where === undefined ? '' : `WHERE ${where}`} GROUP BY ${key}`)
    const found = result?.kind === 'rows' ? result.rows.map(([name, count, total, least]) => [String(name), { count: Number(count), total: Number(total), least }] as const) : []
    expect(new Map(found)).toEqual(expected)
    expect(found).toHaveLength(expected.size)
  })

  test('as the first of two keys', async () => {
    const [result] = await createSql(engine).query('SELECT ts / 100000, region, COUNT(*) FROM sales GROUP BY ts / 100000, region')
    const counts = new Map<string, number>()
    for (const { ts, region } of rows) counts.set(`${Math.floor(ts / 100_000)} ${region}`, (counts.get(`${Math.floor(ts / 100_000)} ${region}`) ?? 0) + 1)
    expect(new Map(result?.kind === 'rows' ? result.rows.map(([slot, region, count]) => [`${String(slot)} ${String(region)}`, Number(count)]) : [])).toEqual(counts)
  })
})
