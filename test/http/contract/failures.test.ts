/** What a failing disk, damaged files and a stopping server are answered with: `lsmt serve` over a disk that fails on command. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { StorageOperation } from '../../../src/storage/faulty-storage.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { serveHere } from '../../cli/cli-in-process.ts'
import type { ServedHere } from '../../cli/cli-in-process.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'
import { clientOf } from '../http-client.ts'
import type { Answer, TestClient } from '../http-client.ts'
import { openRaw, rawQuery, statusOf } from '../raw-client.ts'

interface Served extends TestClient, ServedHere {}

const running: ServedHere[] = []
afterEach(async () => {
  for (const served of running.splice(0)) await served.stop()
})

async function serve(openEngine: () => Promise<Engine>): Promise<Served> {
  const served = await serveHere('memory', ['--stop-timeout-ms', '2000'], { openEngine, printError: () => {} })
  running.push(served)
  return { ...served, ...clientOf(served.url) }
}

/** Looks for room again soon. */
const impatient = { ...systemClock, sleep: (ms: number) => systemClock.sleep(Math.min(ms, 2)) }

const over = (storage: Storage): Promise<Served> => serve(() => openTestEngine(storage, { shards: 1 }, undefined, impatient))

const outcome = ({ status, headers, json }: Answer): readonly unknown[] => [status, json.error.code, headers.get('retry-after')]
const insert = (key: string): string => `INSERT INTO kv VALUES ('${key}', '${key}')`

const statusOfNode = async (url: string): Promise<Readonly<Record<string, unknown>>> => (await (await fetch(`${url}/status`)).json()) as Readonly<Record<string, unknown>>

const growing: readonly StorageOperation['kind'][] = ['createAppend', 'write', 'append', 'publish', 'createIfAbsent']

test('53100 is 503, with Retry-After: the disk is full; reads go on, and writes when there is room', async () => {
  let isFull = false
  const { post, url } = await over(createFaultyStorage({ seed: 1, fail: ({ kind }) => (isFull && growing.includes(kind) ? new LsmtError('53100', 'no room in /srv/data') : undefined) }))
  expect((await post(insert('a'))).status).toBe(200)
  isFull = true
  // What is under way when the disk turns out to be full waits for room; what comes later is refused.
  const waiting = post(insert('b'))
  while ((await statusOfNode(url))['readOnly'] === null) await sleep(5)
  const refused = await post(insert('c'))
  const read = await post('SELECT key FROM kv')
  isFull = false
  expect((await waiting).status).toBe(200)
  expect(outcome(refused)).toEqual([503, '53100', '1'])
  expect(refused.text).not.toContain('/srv')
  expect(read.json.rows).toEqual([['a']])
  while ((await post(insert('d'))).status !== 200) await sleep(5)
  expect((await post('SELECT key FROM kv ORDER BY key')).json.rows).toEqual([['a'], ['b'], ['d']])
})

test('40003 is 503: the outcome is unknown, and the request sent again under its key is applied once; 57P03 is 503, with Retry-After: not ready', async () => {
  let isBroken = false
  const storage = createFaultyStorage({ seed: 3, fail: ({ kind }) => (isBroken && kind === 'sync' ? new LsmtError('58030', 'EIO in /srv/data') : undefined) })
  const broken = await over(storage)
  await broken.post(`CREATE TABLE counters (id INT PRIMARY KEY, n INT); INSERT INTO counters VALUES (1, 0)`)
  const count = ({ post }: TestClient): Promise<Answer> => post('UPDATE counters SET n = n + 1 WHERE id = 1 RETURNING n', { 'idempotency-key': 'k' })
  expect((await fetch(`${broken.url}/health/ready`)).status).toBe(200)
  isBroken = true
  const unknown = await count(broken)
  expect(outcome(unknown).slice(0, 2)).toEqual([503, '40003'])
  expect(unknown.text).not.toContain('/srv')
  const ready = await fetch(`${broken.url}/health/ready`)
  expect([ready.status, ready.headers.get('retry-after'), await ready.json()]).toMatchObject([503, '1', { error: { code: '57P03' } }])
  expect((await fetch(`${broken.url}/health/live`)).status).toBe(200)
  const restarted = await over(storage.crash({ seed: 4 }))
  expect([await count(restarted), await count(restarted)].map(({ json }) => json.rows)).toEqual([[[1]], [[1]]])
  expect((await restarted.post('SELECT n FROM counters')).json.rows).toEqual([[1]])
})

test('57P03 is 503, with Retry-After: the server is stopping; what is under way ends', async () => {
  const { url, stop, post } = await serve(async () => openModelEngine())
  const underWay = await openRaw(url)
  underWay.send(rawQuery(insert('last')).slice(0, -4))
  while (!/^lsmt_http_requests_in_progress 2$/m.test(await (await fetch(`${url}/metrics`)).text())) await sleep(5)
  running.pop()
  const stopped = stop()
  await sleep(0)
  expect(outcome(await post('SELECT 1'))).toEqual([503, '57P03', '1'])
  underWay.send(rawQuery(insert('last')).slice(-4))
  await Promise.all([stopped, underWay.closed])
  expect(statusOf(underWay.received())).toBe(200)
})

describe('XX001 is 500: stored data failed its checksum', () => {
  test('which file, which block, what was expected and what is there', async () => {
    const disk: MemoryDisk = new Map()
    const before = await openTestEngine(createMemoryStorage({ disk }), { shards: 1 })
    await before.insert(before.table('kv')!, Array.from({ length: 100 }, (_, i) => [`key ${i}`, `value ${i}`]), 'upsert')
    await before.flush()
    await before.close()
    const [name, file] = [...disk].filter(([each]) => each.startsWith('sst/')).sort(([, a], [, b]) => b.byteLength - a.byteLength)[0]!
    file.room[200]! ^= 1
    const { post } = await over(createMemoryStorage({ disk }))
    const answer = await post('SELECT * FROM kv')
    expect(outcome(answer)).toEqual([500, 'XX001', null])
    expect(answer.json.error.message).toMatch(new RegExp(`^corrupt .+ in ${name}, .+: expected [0-9a-f]+, found [0-9a-f]+$`))
    expect((await post('SELECT 1')).status).toBe(200)
  })
})

/** What no request leads to here: a replica that is not reached, and a bug. */
const raised: readonly (readonly [string, Error, readonly unknown[]])[] = [
  ['08006 is 503, with Retry-After: no reachable replica', new LsmtError('08006', 'no reachable replica'), [503, '08006', '1']],
  ['XX000 is 500: our bug', new TypeError('undefined is not a function'), [500, 'XX000', null]],
]
for (const [what, error, expected] of raised) {
  test(what, async () => {
    const { post } = await serve(async () => ({ ...openModelEngine(), get: () => { throw error } }))
    expect(outcome(await post("SELECT value FROM kv WHERE key = 'a'"))).toEqual(expected)
  })
}
