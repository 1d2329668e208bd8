/**
 * Conditions against a reference that knows nothing of plans, bounds or types: rows filtered one by one, numbers
 * compared as exact fractions. Over every engine, with literals and with parameters.
 */
import { describe, expect, test } from 'vitest'
import type { UserValue } from '../../src/engine/user-value.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { createSql } from '../../src/sql/sql.ts'
import { lastingEngines, testEngines } from './test-engines.ts'

const columns = ['a', 'b', 'c', 'd', 'e'] as const
type Row = readonly [a: number, b: string, c: string | null, d: number | null, e: number | bigint | null]
const operators = ['=', '<>', '!=', '<', '<=', '>', '>='] as const

interface Condition {
  readonly column: number
  readonly operator: string
  readonly constant: string
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!

const bigints: readonly (number | bigint)[] = [0, 1, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]

function randomRow(random: Random): Row {
  const cents = random.below(2000) - 1000
  const text = `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`
  return [
    random.below(7) - 3,
    pick(random, ['', 'a', 'aa', 'b', 'é', '😀', 'ab\u0000c']),
    random.below(5) === 0 ? null : text,
    random.below(5) === 0 ? null : pick(random, [0, 0.5, -0.5, 0.1, 1e300, -1e300, 3]),
    random.below(5) === 0 ? null : pick(random, bigints),
  ]
}

function randomCondition(random: Random): Condition {
  const column = random.below(columns.length)
  if (random.below(8) === 0) return { column, operator: pick(random, ['IS NULL', 'IS NOT NULL']), constant: '' }
  const numbers = ['0', '1', '-1', '2.5', '-2.5', '0.001', '-3', '3', '1e3', '-9.99', '0.10', '9007199254740992', '-9223372036854775808', '9223372036854775807', '9223372036854775808', '-1e25', '1e25', '0.5']
  return { column, operator: pick(random, operators), constant: column === 1 ? pick(random, ["''", "'a'", "'aa'", "'b'", "'é'", "'zz'", "'😀'"]) : pick(random, numbers) }
}

/** A number's exact value as an integer of 10^-320. */
function exact(text: string): bigint {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text)!
  const scaled = BigInt(whole + fraction) * 10n ** BigInt(320 - fraction.length + Number(exponent))
  return sign === '-' ? -scaled : scaled
}

function holds(row: Row, { column, operator, constant }: Condition): boolean {
  const value = row[column]!
  if (operator === 'IS NULL') return value === null
  if (operator === 'IS NOT NULL') return value !== null
  if (value === null) return false
  const order = column === 1
    ? Buffer.compare(Buffer.from(value as string), Buffer.from(constant.slice(1, -1)))
    : Number(compareNumbers(column === 3 ? doubleDigits(value as number) : String(value), column === 3 ? doubleDigits(Number(constant)) : constant))
  return operator === '=' ? order === 0 : operator === '<>' || operator === '!=' ? order !== 0 : operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0
}

const doubleDigits = (value: number): string => String(value)

function compareNumbers(a: string, b: string): number {
  const difference = exact(a) - exact(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const literal = (value: UserValue): string => (value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value))
const inKeyOrder = (rows: readonly Row[]): Row[] => rows.toSorted((x, y) => x[0] - y[0] || Buffer.compare(Buffer.from(x[1]), Buffer.from(y[1])))

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const rounds = isFull ? 3_000 : 250

describe.each(isFull ? lastingEngines : testEngines)('over %s', (_, openEngine) => {
  test('conditions select what a filter selects', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const random = seededRandom(seed)
    const engine = await openEngine()
    const sql = createSql(engine)
    await sql.query('CREATE TABLE t (a INT, b TEXT, c NUMERIC(6,2), d DOUBLE PRECISION, e BIGINT, PRIMARY KEY (a, b))')
    const byKey = new Map(Array.from({ length: 40 }, () => randomRow(random)).map((row) => [`${row[0]} ${row[1]}`, row]))
    const rows = inKeyOrder([...byKey.values()])
    await sql.query(`INSERT INTO t VALUES ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}`)
    for (let round = 0; round < rounds; round++) {
      const conditions = Array.from({ length: random.below(4) }, () => randomCondition(random))
      const where = conditions.map(({ column, operator, constant }) => `${columns[column]} ${operator} ${constant}`).join(' AND ')
      const reverse = random.below(2) === 0
      const limit = random.below(3) === 0 ? random.below(5) : undefined
      const text = `SELECT * FROM t ${where === '' ? '' : `WHERE ${where}`} ORDER BY a ${reverse ? 'DESC' : ''}, b ${reverse ? 'DESC' : ''} ${limit === undefined ? '' : `LIMIT ${limit}`}`
      const selected = rows.filter((row) => conditions.every((condition) => holds(row, condition)))
      const expected = (reverse ? selected.toReversed() : selected).slice(0, limit)
      expect((await sql.query(text))[0]!.rows, `seed ${seed}: ${text}`).toEqual(expected)
      const [counted] = await sql.query(`SELECT COUNT(*), COUNT(d), MIN(b) FROM t ${where === '' ? '' : `WHERE ${where}`}`)
      expect(counted!.rows[0]!.slice(0, 2), `seed ${seed}: counts of ${text}`).toEqual([selected.length, selected.filter((row) => row[3] !== null).length])
    }
    await engine.close()
  }, 900_000)
})

test('a long result leaves turns to others, and can be stopped between them', async () => {
  const engine = await testEngines[2]![1]()
  const sql = createSql(engine)
  for (let from = 0; from < 60_000; from += 10_000) await sql.query(`INSERT INTO kv VALUES ${Array.from({ length: 10_000 }, (_, index) => `('${from + index}', 'x')`).join(', ')}`)
  let turns = 0
  const ticking = setInterval(() => turns++, 0)
  const [all] = await sql.query('SELECT * FROM kv')
  expect(all!.rowCount).toBe(60_000)
  expect(turns).toBeGreaterThan(1)
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  await expect(sql.query('SELECT * FROM kv', [], { signal: stop.signal })).rejects.toMatchObject({ code: '57014' })
  clearInterval(ticking)
  await engine.close()
})

test('parameters compare as literals do', async () => {
  const sql = createSql(await testEngines[0]![1]())
  await sql.query("CREATE TABLE t (a BIGINT PRIMARY KEY, c NUMERIC(6,2)); INSERT INTO t VALUES (1, 1), (2, 2.5), (9007199254740993, 3)")
  const keys = async (condition: string, ...parameters: (string | number | bigint | null)[]) => (await sql.query(`SELECT a FROM t WHERE ${condition}`, parameters))[0]!.rows.flat()
  expect(await keys('a = ?', 9007199254740993n)).toEqual([9007199254740993n])
  expect(await keys('a = ?', '9007199254740993')).toEqual([9007199254740993n])
  expect(await keys('a > ?', 1.5)).toEqual([2, 9007199254740993n])
  expect(await keys('a <= ?', Infinity)).toEqual([1, 2, 9007199254740993n])
  expect(await keys('a < ?', Number.NaN)).toEqual([1, 2, 9007199254740993n])
  expect(await keys('c = ? AND a = ?', '2.50', 2)).toEqual([2])
  expect(await keys('a = ?', null)).toEqual([])
  await expect(keys('a = ?', 'x')).rejects.toMatchObject({ code: '22P02' })
})
