/** Who is served: with tokens, each request needs one, and a token that may only read changes nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseTokens } from '../../src/http/guard/tokens.ts'
import { answerOf, startTestServer } from './http-client.ts'
import type { Answer, TestServer } from './http-client.ts'

let server: TestServer
let current = parseTokens('read:r\nwrite:w', 'a test')

beforeAll(async () => {
  server = await startTestServer({ clients: { kind: 'tokens', current: () => current } })
})
afterAll(() => server.server.close(100))

const get = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => await answerOf(await fetch(server.url + path, { headers }))
const send = (token: string, sql: string): Promise<Answer> => server.post(sql, { authorization: `Bearer ${token}` })
const outcome = ({ status, json }: Answer): unknown => [status, json.error?.code]

test('every route but health wants a token', async () => {
  expect((await get('/health/live')).status).toBe(200)
  expect((await get('/health/ready?x=1')).status).toBe(200)
  for (const path of ['/status', '/metrics', '/health', '/health/', '/health/live/../../status', '/health/livestatus', '/nothing']) {
    const answer = await get(path)
    expect([path, answer.status, answer.headers.get('www-authenticate'), answer.json.error.code]).toEqual([path, 401, 'Bearer realm="lsmt"', '28000'])
  }
  expect(outcome(await server.post('SELECT 1'))).toEqual([401, '28000'])
  expect(outcome(await send('wrong', 'SELECT 1'))).toEqual([401, '28000'])
  expect((await get('/status', { authorization: 'Bearer r' })).status).toBe(200)
  expect((await server.post('SELECT 1', { authorization: `Basic ${Buffer.from('me:r').toString('base64')}` })).status).toBe(200)
})

test('with a token the name of the host and the origin do not count', async () => {
  expect((await get('/status', { authorization: 'Bearer r', origin: 'https://console.example' })).status).toBe(200)
})

test('a token that may only read is refused what the plan would write, not what the text looks like', async () => {
  expect((await send('w', "CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)")).status).toBe(200)
  const reads = ['SELECT a FROM t', "SELECT 'INSERT INTO t VALUES (9)'", 'WITH w AS (SELECT 1) SELECT * FROM w', 'EXPLAIN DELETE FROM t', 'EXPLAIN ANALYZE SELECT * FROM t', 'SHOW TABLES', 'BEGIN; SELECT 1; COMMIT', 'VALUES (1)']
  for (const sql of reads) expect([sql, (await send('r', sql)).status]).toEqual([sql, 200])
  const writes = ['INSERT INTO t VALUES (3)', '/* SELECT */ insert into t values (3)', 'UPDATE t SET a = 9 WHERE a = 1', 'DELETE FROM t', 'DELETE FROM t WHERE a = 1', 'TRUNCATE t', 'DROP TABLE t', 'CREATE TABLE u (a INT)', 'ALTER TABLE t ADD COLUMN b INT', 'UPSERT INTO t VALUES (1)', 'INSERT INTO t SELECT a + 10 FROM t', 'EXPLAIN ANALYZE DELETE FROM t', 'BEGIN; DELETE FROM t; COMMIT']
  for (const sql of writes) expect([sql, ...outcome(await send('r', sql)) as unknown[]]).toEqual([sql, 403, '42501'])
  const stopped = await send('r', 'SELECT 1; DELETE FROM t')
  expect([stopped.json.error.code, stopped.json.error.position]).toEqual(['42501', 11])
  // The same texts were planned for who may not: that must not keep others from them, nor the other way round.
  expect((await send('w', 'SELECT a FROM t ORDER BY a')).json.rows).toEqual([[1], [2]])
  expect((await send('w', 'INSERT INTO t VALUES (3)')).status).toBe(200)
  expect(outcome(await send('r', 'INSERT INTO t VALUES (4)'))).toEqual([403, '42501'])
})

test('tokens count as they are now', async () => {
  current = parseTokens('read:r2', 'a test')
  expect(outcome(await send('r', 'SELECT 1'))).toEqual([401, '28000'])
  expect((await send('r2', 'SELECT 1')).status).toBe(200)
})
