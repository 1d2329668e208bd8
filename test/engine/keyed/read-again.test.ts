/** Rows that are read by key again and again, so that an index finds them and their values with them: whatever these are, and whatever is written meanwhile. */
import { expect, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import type { UserValue } from '../../../src/lsmt.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

type Row = Readonly<Record<string, UserValue>>

const rowCount = 600
const seed = Number(process.env['LSMT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test.each(['wasm', 'js'] as const)('rows are read alike however often they are asked for (%s)', async (kernels) => {
  const random = seededRandom(seed)
  const db = await open({ storage: 'memory', shards: 2, kernels, kernelMemoryBytes: 64 * 1024 * 1024 })
  await db.query('CREATE TABLE things (k TEXT PRIMARY KEY, t TEXT, b BYTEA, i BIGINT, d DOUBLE PRECISION)')
  const things = db.table('things'), rows = new Map<string, Row>()
  const oneOf = <T>(...values: T[]): T => values[random.below(values.length)]!
  const text = (): string => oneOf('', 'plain', 'é', 'x'.repeat(random.below(40)), `${'y'.repeat(random.below(40))}ü`, 'z'.repeat(1200))
  const made = (k: string): Row => ({ k, t: oneOf(null, text()), b: oneOf(null, new Uint8Array(Buffer.from(text()))), i: oneOf<number | bigint | null>(null, random.below(1000), 2n ** 60n), d: oneOf(null, random.nextFloat()) })
  const key = (n: number): string => (n % 50 === 0 ? `é${n}` : String(n).padStart(1 + (n % 30), '0'))
  const check = (n: number): void => {
    const k = key(n), row = rows.get(k)
    if (things.getSync(k) === undefined && row === undefined) return
    expect(things.getSync(k), `seed ${seed}`).toEqual(row)
    for (const column of ['t', 'b', 'i', 'd', 'k']) expect(things.getSync(k, { columns: [column] }), `seed ${seed}`).toEqual(row && { [column]: row[column] })
  }
  const put = async (n: number): Promise<void> => {
    const row = made(key(n))
    rows.set(key(n), row)
    await things.put(row)
  }
  await things.batch(Array.from({ length: rowCount }, (_, n) => n).filter((n) => n % 3 > 0).map((n) => {
    const row = made(key(n))
    rows.set(key(n), row)
    return { put: row }
  }))
  for (const step of ['as written', 'in one file', 'written to and compacted', 'with one column more']) {
    if (step === 'in one file') await db.compact()
    if (step === 'with one column more') await db.query("ALTER TABLE things ADD COLUMN more TEXT DEFAULT 'later'")
    if (step === 'with one column more') for (const [k, row] of rows) rows.set(k, { ...row, more: 'later' })
    for (let round = 0; round < 3; round++) for (let n = 0; n < rowCount; n++) things.getSync(key(n))
    for (let n = 0; n < rowCount; n++) check(n)
    const reader = things.reader('t'), snapshot = db.snapshot(), before = new Map(rows)
    for (let n = 0; n < 40; n++) {
      const chosen = random.below(rowCount)
      if (step !== 'with one column more' && random.below(3) > 0) await put(chosen)
      else {
        rows.delete(key(chosen))
        await things.delete(key(chosen))
      }
      check(chosen)
    }
    for (let n = 0; n < rowCount; n++) {
      expect(reader.getSync(key(n)), `seed ${seed}`).toEqual(rows.get(key(n))?.['t'])
      expect(reader.getSync(key(n), snapshot), `seed ${seed}`).toEqual(before.get(key(n))?.['t'])
    }
    snapshot.release()
    if (step === 'written to and compacted') await db.compact()
  }
  await db.close()
  expect(() => things.getSync(key(1))).toThrow(expect.objectContaining({ code: '55000' }))
})
