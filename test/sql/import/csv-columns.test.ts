/**
 * CSV that goes from bytes to columns, against the same CSV read record by record (as the model engine has all of it):
 * the same rows, lines, errors and outcomes, wherever the source is cut.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { importRows } from '../../../src/sql/import/import-rows.ts'
import type { ImportOutcome, ImportRequest } from '../../../src/sql/import/import-rows.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { testEngines } from '../test-engines.ts'

const columns: readonly (readonly [name: string, type: string, good: readonly string[], odd: readonly string[]])[] = [
  ['id', 'BIGINT NOT NULL', ['1', '-2', '33', '123456789012345678', '9223372036854775807'], ['+4', ' 5', '6.0', 'x', '', '9223372036854775808']],
  ['n', "NUMERIC(10,2) NOT NULL DEFAULT 1.5", ['1', '-2.345', '"0.10"'], ['1e2', 'x', '99999999999', '']],
  ['d', 'DOUBLE PRECISION', ['0.1', '-0', '1e300', '', '0.12345678901234567'], ['NaN', '+1', '1e999', '-infinity']],
  ['ok', 'BOOLEAN', ['true', 'f', '1', ''], ['yes', 'off', 'TR', '2']],
  ['at', 'TIMESTAMP', ['2026-01-05T10:00:00.25Z', '1969-12-31 23:59', ''], ['2026-01-05 10', '5 January', '2026-02-30']],
  ['name', 'VARCHAR(6)', ['a', '""', '', '"it""s"', 'üöäßéè', '"a,\r\nb"', '"\n\n"'], ['sevench', '"open', 'a"b', '"a"b']],
  ['raw', 'BYTEA', ['\\x00ff', 'ab', '""', ''], ['\\x0', 'a\\\\b', '\\101']],
]

function randomCsv(random: Random): string {
  const given = columns.filter((_, i) => i === 0 || random.below(4) > 0).sort(() => random.below(3) - 1)
  const oddOf = [1000, 60, 8][random.below(3)]!
  const field = ([, , good, odd]: (typeof columns)[number]): string => (random.below(oddOf) === 0 ? odd[random.below(odd.length)]! : good[random.below(good.length)]!)
  const lineEnd = ['\n', '\r\n', '\r'][random.below(3)]!
  const lines = Array.from({ length: random.below(60) }, () => {
    if (random.below(30) === 0) return ''
    return (random.below(oddOf) === 0 ? [...given, ...given] : given).map(field).join(',')
  })
  const text = [given.map(([name]) => name).join(','), ...lines].join(lineEnd) + (random.below(2) === 0 ? lineEnd : '')
  return random.below(5) === 0 ? `\ufeff${text}` : text
}

async function* inPieces(text: string | Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

interface Loaded {
  readonly outcome: ImportOutcome | { readonly code: unknown }
  readonly rows: unknown
}

/** Into a new table, so that rows without a key may repeat. */
async function load(engine: Engine, key: string, request: Partial<ImportRequest> & Pick<ImportRequest, 'source'>): Promise<Loaded> {
  const sql = createSql(engine)
  await sql.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (${columns.map(([name, type]) => `${name} ${type}`).join(', ')}${key})`)
  const outcome = await importRows(engine, { table: 't', format: 'csv', onError: 'stop', clock: systemClock, ...request }).catch((error: unknown) => ({ code: (error as { code: unknown }).code }))
  return { outcome, rows: (await sql.query('SELECT * FROM t'))[0]!.rows }
}

const sorted = ({ outcome, rows }: Loaded): unknown => ({ outcome, rows: (rows as unknown[]).map((row) => String((row as unknown[]).map((value) => (Object.is(value, -0) ? '-0' : value === null ? 'null' : JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)))))).sort() })

describe.each(testEngines.slice(1))('CSV into %s', (_, open) => {
  let engine: Engine, model: Engine
  let byColumns = 0
  beforeAll(async () => {
    engine = counting(await open())
    model = await testEngines[0]![1]()
  })
  afterAll(async () => {
    await engine.close()
    await model.close()
  })

  function counting(inner: Engine): Engine {
    return {
      ...inner,
      collectRows(...given) {
        const collector = inner.collectRows(...given)
        const addCsv: typeof collector.addCsv = (...text) => {
          const records = collector.addCsv(...text)
          byColumns += records?.rowCount ?? 0
          return records
        }
        return { get rowCount() { return collector.rowCount }, add: collector.add, take: collector.take, addCsv }
      },
    }
  }

  it('is what it is record by record', async () => {
    const firstSeed = Number(process.env['LSMT_SEED'] ?? 1)
    for (let seed = firstSeed; seed < firstSeed + 40; seed++) {
      const random = seededRandom(seed)
      const text = randomCsv(random)
      const key = random.below(3) === 0 ? '' : ', PRIMARY KEY (id)'
      const pieceBytes = [1, 5, 64, 100_000][random.below(4)]!
      const request = { onError: random.below(2) === 0 ? 'stop' : 'skip', onConflict: key === '' || random.below(2) === 0 ? 'error' : 'replace' } as const
      const [found, expected] = await Promise.all([engine, model].map((each) => load(each, key, { ...request, source: inPieces(text, pieceBytes) })))
      expect(sorted(found!), `seed ${seed}: ${JSON.stringify(text)}`).toEqual(sorted(expected!))
    }
    expect(byColumns).toBeGreaterThan(300)
  })

  it('names the lines of keys that stand twice, and of what is wrong behind many rows', async () => {
    const rows = (count: number): string => Array.from({ length: count }, (_each, i) => `${i},"x\n${i}"\n`).join('')
    const twice = await load(engine, ', PRIMARY KEY (id)', { source: inPieces(`id,name\n${rows(3000)}77,y\n`, 10_000) })
    expect(twice.outcome).toMatchObject({ isWritten: false, errors: [{ line: 6002, code: '23505', reason: 'duplicate key (id) = (77)' }] })
    const wrong = await load(engine, '', { source: inPieces(`id,name\n${rows(3000)}x,y\n7,z\n`, 10_000) })
    expect(wrong.outcome).toMatchObject({ isWritten: false, linesFailed: 1, errors: [{ line: 6002, column: 'id', code: '22P02' }] })
  })

  it('may have records that are longer than what a kernel is given', async () => {
    const long = ['a', 'ü'].flatMap((letter) => [70_000, 150_000, 300_000].map((length) => `"${letter.repeat(length)}"`))
    const { outcome, rows } = await load(engine, '', { source: inPieces(`raw,id\n${long.map((text, i) => `${text},${i}\n`).join('')}`, 50_000) })
    expect(outcome).toMatchObject({ rowsWritten: 6 })
    expect((rows as readonly (readonly unknown[])[]).map((row) => (row[6] as Uint8Array).length).sort((a, b) => a - b)).toEqual([70_000, 140_000, 150_000, 300_000, 300_000, 600_000])
  })

  it('is refused where it is no UTF-8, also behind rows that are', async () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80]]) {
      const source = Buffer.concat([Buffer.from(`id,name\n${'1,ü\n'.repeat(1000)}2,`), Buffer.from(bytes), Buffer.from('\n3,c\n')])
      for (const pieceBytes of [3, 100_000]) expect(await load(engine, '', { source: inPieces(source, pieceBytes) })).toEqual({ outcome: { code: '22021' }, rows: [] })
    }
  })

  it('tells rows as they are read', async () => {
    const told: number[] = []
    await load(engine, '', { source: inPieces(`id\n${'1\n'.repeat(5000)}`, 1000), onProgress: ({ rows }) => told.push(rows) })
    expect(told).toHaveLength(11)
    expect(told.slice(0, 3)).toEqual([498, 998, 1498])
  })
})
