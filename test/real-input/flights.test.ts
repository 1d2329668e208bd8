/**
 * Real input through the front door: the flights of `vega-datasets` loaded as multi-row INSERTs over HTTP; what the
 * server answers must equal what a plain loop over the file computes: at once, after a restart, and after a full
 * compaction.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open } from '../../src/lsmt.ts'
import { startServer, type ServerProcess } from '../server-process.ts'

interface DataSet {
  readonly createTable: string
  readonly columns: readonly { readonly name: string; readonly kind: 'integer' | 'double' | 'text' }[]
  /** Rows in file order; integers as bigint, text as string. */
  rows(): Promise<readonly (readonly Cell[])[]>
  readonly filters: readonly { readonly where: string; readonly test: (row: readonly Cell[]) => boolean }[]
}
type Cell = bigint | number | string | null

const dataFile = (name: string): string => join(import.meta.dirname, '../../node_modules/vega-datasets/data', name)
const rowsPerInsert = 1000

const flights200k: DataSet = {
  createTable: 'CREATE TABLE flights (id BIGINT PRIMARY KEY, delay BIGINT, distance BIGINT, time DOUBLE PRECISION)',
  columns: [{ name: 'id', kind: 'integer' }, { name: 'delay', kind: 'integer' }, { name: 'distance', kind: 'integer' }, { name: 'time', kind: 'double' }],
  rows: async () => {
    const records = JSON.parse(await readFile(dataFile('flights-200k.json'), 'utf8')) as { delay: number | null; distance: number | null; time: number | null }[]
    return records.map(({ delay, distance, time }, i) => [BigInt(i), delay === null ? null : BigInt(delay), distance === null ? null : BigInt(distance), time])
  },
  filters: [
    { where: 'delay > 100', test: ([, delay]) => delay !== null && (delay as bigint) > 100n },
    { where: 'distance >= 500 AND distance < 600 AND time < 12.5', test: ([, , distance, time]) => (distance as bigint) >= 500n && (distance as bigint) < 600n && (time as number) < 12.5 },
    { where: 'id >= 123456 AND id < 125000', test: ([id]) => (id as bigint) >= 123456n && (id as bigint) < 125000n },
  ],
}

const flights3m: DataSet = {
  createTable: 'CREATE TABLE flights (id BIGINT PRIMARY KEY, date TIMESTAMP, delay BIGINT, distance BIGINT, origin TEXT, destination TEXT)',
  columns: [
    { name: 'id', kind: 'integer' },
    { name: 'date', kind: 'text' },
    { name: 'delay', kind: 'integer' },
    { name: 'distance', kind: 'integer' },
    { name: 'origin', kind: 'text' },
    { name: 'destination', kind: 'text' },
  ],
  rows: async () => {
    const file = await asyncBufferFromFile(dataFile('flights-3m.parquet'))
    const records = (await parquetReadObjects({ file, compressors })) as { date: Date; delay: bigint; distance: bigint; origin: string; destination: string }[]
    return records.map(({ date, delay, distance, origin, destination }, i) => [BigInt(i), isoTimestamp(date), delay, distance, origin, destination])
  },
  filters: [
    { where: 'delay > 100', test: ([, , delay]) => (delay as bigint) > 100n },
    { where: "origin = 'LAS' AND distance < 400", test: ([, , , distance, origin]) => origin === 'LAS' && (distance as bigint) < 400n },
    { where: "date >= TIMESTAMP '2001-01-15 00:00:00' AND date < TIMESTAMP '2001-01-16 00:00:00'", test: ([, date]) => (date as string) >= '2001-01-15' && (date as string) < '2001-01-16' },
    { where: 'id >= 1234567 AND id < 1240000', test: ([id]) => (id as bigint) >= 1234567n && (id as bigint) < 1240000n },
  ],
}

describe('flights, 200,000 rows', () => suite(flights200k, 120_000))
describe.runIf(process.env['LSMT_TEST_FULL'])('flights, 3,000,000 rows (full run)', () => suite(flights3m, 1_800_000))

function suite(data: DataSet, timeoutMs: number): void {
  let dataDir = ''
  let server: ServerProcess
  let rows: readonly (readonly Cell[])[] = []

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'lsmt-flights-'))
    server = await startServer(dataDir)
    rows = await data.rows()
  }, timeoutMs)

  afterAll(async () => {
    await server.kill()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('loads as multi-row INSERTs and answers as the file says', async () => {
    await server.query(data.createTable)
    for (let from = 0; from < rows.length; from += rowsPerInsert) {
      const some = rows.slice(from, from + rowsPerInsert)
      const { rowCount } = await server.query(`INSERT INTO flights VALUES ${some.map(tuple).join(', ')}`)
      expect(rowCount).toBe(some.length)
    }
    await checkAnswers(server, data, rows)
  }, timeoutMs)

  it('answers the same after a restart', async () => {
    await server.stop()
    server = await startServer(dataDir)
    await checkAnswers(server, data, rows)
  }, timeoutMs)

  it('answers the same after a full compaction', async () => {
    await server.stop()
    const db = await open({ dataDir })
    await db.compact()
    await db.close()
    server = await startServer(dataDir)
    await checkAnswers(server, data, rows)
  }, timeoutMs)
}

/** ISO 8601 with as many fraction digits as needed, as answers have it. */
const isoTimestamp = (date: Date): string => date.toISOString().replace(/(\.\d*?)0+Z$/, '$1Z').replace('.Z', 'Z')

const tuple = (row: readonly Cell[]): string => `(${row.map((cell) => (cell === null ? 'NULL' : typeof cell === 'string' ? `'${cell.replaceAll("'", "''")}'` : String(cell))).join(', ')})`

async function checkAnswers(server: ServerProcess, data: DataSet, rows: readonly (readonly Cell[])[]): Promise<void> {
  expect((await server.query('SELECT COUNT(*) FROM flights')).rows).toEqual([[rows.length]])
  await checkAggregates(server, data, rows, '')
  for (const { where, test } of data.filters) {
    const matching = rows.filter(test)
    expect(matching.length).toBeGreaterThan(0)
    expect((await server.query(`SELECT COUNT(*) FROM flights WHERE ${where}`)).rows, where).toEqual([[matching.length]])
    await checkAggregates(server, data, matching, `WHERE ${where}`)
  }
  for (const row of [rows[0]!, rows[77_777]!, rows.at(-1)!]) {
    const answer = await server.query(`SELECT * FROM flights WHERE id = ${row[0]}`)
    expect(answer.rows).toEqual([row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))])
  }
}

async function checkAggregates(server: ServerProcess, data: DataSet, rows: readonly (readonly Cell[])[], where: string): Promise<void> {
  for (const [i, { name, kind }] of data.columns.entries()) {
    const functions = kind === 'text' ? ['COUNT', 'MIN', 'MAX'] : ['COUNT', 'MIN', 'MAX', 'SUM']
    const answer = await server.query(`SELECT ${functions.map((f) => `${f}(${name})`).join(', ')} FROM flights ${where}`)
    const values = rows.map((row) => row[i]!).filter((cell) => cell !== null)
    const [count, min, max, sum] = answer.rows[0]!
    expect([count, min, max], `${name} ${where}`).toEqual([values.length, ...extremes(values).map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))])
    if (kind === 'integer') expect(String(sum), `SUM(${name}) ${where}`).toBe(String((values as bigint[]).reduce((a, b) => a + b, 0n)))
    // The file's doubles have few decimals, so that any summation that loses nothing rounds to this.
    if (kind === 'double') expect(sum, `SUM(${name}) ${where}`).toBe(exactSum(values as number[]))
  }
}

function extremes(values: readonly Exclude<Cell, null>[]): readonly [Exclude<Cell, null>, Exclude<Cell, null>] {
  let min = values[0]!
  let max = values[0]!
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return [min, max]
}

/** Sum of doubles rounded once, by exact rational arithmetic on their bits. */
function exactSum(values: readonly number[]): number {
  const scale = 1074
  let total = 0n
  for (const value of values) total += scaled(value, scale)
  return rounded(total, scale)
}

function scaled(value: number, scale: number): bigint {
  if (value === 0) return 0n
  let exponent = 0
  let mantissa = value
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent++
  }
  return BigInt(mantissa) << BigInt(scale - exponent)
}

function rounded(total: bigint, scale: number): number {
  const magnitude = total < 0n ? -total : total
  const extraBits = Math.max(0, magnitude.toString(2).length - 64)
  // 64 leading bits with a sticky last one round to the nearest double just as all of them would.
  const sticky = (magnitude & ((1n << BigInt(extraBits)) - 1n)) === 0n ? 0n : 1n
  const rest = Number((magnitude >> BigInt(extraBits)) | sticky) * 2 ** (extraBits - scale)
  return total < 0n ? -rest : rest
}
