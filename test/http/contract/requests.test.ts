/** What `POST /query` takes, and the frame of what it answers, against `lsmt serve` as it is. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveHere } from '../../cli/cli-in-process.ts'
import type { ServedHere } from '../../cli/cli-in-process.ts'
import { clientOf } from '../http-client.ts'
import type { Answer, TestClient } from '../http-client.ts'

let folder: string
let served: ServedHere
let post: TestClient['post']
let postJson: TestClient['postJson']

async function start(): Promise<void> {
  served = await serveHere(folder)
  ;({ post, postJson } = clientOf(served.url))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsmt-requests-'))
  await start()
})
afterAll(async () => {
  await served.stop()
  await rm(folder, { recursive: true })
})

describe('content types', () => {
  // What a form would turn into blanks, letters and fields.
  const sql = "SELECT 'a+b%41&sql=c' AS v"
  const asText = ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8', 'text/plain', 'application/sql', 'multipart/form-data; boundary=x', 'text/json', 'application/jsonl', 'application/json-seq', 'application/vnd.api+json', '']
  for (const contentType of asText) {
    test(`${contentType || 'none'}: the whole body is the SQL text`, async () => {
      const headers: Record<string, string> = contentType === '' ? {} : { 'content-type': contentType }
      expect((await post(Buffer.from(sql), headers)).json.rows).toEqual([['a+b%41&sql=c']])
      expect((await post('{"sql":"SELECT 1"}', { 'content-type': contentType || 'text/plain' })).json.error.code).toBe('42601')
    })
  }

  for (const contentType of ['application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset=UTF-8']) {
    test(`${contentType}: a JSON object`, async () => {
      expect((await post(JSON.stringify({ sql }), { 'content-type': contentType })).json.rows).toEqual([['a+b%41&sql=c']])
      expect((await post(sql, { 'content-type': contentType })).json.error.code).toBe('22P02')
    })
  }
})

describe('answers', () => {
  const commit = { durability: 'sync', copies: 1 }
  const stats = { elapsedMs: expect.any(Number) as number }

  test('rowCount is of rows returned, or changed; a write has a commit, no columns and no rows', async () => {
    const write = (rowCount: number): unknown => ({ columns: [], rows: [], rowCount, commit, stats })
    expect((await post('CREATE TABLE counted (id INT PRIMARY KEY, n INT)')).json).toEqual(write(0))
    expect((await post('INSERT INTO counted VALUES (1, 0), (2, 0), (3, 0)')).json).toEqual(write(3))
    expect((await post('UPDATE counted SET n = id WHERE id > 1')).json).toEqual(write(2))
    expect((await post('DELETE FROM counted WHERE id = 3')).json).toEqual(write(1))
    expect((await post('DELETE FROM counted WHERE id = 3')).json).toEqual(write(0))
    const read = (await post('SELECT n, id FROM counted ORDER BY id')).json
    expect(read).toEqual({ columns: [{ name: 'n', type: 'INTEGER' }, { name: 'id', type: 'INTEGER' }], rows: [[0, 1], [2, 2]], rowCount: 2, stats: expect.any(Object) as object })
  })

  test('several statements give the same objects in one list', async () => {
    const { json } = await post("INSERT INTO kv VALUES ('a', '1'); SELECT value FROM kv WHERE key = 'a';")
    expect(Object.keys(json)).toEqual(['results'])
    expect(json.results).toEqual([{ columns: [], rows: [], rowCount: 1, commit, stats }, { columns: [{ name: 'value', type: 'TEXT' }], rows: [['1']], rowCount: 1, stats: expect.any(Object) as object }])
  })

  test('several statements stop at the first error', async () => {
    const { status, json } = await post('INSERT INTO counted VALUES (10, 1); INSERT INTO counted VALUES (11, 1 / 0); INSERT INTO counted VALUES (12, 1)')
    expect([status, json]).toMatchObject([400, { error: { code: '22012' } }])
    expect((await post('SELECT id FROM counted WHERE id >= 10')).json.rows).toEqual([[10]])
  })

  test('an error tells where it stands and what to do', async () => {
    expect((await post('SELECT * FROM x')).json).toEqual({ error: { code: '42P01', message: 'table "x" does not exist', position: 15, hint: 'SHOW TABLES lists those that do' } })
  })

  test('under an idempotency key the second answer is the first, and nothing is applied twice', async () => {
    const send = (): Promise<Answer> => post('UPDATE counted SET n = n + 1 WHERE id = 1 RETURNING n', { 'idempotency-key': 'once' })
    const [first, second] = [await send(), await send()]
    expect(second.json).toEqual({ ...first.json, stats })
    expect(first.json).toEqual({ columns: [{ name: 'n', type: 'INTEGER' }], rows: [[1]], rowCount: 1, commit, stats })
    expect((await post('SELECT n FROM counted WHERE id = 1')).json.rows).toEqual([[1]])
  })

  test('parameters stand in an array or an object, beside timeoutMs', async () => {
    expect((await postJson({ sql: 'SELECT $2 || $1 AS v', params: ['a', 'b'], timeoutMs: 60_000 })).json.rows).toEqual([['ba']])
    expect((await postJson({ sql: 'SELECT :second || :first AS v', params: { first: 'a', second: 'b' } })).json.rows).toEqual([['ba']])
  })

  test('the stats of a SELECT tell what it read', async () => {
    const filling = 'x'.repeat(100)
    await post('CREATE TABLE filled (id INT PRIMARY KEY, n INT, filling TEXT)')
    for (let from = 0; from < 12_000; from += 3_000) await post(`INSERT INTO filled VALUES ${Array.from({ length: 3_000 }, (_, i) => `(${from + i}, ${from + i}, '${from + i} ${filling}')`).join(', ')}`)
    // What is stopped has flushed, and nothing is cached after a start.
    await served.stop()
    await start()
    const sql = "SELECT COUNT(*) FROM filled WHERE n < 100 AND filling LIKE '9%'"
    const cold = (await post(sql)).json
    expect(cold.rows).toEqual([[11]])
    const { rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests } = cold.stats as Record<string, number>
    expect(rowGroupsTotal).toBeGreaterThan(4)
    expect(rowGroupsPruned).toBeGreaterThan(0)
    expect(rowGroupsPruned).toBeLessThan(rowGroupsTotal!)
    expect(bytesRead).toBeGreaterThan(100)
    expect(storageRequests).toBeGreaterThan(0)
    expect((await post(sql)).json.stats).toMatchObject({ rowGroupsTotal, rowGroupsPruned, bytesRead: 0, storageRequests: 0 })
  })
})
