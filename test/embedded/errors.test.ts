/** Whatever is wrong is an LsmtError with a code: also what only a program without types can hand over. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defineTable, LsmtError, open } from '../../src/lsmt.ts'
import type { Database, KeyedTable } from '../../src/lsmt.ts'

let db: Database, kv: KeyedTable
beforeAll(async () => {
  db = await open({ storage: 'memory', workers: 0 })
  kv = db.table('kv')
  await kv.put({ key: 'kept', value: '' })
})
afterAll(() => db.close())

/** Any value as what is wanted. */
const as = (value: unknown): never => value as never

async function drained(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

const kinds: Readonly<Record<string, unknown>> = { undefined, null: null, 'a number': 5, 'a text': 'x', 'an empty object': {}, 'an unknown option': { from: 'a' } }
const everything = Object.keys(kinds)
const calls: readonly { readonly call: string; readonly run: (given: never) => unknown; readonly refuses: readonly string[] }[] = [
  { call: 'open', run: (given) => open(given), refuses: ['null', 'a number', 'a text', 'an unknown option'] },
  { call: 'open dataDir', run: (dataDir) => open({ dataDir }), refuses: ['null', 'a number', 'an empty object'] },
  { call: 'open bucket', run: (bucket) => open({ storage: 's3', bucket }), refuses: everything },
  { call: 'open credentials', run: (credentials) => open({ storage: 's3', bucket: 'some-bucket', credentials }), refuses: ['null', 'a number', 'a text', 'an unknown option'] },
  { call: 'open tree', run: (tree) => open({ storage: 'memory', tree }), refuses: ['null', 'a number', 'a text', 'an unknown option'] },
  { call: 'query', run: (given) => db.query(given), refuses: everything },
  { call: 'queryAll', run: (given) => db.queryAll(given), refuses: everything },
  { call: 'stream', run: (given) => drained(db.stream(given)), refuses: everything },
  { call: 'parameters', run: (given) => db.query('SELECT $1', given), refuses: everything },
  { call: 'a parameter', run: (given) => db.query('SELECT $1', [given]), refuses: ['undefined', 'an empty object', 'an unknown option'] },
  { call: 'options of a query', run: (given) => db.query('SELECT 1', [], given), refuses: ['null', 'a number', 'a text', 'an unknown option'] },
  { call: 'signal', run: (signal) => db.query('SELECT 1', [], { signal }), refuses: ['null', 'a number', 'a text', 'an empty object'] },
  { call: 'idempotencyKey', run: (idempotencyKey) => db.query('SELECT 1', [], { idempotencyKey }), refuses: ['null', 'a number', 'an empty object'] },
  { call: 'table', run: (given) => db.table(given), refuses: everything },
  { call: 'hasTable', run: (given) => db.hasTable(given), refuses: ['undefined', 'null', 'a number'] },
  { call: 'createTable', run: (given) => db.createTable(given), refuses: everything },
  { call: 'defineTable', run: (given) => defineTable(given, given, given), refuses: everything },
  { call: 'put', run: (given) => kv.put(given), refuses: everything },
  { call: 'get', run: (given) => kv.get(given), refuses: everything.filter((kind) => kind !== 'a text') },
  { call: 'getSync', run: (given) => kv.getSync(given), refuses: everything.filter((kind) => kind !== 'a text') },
  { call: 'options of get', run: (given) => kv.get('a', given), refuses: ['null', 'a number', 'a text', 'an unknown option'] },
  { call: 'columns', run: (columns) => kv.get('a', { columns }), refuses: ['null', 'a number', 'a text', 'an empty object'] },
  { call: 'snapshot', run: (snapshot) => kv.get('a', { snapshot }), refuses: ['null', 'a number', 'a text', 'an empty object'] },
  { call: 'delete', run: (given) => kv.delete(given), refuses: everything.filter((kind) => kind !== 'a text') },
  { call: 'deleteRange', run: (given) => kv.deleteRange(given), refuses: everything.filter((kind) => kind !== 'an empty object') },
  { call: 'batch', run: (given) => kv.batch(given), refuses: everything },
  { call: 'an operation', run: (given) => kv.batch([given]), refuses: everything },
  { call: 'putColumns', run: (given) => kv.putColumns(given), refuses: ['undefined', 'null', 'a number', 'a text', 'an unknown option'] },
  { call: 'a column', run: (key) => kv.putColumns({ key }), refuses: everything },
  { call: 'options of scan', run: (given) => drained(kv.scan(given)), refuses: ['null', 'a number', 'a text', 'an unknown option'] },
  { call: 'limit', run: (limit) => drained(kv.scan({ limit })), refuses: ['null', 'a text', 'an empty object'] },
]

test.each(calls)('$call', async ({ call, run, refuses }) => {
  for (const kind of refuses) {
    const outcome = await Promise.resolve().then(() => run(as(kinds[kind]))).catch((error: unknown) => error)
    expect(outcome, `${call} of ${kind}`).toBeInstanceOf(LsmtError)
    const { code, message } = outcome as LsmtError
    expect([/^[0-9A-Z]{5}$/.test(code), code === 'XX000', message.length > 10, message.includes('\n')], `${call} of ${kind}: ${code} ${message}`).toEqual([true, false, true, false])
  }
  expect(kv.getSync('kept'), 'nothing is touched').toEqual({ key: 'kept', value: '' })
})

test('errors of all ways in are of the one class, with what helps', async () => {
  const sql: unknown = await db.query('SELECT nope FROM kv').catch((error: unknown) => error)
  expect(sql).toBeInstanceOf(LsmtError)
  expect(sql).toMatchObject({ name: 'LsmtError', code: '42703', message: expect.stringContaining('column "nope" does not exist') as unknown, evidence: { position: 8 } })
  expect(sql).toBeInstanceOf(Error)
})
