/** INSERT of many tuples by the kernels' way, and by rows on an engine that takes no texts: the same rows, the same errors with the same positions. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { LsmtError } from '../../src/errors.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import type { KernelKind } from '../../src/settings.ts'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { fullTests, kinds } from '../kernel/both-kinds.ts'

const columns = `i INT DEFAULT 7, s SMALLINT, b BIGINT NOT NULL DEFAULT 9007199254740993, n NUMERIC(9, 2), wide NUMERIC(18, 0) DEFAULT -5, d DOUBLE PRECISION DEFAULT 0.5, r REAL,
  t TEXT DEFAULT 'it''s', v VARCHAR(3), f BOOLEAN, at TIMESTAMP, day DATE, x BYTEA`
const tables: Readonly<Record<string, string>> = {
  plain: `CREATE TABLE plain (k BIGINT PRIMARY KEY, ${columns}) WITH (insert = 'upsert')`,
  strict: `CREATE TABLE strict (k TEXT, ${columns}, PRIMARY KEY (k))`,
  pairs: `CREATE TABLE pairs (k TEXT, ${columns}, PRIMARY KEY (d, k, i))`,
  heap: `CREATE TABLE heap (k TEXT, ${columns})`,
}

function openOne(kernels: KernelKind): Promise<Engine> {
  const settings = { ...defaultDatabaseSettings, shards: 3, kernels, workers: 0, kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, tree: { ...defaultDatabaseSettings.tree, memtableBytesMax: 65_536 } }
  return openEngine({ storage: createMemoryStorage(), settings, clock: systemClock, random: seededRandom(1) })
}

/** The engine with another way of taking texts. */
function withTexts(engine: Engine, insertText: Engine['insertText']): Engine {
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(engine), insertText: { value: insertText } }) as Engine
}

type Answer = { readonly rowCount: number } | { readonly code: string; readonly message: string; readonly position: unknown }

async function answer(sql: Sql, text: string): Promise<Answer> {
  try {
    return { rowCount: (await sql.query(text)).at(-1)!.rowCount }
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    return { code: error.code, message: error.message, position: error.evidence.position }
  }
}

/** What is wrong, or only unusual, about a last tuple. */
const refused: readonly (readonly [string, string])[] = [
  ['a null in NOT NULL', "('d', 1, 1, NULL)"], ['too long', "('d', 1, 1, 1, 1, 1, 1, 1, 'x', 'éééé')"], ['out of range', "('d', 2147483648, 1, 1)"], ['beyond the type', "('d', 1, 1, 9223372036854775808)"],
  ['numeric out of range', "('d', 1, 1, 1, 99999999.995)"], ['a text for a number', "('d', 'one', 1, 1)"], ['a number for a text', '(1, 1, 1, 1)'], ['infinity', "('d', 1, 1, 1, 1, 1, 1e999)"],
  ['no such day', "('d', 1, 1, 1, 1, 1, 1, 1, 'x', 'a', true, '2023-02-29')"], ['an expression', "('d', 1 + 1, 1, 1)"], ['a parameter', "('d', $1, 1, 1)"], ['odd hex', "('d', 1, 1, 1, 1, 1, 1, 1, 'x', 'a', true, NULL, NULL, x'0')"],
  ['an open text', "('d', 1, 1, 'x)"], ['an open comment', "('d', 1, 1, 1) /*"], ['another width', "('d', 1, 1)"], ['letters after a number', "('d', 1x, 1, 1)"], ['a key twice', "('a', 1, 1, 1)"], ['nothing', '('], ['a semicolon', "('d', 1, 1, 1); SELECT 1 FROM nowhere"],
  ['an escaped text', "(E'd\\n', 1, 1, 1)"], ['a dollar quote', "($$d$$, 1, 1, 1)"], ['a quoted number', "('d', '12', ' 3 ', '4')"], ['a real out of range', "('d', 1, 1, 1, 1, 1, 1, 1e39)"], ['bad escape', "('d', 1, 1, 1, 1, 1, 1, 1, 'x', 'a', true, NULL, NULL, '\\q')"],
  ['a rare timestamp', "('d', 1, 1, 1, 1, 1, 1, 1, 'x', 'a', true, ' 2024-1-1 1:00:00.1234567 +00 ', '2024-1-2')"], ['a rare blank', "('d',\u00a01, 1, 1)"],
]

// Of a text that is longer than shapes may be it is supposed that its end is tuples, until the kernel tells.
const ways = kinds.flatMap((kind) => [['known', kind, defaultSqlSettings], ['supposed', kind, { ...defaultSqlSettings, shapeCharactersMax: 0 }]] as const)

describe.each(ways)('VALUES as text, %s, %s kernels', (_, kind, settings) => {
  let engines: readonly Engine[]
  let counts: { taken: number; left: number }
  let sql: Sql
  let byRows: Sql
  beforeEach(async () => {
    const [engine, reference] = (engines = [await openOne(kind), await openOne(kind)]) as [Engine, Engine]
    counts = { taken: 0, left: 0 }
    sql = createSql(withTexts(engine, async (...args) => {
      const count = await engine.insertText(...args)
      counts[count === undefined ? 'left' : 'taken']++
      return count
    }), settings)
    byRows = createSql(withTexts(reference, async () => undefined))
    for (const each of [sql, byRows]) for (const create of Object.values(tables)) await each.query(create)
  })
  afterEach(async () => {
    for (const engine of engines) await engine.close()
  })

  async function same(text: string): Promise<Answer> {
    const [actual, expected] = [await answer(sql, text), await answer(byRows, text)]
    expect(actual, text.slice(0, 2000)).toEqual(expected)
    return actual
  }

  async function sameRows(table: string): Promise<void> {
    const [actual, expected] = await Promise.all([sql, byRows].map(async (each) => (await each.query(`SELECT * FROM ${table}`))[0]!.rows))
    const text = (rows: typeof actual): string[] => rows!.map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value)))
    if (table === 'heap') expect(text(actual)).toEqual(text(expected))
    else expect(text(actual).toSorted()).toEqual(text(expected).toSorted())
  }

  test('literals of every type are taken', async () => {
    const values = `(1, 2147483647, -32768, 9223372036854775807, 1234567.895, 999999999999999999, 0.1, 3.4e3, 'C:\\new ''é€🎉''', 'é€🎉', TRUE, '2024-02-29 23:59:59.123456', '2024-02-29', x'00fF'),
      (2, NULL, 0.5, -9223372036854775808, -0.005, -1.5, 1e22, -0.0, '', 'abc', false, '1969-12-31T23:59:59.999999Z', DATE '0001-01-01', '\\xDEad'), -- a comment
      (3, DEFAULT, 1.49, DEFAULT, .5, DEFAULT, DEFAULT, 16777217, DEFAULT, NULL, NULL, TIMESTAMP '9999-12-31 00:00:00-15:59', NULL, 'no backslash'),
      /* another /* nested */ one */ (4, -0, -0, 0000000000000000000000000123, 5., 12345678901234567, 0.30000000000000004, 1e-3, 'x', NULL, NULL, '2024-01-01', NULL, ''),
      (5, 1, 1, 1, 1, 1, -0, 1, 'x', 'a', true, '2024-01-01 05:06+0530', '2000-02-29', NULL)`
    expect(await same(`INSERT INTO plain VALUES ${values}`)).toEqual({ rowCount: 5 })
    expect(counts).toEqual({ taken: 1, left: 0 })
    await sameRows('plain')
    await same("INSERT INTO heap (t, d, b, k) VALUES ('a', 1.5, 1, DEFAULT), ('b', 17.123456789012345678, 2, 'k'), ('c', 1e300, 3, 'k'), (DEFAULT, 5e-324, DEFAULT, 'k')")
    expect(counts).toEqual({ taken: 2, left: 0 })
    await sameRows('heap')
  })

  test('what is not taken has the same answer', async () => {
    for (const [, tuple] of refused) await compareRefused(tuple)
  })

  async function compareRefused(tuple: string): Promise<void> {
    const width = tuple.split(',').length
    const good = (k: string): string => `(${[`'${k}'`, '1', '1', '1', '1', '1', '1', '1', "'x'", "'é'", 'true', 'NULL', 'NULL', 'NULL'].slice(0, Math.max(width, 4)).join(', ')})`
    await same(`INSERT INTO strict VALUES ${good('z')}, ${good('y')}, ${good('x')}, ${good('w')}, ${good('v')}`)
    for (const others of [[good('a'), good('b'), good('c')], [good('a'), good('b'), good('c'), good('z')]]) {
      await same(`INSERT INTO strict VALUES ${[...others, tuple].join(', ')}`)
      await same(`INSERT INTO strict VALUES ${[others[0], tuple, ...others.slice(1)].join(', ')}`)
    }
    await sameRows('strict')
    await same('TRUNCATE strict')
  }

  test('long texts go in chunks, whole or not at all', async () => {
    const rows = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => `('key ${from + i}', ${i}, 'it''s ${'é'.repeat(i % 50)}')`)
    expect(await same(`INSERT INTO strict (k, b, t) VALUES ${rows(0, 2500).join(', ')}`)).toEqual({ rowCount: 2500 })
    expect(counts).toEqual({ taken: 1, left: 0 })
    expect(await same(`INSERT INTO strict (k, b, t) VALUES ${[...rows(10_000, 2500), ...rows(2499, 1)].join(',')}`)).toMatchObject({ code: '23505' })
    expect(await same(`INSERT INTO strict (k, b, t) VALUES ${[...rows(10_000, 2500), "('x', 1, E'')", "('y', NULL, '')"].join(',')}`)).toMatchObject({ code: '23502' })
    await same(`INSERT INTO heap (k, b, t) VALUES ${[...rows(0, 1500), `('long', 1, '${'x'.repeat(300_000)}')`].join(',')}`)
    await same(`INSERT INTO heap (k, b, t) VALUES ${rows(0, 1500).join(',')}`)
    await sameRows('strict')
    await sameRows('heap')
  })

  test('transactions see their own texts', async () => {
    const five = (from: number): string => Array.from({ length: 5 }, (_, i) => `('k${from + i}', ${i})`).join(', ')
    expect(await same(`BEGIN; INSERT INTO strict (k, b) VALUES ${five(0)}; INSERT INTO heap (k, b) VALUES ${five(0)}; DELETE FROM strict WHERE k = 'k3'; INSERT INTO strict (k, b) VALUES ('k3', 9), ('x', 1), ('y', 2), ('z', 3); COMMIT`)).toHaveProperty('rowCount')
    expect(await same(`BEGIN; INSERT INTO strict (k, b) VALUES ${five(10)}; INSERT INTO strict (k, b) VALUES ${five(14)}; COMMIT`)).toMatchObject({ code: '23505' })
    expect(counts).toEqual({ taken: 0, left: 0 })
    await sameRows('strict')
    await sameRows('heap')
  })

  test('values after the tuples are their own', async () => {
    await same("INSERT INTO strict (k, b) VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4)")
    await same("INSERT INTO strict (k, b) VALUES ('a', 10), ('b', 20), ('e', 30), ('f', 40) ON CONFLICT (k) DO UPDATE SET b = 500, t = 'changed'")
    await sameRows('strict')
    expect((await sql.query("INSERT INTO strict (k, b) VALUES ('g', 1), ('h', 2), ('i', 3), ('j', 4) RETURNING k, b"))[0]!.rows).toEqual([['g', 1], ['h', 2], ['i', 3], ['j', 4]])
    await sql.query('INSERT INTO strict (k, b) VALUES ($1, $2), ($3, 2), ($4, $2), ($5, $2) ON CONFLICT (k) DO UPDATE SET b = $6', ['g', 7, 'k', 'l', 'm', 8])
    expect((await sql.query("SELECT k, b FROM strict WHERE k >= 'g' ORDER BY k"))[0]!.rows).toEqual([['g', 8], ['h', 2], ['i', 3], ['j', 4], ['k', 2], ['l', 7], ['m', 7]])
  })

  test('random and malformed texts', async () => {
    for (let seed = 1; seed <= (fullTests ? 3000 : 100); seed++) {
      const random = seededRandom(seed)
      const table = Object.keys(tables)[random.below(4)]!
      await same(randomInsert(random, table))
    }
    for (const table of Object.keys(tables)) await sameRows(table)
    expect(counts.taken).toBeGreaterThan(10)
    expect(counts.left).toBeGreaterThan(5)
  })
})

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!

/** Texts of literals by column that are taken, and rarer ones that are not, or are errors. */
const literals: Readonly<Record<string, readonly string[]>> = {
  k: ["'a'", "'b''c'", "'é\u{1f389}'", "''"],
  i: ['0', '-2147483648', '1.5', '-2.5', 'NULL', 'DEFAULT', '007'],
  s: ['1', '-1', '32767', '0.4', 'NULL'],
  b: ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0', '1', 'DEFAULT', '12345678901234567.5'],
  n: ['1.005', '-1.005', '9999999.99', '0.004', 'NULL', '.1'],
  wide: ['999999999999999999', '-0.5', 'DEFAULT'],
  d: ['0.1', '1e22', '1e23', '123456789.123456789', '0.8444218515250481', '17976931348623157e292', '5e-324', '-0', '-0.0', '9007199254740993', 'DEFAULT', '0.00000000000000000000000000001'],
  r: ['0.1', '16777217', '3.4028235e38', '1e-46', 'NULL', '0.30000000000000004'],
  t: ["'text'", "'it''s'", "''", 'NULL', 'DEFAULT', "'\\'", "'--'", "'/*'", "'),('"],
  v: ["'abc'", "'é€'", "'\u{1f389}\u{1f389}\u{1f389}'", 'NULL', "''"],
  f: ['true', 'FALSE', 'null'],
  at: ["'2024-01-01'", "'2024-12-31 23:59:59.5'", "TIMESTAMP '2024-06-01T12:00Z'", "'2024-06-01 12:00:00+02'", 'NULL', "DATE'2024-01-01'"],
  day: ["'2024-01-01'", "'1900-02-28'", "date '2000-02-29'", 'NULL'],
  x: ["x'00ff'", "'\\x0102'", "'plain'", 'NULL', "X''"],
}
const unusual: Readonly<Record<string, readonly string[]>> = {
  k: ["'a\u0000b'", 'NULL'], i: ['1.4999999999999999999', '2e3', '2147483648'], s: ['32768', "'1'"], b: ['9223372036854775808', 'NULL'], n: ['1e-2', '10000000'], wide: ['1e17', '123456789012345678.49'], d: ["'0.5'", 'true'],
  r: ['1e39'], t: ['1', "E'a'"], v: ["'abcd'"], f: ["'yes'", "'t'", '1'], at: ["'2024-06-01 12:00:00.123456789'", "'24:00'"], day: ["'2024-1-1'", "'2024-01-01 10:00'", "'2023-02-29'"], x: ["'\\\\'", "x'0'"],
}
const odd = ['$1', "E'\\n'", '$$x$$', '1 + 1', "'open", '1e', '(', ')', ';', ',', '""', 'true false', '1..2', "x'0g'", '-', '- 5', '+5', '--', '/*', '1e999', '99999999999999999999', "'a' 'b'", 'nul', '\u00a0', '1,', "n'x'"]

function randomInsert(random: Random, table: string): string {
  const names = Object.keys(literals).filter((name) => name === 'k' || (table === 'pairs' && (name === 'd' || name === 'i')) || random.below(3) > 0)
  const badAt = random.below(3) > 0 ? -1 : random.below(60)
  let cell = 0
  const blank = (): string => pick(random, ['', '', ' ', ' ', '\n', '\t', ' /* x */ ', ' -- y\n'])
  const tuple = (): string => `(${names.map((name) => {
    const good = name === 'k' && table === 'plain' ? String(random.below(50)) : name === 'k' && table === 'strict' && random.below(4) > 0 ? `'k${random.below(100_000)}'` : pick(random, (random.below(400) === 0 ? unusual : literals)[name]!)
    return `${blank()}${cell++ === badAt ? pick(random, odd) : good}${blank()}`
  }).join(',')})`
  const count = 1 + random.below(12)
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES ${Array.from({ length: count }, tuple).join(`${blank()},${blank()}`)}${random.below(3) > 0 ? '' : pick(random, [';', ' -- end', ' RETURNING k', ' ON CONFLICT DO NOTHING', ',', ' x'])}`
}
