/** Imports whose rows go to files at once, beside those of the same rows in another order, which go by the log: the same table and the same refusals. */
import { afterEach, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { importRows } from '../../../src/sql/import/import-rows.ts'
import type { ImportOutcome, ImportRequest } from '../../../src/sql/import/import-rows.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'

const rowCount = 45_000
const note = 'as long as lines of many files are, '.repeat(3)

/** More than the first batch of an import into an empty table. */
const line = (id: number): string => `${id},city ${id % 977},${(id * 31) % 10_007}.25,${id % 5 === 0 ? '' : `"${note}""${id}"""`}`
const ids = Array.from({ length: rowCount }, (_, id) => id)
const csv = (lines: readonly string[]): Buffer => Buffer.from(`id,city,fare,note\n${lines.join('\n')}\n`)

function shuffled(list: readonly number[]): readonly number[] {
  const random = seededRandom(11)
  return list.map((id) => [random.nextU32(), id] as const).sort(([a], [b]) => a - b).map(([, id]) => id)
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024)
}

let engine: Engine | undefined
afterEach(async () => {
  await engine?.close()
})

async function open(): Promise<{ readonly query: (text: string) => Promise<readonly unknown[]>; readonly load: (bytes: Buffer, more?: Partial<ImportRequest>) => Promise<ImportOutcome>; readonly logBytes: () => number }> {
  const opened = (engine = await openTestEngine(createMemoryStorage(), { shards: 2, kernelMemoryBytes: 256 * 1024 * 1024, tree: { memtableBytesMax: 4 * 1024 * 1024, rowGroupBytes: 32 * 1024 } }))
  const sql = createSql(opened)
  return {
    query: async (text) => (await sql.query(text)).at(-1)!.rows,
    load: (bytes, more = {}) => importRows(opened, { table: 't', format: 'csv', source: pieces(bytes), onError: 'stop', clock: systemClock, ...more }),
    logBytes: () => opened.stats().shards.reduce((sum, { log }) => sum + log.bytes, 0),
  }
}

const create = (key = ', PRIMARY KEY (id)'): string => `DROP TABLE IF EXISTS t; CREATE TABLE t (id BIGINT NOT NULL, city TEXT NOT NULL, fare NUMERIC(10,2), note TEXT${key})`
const everything = 'SELECT * FROM t ORDER BY id'
const files = "SELECT count(*), count(DISTINCT city), min(fare), max(note), sum(fare) FROM t WHERE fare > 100 AND (note IS NULL OR note LIKE '%7%')"

test('rows in the order of their keys, or without one, go past the log, and are the same rows', async () => {
  const { query, load, logBytes } = await open()
  await query(create())
  expect(await load(csv(shuffled(ids).map(line)))).toMatchObject({ isWritten: true, rowsWritten: rowCount })
  const textOf = (rows: readonly unknown[]): string => rows.map(String).join('\n')
  const rows = textOf(await query(everything)), answers = await query(files)
  for (const [key, wanted] of [[', PRIMARY KEY (id)', ids], ['', shuffled(ids)], [', PRIMARY KEY (city, id)', [...ids].sort((a, b) => (`city ${a % 977}` < `city ${b % 977}` ? -1 : `city ${a % 977}` > `city ${b % 977}` ? 1 : a - b))]] as const) {
    await query(create(key))
    const before = logBytes()
    expect(await load(csv(wanted.map(line)))).toEqual({ isWritten: true, rowsWritten: rowCount, linesFailed: 0, errors: [] })
    expect(logBytes() - before).toBeLessThan(64 * 1024)
    expect(textOf(await query(everything)) === rows).toBe(true)
    expect(await query(files)).toEqual(answers)
  }
  expect(await query("UPDATE t SET city = 'x' WHERE id % 1000 = 7; DELETE FROM t WHERE id >= 30000; SELECT count(*), sum(id) FROM t WHERE city = 'x'")).toEqual([[30, expect.anything()]])
  expect(await query('SELECT count(*) FROM t')).toEqual([[30_000]])
})

test('a key that comes again is told with its line, wherever it stands, and leaves nothing', async () => {
  const { query, load } = await open()
  await query(create())
  for (const at of [20_000, rowCount - 10]) {
    for (const again of [at - 1, 5]) {
      const lines = ids.map(line)
      lines[at] = line(again)
      expect(await load(csv(lines))).toMatchObject({ isWritten: false, rowsWritten: 0, linesFailed: 1, errors: [{ line: at + 2, code: '23505', reason: `duplicate key (id) = (${again})` }] })
      expect(await query('SELECT count(*) FROM t')).toEqual([[0]])
    }
  }
  const lines = [...ids.map(line), ...ids.slice(0, 10).map((id) => line(id).replace('city', 'town'))]
  expect(await load(csv(lines), { onConflict: 'replace' })).toMatchObject({ isWritten: true, rowsWritten: rowCount + 10 })
  expect(await query("SELECT count(*), sum(CASE WHEN city LIKE 'town%' THEN 1 ELSE 0 END) FROM t")).toEqual([[rowCount, 10]])
})

test('a wrong line after rows that are in files leaves nothing, and neither does a source that breaks off', async () => {
  const { query, load } = await open()
  await query(create())
  const lines = ids.map(line)
  lines[rowCount - 1000] = 'x,y,1,'
  expect(await load(csv(lines))).toMatchObject({ isWritten: false, linesFailed: 1, errors: [{ line: rowCount - 998, column: 'id', code: '22P02' }] })
  const breaking = async function* (): AsyncGenerator<Uint8Array> {
    const bytes = csv(ids.map(line))
    yield* pieces(bytes.subarray(0, bytes.length - 100_000))
    throw new Error('the line is dead')
  }
  await expect(load(Buffer.alloc(0), { source: breaking() })).rejects.toThrow('the line is dead')
  expect(await query('SELECT count(*) FROM t')).toEqual([[0]])
  expect(await load(csv(ids.map(line)))).toMatchObject({ isWritten: true })
})

test('rows that the table has stay, those of the same keys refuse or are replaced, and imports at a time are whole', async () => {
  const { query, load } = await open()
  await query(create())
  await query("INSERT INTO t VALUES (-1, 'older', 1, NULL), (70000, 'older', 1, NULL)")
  expect(await load(csv(ids.map(line)))).toMatchObject({ isWritten: true })
  expect(await query('SELECT count(*), min(id), max(id) FROM t')).toEqual([[rowCount + 2, -1, 70_000]])
  await query("DROP TABLE IF EXISTS u; CREATE TABLE u (id BIGINT NOT NULL, city TEXT, fare NUMERIC(10,2), note TEXT, PRIMARY KEY (id)); DELETE FROM t")
  const [first, second] = await Promise.all([load(csv(ids.map(line))), load(csv(ids.map(line)), { table: 'u' })])
  expect([first, second]).toMatchObject([{ rowsWritten: rowCount }, { rowsWritten: rowCount }])
  expect(await query('SELECT count(*) FROM t JOIN u USING (id)')).toEqual([[rowCount]])
})

/** The engine with ingests whose rows wait until `release`. */
function heldBack(whole: Engine, release: Promise<void>): { readonly engine: Engine; readonly waiting: () => number } {
  let waiting = 0
  const ingestStaged: Engine['ingestStaged'] = (staged) => {
    const ingest = whole.ingestStaged?.(staged)
    return ingest && {
      ...ingest,
      async add(columns) {
        waiting++
        await release
        waiting--
        return await ingest.add(columns)
      },
    }
  }
  return { engine: new Proxy(whole, { get: (target, name) => (name === 'ingestStaged' ? ingestStaged : Reflect.get(target, name, target)) }), waiting: () => waiting }
}

test('while rows wait to be written reading goes on, so far and no further, and what waits is dropped with the import', async () => {
  const { query } = await open()
  await query(create())
  const bytes = csv(ids.map(line)), source = Buffer.concat([bytes, ...Array.from({ length: 4 }, (_, i) => csv(ids.map((id) => line((i + 1) * rowCount + id))).subarray(bytes.indexOf('\n') + 1))])
  const MiB = 1024 * 1024
  for (const ending of ['done', 'cancelled'] as const) {
    let release!: () => void, read = 0
    const held = heldBack(engine!, new Promise((resolve) => (release = resolve)))
    const cancel = new AbortController()
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(source)) {
        read += piece.length
        yield piece
      }
    }
    const load = importRows(held.engine, { table: 't', format: 'csv', source: counted(), onError: 'stop', clock: systemClock, signal: cancel.signal })
    await expect.poll(() => [held.waiting(), read >= 10 * MiB]).toEqual([1, true])
    expect(read).toBeLessThan(11 * MiB)
    if (ending === 'cancelled') cancel.abort()
    release()
    if (ending === 'cancelled') await expect(load).rejects.toMatchObject({ code: '57014' })
    else expect(await load).toMatchObject({ isWritten: true, rowsWritten: 5 * rowCount })
    expect(await query('SELECT count(*) FROM t')).toEqual([[ending === 'done' ? 5 * rowCount : 0]])
    await query('TRUNCATE TABLE t')
  }
})
