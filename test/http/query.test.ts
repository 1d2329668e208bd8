/** POST /query as its users meet it: requests in, answers out, over real sockets. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { outcomeOf } from '../../src/lsm/log/outcome.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { testEngines } from '../sql/test-engines.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'

let server: TestServer

beforeAll(async () => {
  const [, openEngine] = testEngines[2]!
  server = await startTestServer({ engine: await openEngine() })
})
afterAll(async () => {
  await server.server.close(100)
  await server.engine.close()
})

describe('requests', () => {
  test('the two calls of the specification answer as printed', async () => {
    const written = await server.post("INSERT INTO kv VALUES ('hello', 'world')")
    expect(written.status).toBe(200)
    expect(written.json).toEqual({ columns: [], rows: [], rowCount: 1, commit: { durability: 'sync', copies: 1 }, stats: { elapsedMs: expect.any(Number) } })
    const read = await server.post("SELECT value FROM kv WHERE key = 'hello'")
    expect(read.text).toMatch(/^\{"columns":\[\{"name":"value","type":"TEXT"\}\],"rows":\[\["world"\]\],"rowCount":1,"stats":\{"elapsedMs":[\d.]+,/)
    expect(read.headers.get('content-type')).toMatch(/^application\/json/)
  })

  test('a SELECT tells what it read', async () => {
    const { stats } = (await server.post('SELECT * FROM kv')).json
    expect(Object.keys(stats)).toEqual(['elapsedMs', 'rowGroupsTotal', 'rowGroupsPruned', 'bytesRead', 'storageRequests', 'spilledBytes'])
  })

  test('parameters by number, by position and by name', async () => {
    await server.postJson({ sql: 'INSERT INTO kv VALUES ($1, $2)', params: ['p', 'one'] })
    expect((await server.postJson({ sql: 'SELECT value FROM kv WHERE key = $1', params: ['p'] })).json.rows).toEqual([['one']])
    expect((await server.postJson({ sql: 'SELECT value FROM kv WHERE key = ?', params: ['p'] })).json.rows).toEqual([['one']])
    expect((await server.postJson({ sql: 'SELECT value FROM kv WHERE key = :k', params: { k: 'p' } })).json.rows).toEqual([['one']])
    expect((await server.postJson({ sql: 'SELECT value FROM kv WHERE key = $2', params: ['p'] })).json.error).toMatchObject({ code: '42601', position: 34 })
  })

  test('numbers in parameters keep their digits', async () => {
    await server.post('CREATE TABLE exact (id BIGINT PRIMARY KEY, n NUMERIC(18,4), d DOUBLE PRECISION)')
    const body = '{"sql":"INSERT INTO exact VALUES (?, ?, ?)","params":[9007199254740993, 12345678901234.5678, 1.7976931348623157e308]}'
    expect((await server.post(body, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200)
    expect((await server.post('SELECT * FROM exact')).json.rows).toEqual([['9007199254740993', '12345678901234.5678', 1.7976931348623157e308]])
    expect((await server.post('{"sql":"SELECT id FROM exact WHERE id = :id","params":{"id":9007199254740992}}', { 'content-type': 'application/json' })).json.rows).toEqual([])
  })

  test('several statements', async () => {
    const answer = await server.post("INSERT INTO kv VALUES ('m', '1'); SELECT value FROM kv WHERE key = 'm'; DELETE FROM kv WHERE key = 'm'")
    expect(answer.json.results.map((result) => result.rowCount)).toEqual([1, 1, 1])
    expect(answer.json.results[1]!.rows).toEqual([['1']])
    const failing = await server.post("INSERT INTO kv VALUES ('m2', '1'); SELECT nothing FROM kv; DELETE FROM kv WHERE key = 'm2'")
    expect(failing.status).toBe(400)
    expect(failing.json).toEqual({ error: { code: '42703', message: 'column "nothing" does not exist in table "kv"', position: 43 } })
    expect((await server.post("SELECT key FROM kv WHERE key = 'm2'")).json.rowCount).toBe(1)
  })

  test('a transaction: only its COMMIT says that anything is durable', async () => {
    await server.post('CREATE TABLE counters (id BIGINT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO counters VALUES (1, 0), (2, 0)')
    const commit = { durability: 'sync', copies: 1 }
    const answer = await server.post('BEGIN; UPDATE counters SET n = n + 1 WHERE id = 1 RETURNING n; SELECT n FROM counters WHERE id = 1; COMMIT; UPDATE counters SET n = 0 WHERE id = 1')
    expect(answer.json.results.map((result) => [result.rows, result.rowCount, (result as { commit?: unknown }).commit])).toEqual([
      [[], 0, undefined], [[[1]], 1, undefined], [[[1]], 1, undefined], [[], 0, commit], [[], 1, commit],
    ])
    const nothing = await server.post('BEGIN; SELECT 1; COMMIT')
    expect(nothing.json.results.at(-1)).toEqual({ columns: [], rows: [], rowCount: 0, stats: { elapsedMs: expect.any(Number) } })
    expect((await server.post('BEGIN; UPDATE counters SET n = 7 WHERE id = 1; SELECT 1 / n FROM counters WHERE id = 2; COMMIT')).json.error.code).toBe('22012')
    expect((await server.post('BEGIN; UPDATE counters SET n = 7 WHERE id = 1')).json.error.code).toBe('25000')
    expect((await server.post('SELECT n FROM counters ORDER BY id')).json.rows).toEqual([[0], [0]])
  })

  test('counters counted by many transactions at once lose nothing', async () => {
    await server.post('CREATE TABLE moved (id BIGINT PRIMARY KEY, n BIGINT NOT NULL); CREATE TABLE log (line TEXT); INSERT INTO moved VALUES (1, 0), (2, 0)')
    const requests = Array.from({ length: 40 }, (_, i) => server.post(`BEGIN; UPDATE moved SET n = n - ${i} WHERE id = 1; INSERT INTO log VALUES ('${i}'); UPDATE moved SET n = n + ${i} WHERE id = 2; ${i % 5 === 0 ? 'ROLLBACK' : 'COMMIT'}`))
    const sums = Array.from({ length: 20 }, () => server.post('SELECT SUM(n) FROM moved'))
    for (const { json } of await Promise.all(sums)) expect(json.rows).toEqual([['0']])
    for (const { status } of await Promise.all(requests)) expect(status).toBe(200)
    const moved = Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? 0 : i)).reduce((sum, i) => sum + i)
    expect((await server.post('SELECT n FROM moved ORDER BY id')).json.rows).toEqual([[-moved], [moved]])
    expect((await server.post('SELECT COUNT(*) FROM log')).json.rows).toEqual([[32]])
  })

  test('values of every type', async () => {
    await server.post('CREATE TABLE every (id INT PRIMARY KEY, b BIGINT, n NUMERIC(10,2), d DOUBLE PRECISION, t TEXT, o BOOLEAN, ts TIMESTAMP, da DATE, y BYTEA)')
    await server.post(
      "INSERT INTO every VALUES (1, 9007199254740991, 1.5, 0.1, 'a\"b\n', TRUE, '2024-01-02 03:04:05.60', '2024-01-02', '\\x00ff'), (2, 9007199254740992, -0.05, 'NaN', '', FALSE, '2024-01-02', '0001-01-01', ''), (3, -9223372036854775808, 0, '-Infinity', NULL, NULL, NULL, NULL, NULL), (4, -9007199254740992, NULL, -0.0, NULL, NULL, NULL, NULL, NULL)",
    )
    const answer = await server.post('SELECT * FROM every')
    expect(answer.json.columns.map((column) => column.type)).toEqual(['INTEGER', 'BIGINT', 'NUMERIC(10,2)', 'DOUBLE PRECISION', 'TEXT', 'BOOLEAN', 'TIMESTAMP', 'DATE', 'BYTEA'])
    expect(answer.json.rows).toEqual([
      [1, 9007199254740991, '1.50', 0.1, 'a"b\n', true, '2024-01-02T03:04:05.6Z', '2024-01-02', 'AP8='],
      [2, '9007199254740992', '-0.05', 'NaN', '', false, '2024-01-02T00:00:00Z', '0001-01-01', ''],
      [3, '-9223372036854775808', '0.00', '-Infinity', null, null, null, null, null],
      [4, '-9007199254740992', null, -0, null, null, null, null, null],
    ])
  })

  test('texts survive, whatever is in them', async () => {
    const texts = ['', "'", '"', '\\', '\n\r\t', '\u0000', '😀', 'é', '\u2028', '{"a":1}', ';DROP TABLE kv', '$1 ? :x', '--', '/*']
    for (const text of texts) {
      expect((await server.postJson({ sql: 'INSERT INTO kv VALUES ($1, $2)', params: [`n:${text}`, text] })).status).toBe(200)
      expect((await server.postJson({ sql: 'SELECT value FROM kv WHERE key = $1', params: [`n:${text}`] })).json.rows).toEqual([[text]])
      const quoted = text.replaceAll("'", "''")
      expect((await server.post(`SELECT value FROM kv WHERE key = 'n:${quoted}'`)).json.rows).toEqual([[text]])
    }
  })
})

describe('refusals', () => {
  const cases: readonly (readonly [string, number, string, () => Promise<{ status: number; json: { error: { code: string } } }>])[] = [
    ['an unknown table', 400, '42P01', () => server.post('SELECT * FROM nope')],
    ['a syntax error', 400, '42601', () => server.post('SELEC')],
    ['an empty body', 400, '42601', () => server.post('')],
    ['what is not supported', 400, '0A000', () => server.post('SELECT count(*) OVER () FROM kv')],
    ['a body that is not UTF-8', 400, '22021', () => server.post(new Uint8Array([0x53, 0xff, 0xfe]))],
    ['a body that is not JSON', 400, '22P02', () => server.post('{"sql":', { 'content-type': 'application/json' })],
    ['JSON that is no object', 400, '22P02', () => server.post('[1]', { 'content-type': 'application/json' })],
    ['JSON without sql', 400, '22023', () => server.postJson({ query: 'SELECT 1' })],
    ['an unknown field', 400, '22023', () => server.postJson({ sql: 'SELECT * FROM kv', parms: [] })],
    ['parameters that are no list', 400, '22023', () => server.postJson({ sql: 'SELECT * FROM kv', params: 'x' })],
    ['an array as a parameter', 400, '0A000', () => server.postJson({ sql: 'SELECT * FROM kv WHERE key = $1', params: [['x']] })],
    ['an object that looks like digits', 400, '0A000', () => server.postJson({ sql: 'SELECT * FROM kv WHERE key = $1', params: [{ digits: '1' }] })],
    ['a bad timeout', 400, '22023', () => server.postJson({ sql: 'SELECT * FROM kv', timeoutMs: -1 })],
    ['a bad budget of requests', 400, '22023', () => server.postJson({ sql: 'SELECT * FROM kv', maxStorageRequests: -1 })],
    ['an unknown format by Accept', 406, '0A000', () => server.post('SELECT * FROM kv', { accept: 'application/xml, image/*' })],
    ['a format that is ruled out', 406, '0A000', () => server.post('SELECT * FROM kv', { accept: 'application/json;q=0' })],
    ['an unknown format by name', 406, '0A000', () => server.post('SELECT * FROM kv', { accept: 'text/csv' }, '/query?format=xml')],
    ['an unknown URL parameter', 400, '22023', () => server.post('SELECT * FROM kv', {}, '/query?pretty=1')],
    ['a compressed body', 400, '0A000', () => server.post('SELECT * FROM kv', { 'content-encoding': 'gzip' })],
    ['a page of another site', 403, '42501', () => server.post('SELECT * FROM kv', { origin: 'http://evil.example' })],
    ['a body over the limit', 413, '54000', () => server.post(`SELECT '${'x'.repeat(1_000_001)}' FROM kv`)],
    ['a statement with too many tokens', 413, '54000', () => server.post(`SELECT ${'key, '.repeat(10_000)}key FROM kv`)],
  ]
  for (const [what, status, code, send] of cases) {
    test(`${what} is ${status} ${code}`, async () => {
      const answer = await send()
      expect({ status: answer.status, code: answer.json.error.code }).toEqual({ status, code })
    })
  }

  test('a duplicate key is 409', async () => {
    await server.post('CREATE TABLE strict (id INT PRIMARY KEY); INSERT INTO strict VALUES (1)')
    const answer = await server.post('INSERT INTO strict VALUES (1)')
    expect([answer.status, answer.json.error.code]).toEqual([409, '23505'])
  })

  test('json by name is what it is', async () => {
    expect((await server.post('SELECT * FROM kv', { accept: 'text/html, application/json;q=0.9' }, '/query?format=json')).status).toBe(200)
  })
})

describe('failures', () => {
  test('a fault of ours is 500 and tells nothing of the inside', async () => {
    const engine = { ...openModelEngine(), get: () => { throw new TypeError('secret /home/user/data is undefined') } }
    const broken = await startTestServer({ engine })
    const answer = await broken.post("SELECT value FROM kv WHERE key = 'x'")
    expect(answer.status).toBe(500)
    expect(answer.json).toEqual({ error: { code: 'XX000', message: 'internal error: a bug in lsmt' } })
    expect(broken.faults).toHaveLength(1)
    await broken.server.close(100)
  })

  test('a failing disk is 500 without its paths, corruption names its file', async () => {
    const errors = [new LsmtError('58030', 'EIO reading /srv/data/table/1'), new LsmtError('XX001', 'corrupt block in table/1.sst, block 3: expected 1, found 2')]
    const engine = { ...openModelEngine(), get: () => { throw errors.shift()! } }
    const broken = await startTestServer({ engine })
    const disk = await broken.post("SELECT value FROM kv WHERE key = 'x'")
    expect([disk.status, disk.json.error.code, disk.text.includes('/srv')]).toEqual([500, '58030', false])
    const corrupt = await broken.post("SELECT value FROM kv WHERE key = 'x'")
    expect([corrupt.status, corrupt.json.error.message]).toEqual([500, 'corrupt block in table/1.sst, block 3: expected 1, found 2'])
    await broken.server.close(100)
  })

  test('an outcome that is not known is 503, and the operator hears why', async () => {
    const engine = { ...openModelEngine(), insert: () => Promise.reject(outcomeOf(new LsmtError('58030', 'cannot sync /srv/data/wal/1'))) }
    const broken = await startTestServer({ engine, logLevel: 'error' })
    const answer = await broken.post("INSERT INTO kv VALUES ('a', 'b')")
    expect([answer.status, answer.json.error.code, answer.text.includes('/srv')]).toEqual([503, '40003', false])
    expect(broken.logged).toMatchObject([{ msg: 'it is not known whether a request took effect' }])
    expect(broken.faults).toMatchObject([{ cause: { message: 'cannot sync /srv/data/wal/1' } }])
    await broken.server.close(100)
  })

  test('waiting makes sense: 503 with Retry-After', async () => {
    const engine = { ...openModelEngine(), insert: () => Promise.reject(new LsmtError('53100', 'the disk is full')) }
    const full = await startTestServer({ engine })
    const answer = await full.post("INSERT INTO kv VALUES ('a', 'b')")
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    await full.server.close(100)
  })
})
