/**
 * A program that awaits one call after the other, each answered from memory, never leaves the queue of microtasks by itself:
 * its timers, sockets and syncs wait for the database to let them have their turn.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open } from '../../src/lsmt.ts'
import type { Database } from '../../src/lsmt.ts'

let db: Database
beforeAll(async () => {
  db = await open({ storage: 'memory', kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, workers: 0 })
  await db.query("INSERT INTO kv VALUES ('a', '1'), ('b', '2'), ('c', '3')")
})
afterAll(() => db.close())

/** So many calls take minutes: a loop that ends before was left because of the timer. */
const callsMax = 5_000_000

async function callUntilTimer(call: () => Promise<unknown>): Promise<boolean> {
  let fired = false
  setTimeout(() => (fired = true), 1)
  for (let calls = 0; calls < callsMax && !fired; calls++) await call()
  return fired
}

test.each<[string, () => Promise<unknown>]>([
  ['a row by its key', () => db.query('SELECT value FROM kv WHERE key = $1', ['a'])],
  ['rows of a range', () => db.query("SELECT value FROM kv WHERE key >= 'a' AND key < 'c'")],
  ['several results', () => db.queryAll("SELECT 1; SELECT value FROM kv WHERE key = 'b'")],
  ['a constant', () => db.query('SELECT 1')],
  ['a statement that fails', () => db.query('SELECT nope FROM kv').catch(() => {})],
  ['a write that waits for no disk', () => db.query('UPSERT INTO kv VALUES ($1, $2)', ['d', 'x'])],
  ['a write that finds nothing', () => db.query("UPDATE kv SET value = 'x' WHERE key = 'nope'")],
  ['a write that is taken back', () => db.queryAll("BEGIN; UPDATE kv SET value = 'x' WHERE key = 'a'; ROLLBACK")],
  ['writes to several shards that wait for no disk', () => db.query("UPDATE kv SET value = 'x' WHERE key IN ('a', 'b', 'c')")],
  ['a stream', async () => { for await (const _ of db.stream('SELECT value FROM kv WHERE key = $1', ['a'])); }],
  ['a transaction', () => db.transaction({ write: ['kv'] }, (tx) => tx.query("SELECT value FROM kv WHERE key = 'a'"))],
])('a timer fires while a loop awaits %s', async (_, call) => {
  expect(await callUntilTimer(call)).toBe(true)
})

test('a timer fires while a transaction reads in a loop', async () => {
  expect(await db.transaction({ write: ['kv'] }, (tx) => callUntilTimer(() => tx.query("SELECT value FROM kv WHERE key = 'a'")))).toBe(true)
})

test('a call has had its effect, in the order of calls, though its answer waits for a turn', async () => {
  const kv = db.table('kv')
  for (let round = 0; round < 2_000; round++) {
    const writing = db.query('UPSERT INTO kv VALUES ($1, $2)', ['order', String(round)])
    const reading = db.query("SELECT value FROM kv WHERE key = 'order'")
    await writing
    expect(kv.getSync('order')).toEqual({ key: 'order', value: String(round) })
    await reading
  }
})
