/** Every SQLSTATE of the contract with its HTTP status, each by a request that really leads to it, against `lsmt serve` with narrow limits. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { serveHere } from '../../cli/cli-in-process.ts'
import type { ServedHere } from '../../cli/cli-in-process.ts'
import { clientOf } from '../http-client.ts'
import type { Answer, TestClient } from '../http-client.ts'

const MiB = 1024 * 1024
const limits = { '--body-bytes-max': 20_000, '--statement-length-max': 10_000, '--query-memory-bytes-max': MiB, '--query-spill-bytes-max': MiB }

let folder: string
let served: ServedHere
let client: TestClient

const writer = { authorization: 'Bearer writer' }
const send = (sql: string, headers: Readonly<Record<string, string>> = writer): Promise<Answer> => client.post(sql, headers)

const table = `CREATE TABLE t (id INT PRIMARY KEY, name TEXT NOT NULL, small SMALLINT); INSERT INTO t VALUES ${Array.from({ length: 300 }, (_, id) => `(${id}, 'name', 0)`).join(', ')}`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsmt-statuses-'))
  const tokens = join(folder, 'tokens')
  await writeFile(tokens, 'read:reader\nwrite:writer\n')
  served = await serveHere(join(folder, 'data'), ['--auth-token-file', tokens, ...Object.entries(limits).flatMap(([flag, value]) => [flag, String(value)])])
  client = clientOf(served.url)
  const { status, text } = await send(table)
  expect(status, text).toBe(200)
})
afterAll(async () => {
  await served.stop()
  await rm(folder, { recursive: true })
})

/** Takes longer than anyone waits. */
const endless = 'SELECT COUNT(*) FROM t a, t b, t c, t d WHERE a.id + b.id + c.id + d.id < 0'

const wrong: readonly (readonly [string, string, string])[] = [
  ['42601', 'syntax', 'SELECT 1 +'],
  ['42P01', 'an unknown table', 'SELECT * FROM nowhere'],
  ['42P01', 'an unknown table to write to', "INSERT INTO nowhere VALUES ('a')"],
  ['42703', 'an unknown column', 'SELECT nothing FROM t'],
  ['42P07', 'a table that exists', 'CREATE TABLE t (id INT)'],
  ['42804', 'text where a number is wanted', "UPDATE t SET id = name"],
  ['42883', 'an unknown function', 'SELECT unheard_of(id) FROM t'],
  ['42883', 'text compared with a number', 'SELECT * FROM t WHERE name = id'],
  ['22003', 'a number out of range', 'UPDATE t SET small = 40000'],
  ['22003', 'a sum out of range', 'SELECT 9223372036854775807 + id FROM t'],
  ['22012', 'a division by zero', 'SELECT 1 / small FROM t'],
  ['22P02', 'a bad value', "SELECT CAST(name AS INT) FROM t"],
  ['23502', 'null in NOT NULL', 'INSERT INTO t (id) VALUES (1000)'],
  ['0A000', 'what is not supported', 'SELECT id, RANK() OVER (ORDER BY id) FROM t'],
]

describe('400: the statement is wrong, or asks for what there is not', () => {
  for (const [code, what, sql] of wrong) {
    test(`${code}: ${what}`, async () => {
      const { status, headers, json } = await send(sql)
      expect([status, json.error.code, headers.get('retry-after'), headers.get('content-type')]).toEqual([400, code, null, 'application/json; charset=utf-8'])
      expect(Object.keys(json)).toEqual(['error'])
    })
  }

  test('none of them has changed anything', async () => {
    expect((await send('SELECT COUNT(*), SUM(id), MAX(small) FROM t')).json.rows).toEqual([[300, 44850, 0]])
  })
})

describe('the other statuses', () => {
  test('28000 is 401: no token, or a wrong one', async () => {
    for (const headers of [{}, { authorization: 'Bearer reade' }]) {
      const { status, headers: answered, json } = await send('SELECT 1', headers)
      expect([status, json.error.code, answered.get('www-authenticate')]).toEqual([401, '28000', 'Bearer realm="lsmt"'])
    }
  })

  test('42501 is 403: a token that may only read', async () => {
    const { status, json } = await send('DELETE FROM t', { authorization: 'Bearer reader' })
    expect([status, json.error.code]).toEqual([403, '42501'])
    expect((await send('SELECT COUNT(*) FROM t', { authorization: 'Bearer reader' })).json.rows).toEqual([[300]])
  })

  test('23505 is 409: a duplicate primary key', async () => {
    const { status, json } = await send("INSERT INTO t VALUES (1000, 'new', 0), (7, 'again', 0)")
    expect([status, json.error.code]).toEqual([409, '23505'])
    expect((await send('SELECT COUNT(*) FROM t WHERE id = 1000')).json.rows).toEqual([[0]])
  })

  test('54000 is 413: a body, or a statement, that is too large', async () => {
    for (const length of [limits['--body-bytes-max'], limits['--statement-length-max']]) {
      const { status, json } = await send(`SELECT '${'x'.repeat(length)}'`)
      expect([length, status, json.error.code]).toEqual([length, 413, '54000'])
    }
  })

  test('57014 is 408: longer than the request allows', async () => {
    const { status, json } = await client.post(JSON.stringify({ sql: endless, timeoutMs: 30 }), { ...writer, 'content-type': 'application/json' })
    expect([status, json.error]).toEqual([408, { code: '57014', message: 'the statement took longer than 30 ms' }])
  })

  test('57014 is 408: longer than the server allows; meanwhile 53300 is 429, with Retry-After: too many at once', async () => {
    vi.stubEnv('LSMT_STATEMENT_TIMEOUT_MS', '500')
    const narrow = await serveHere(join(folder, 'narrow'), ['--queries-max', '1', '--queue-max', '0'])
    vi.unstubAllEnvs()
    const { post, postJson } = clientOf(narrow.url)
    await post(table)
    let isRunning = true
    const running = postJson({ sql: endless, timeoutMs: 60_000 }).finally(() => { isRunning = false })
    let refused = await post('SELECT 1')
    while (refused.status === 200 && isRunning) refused = await post('SELECT 1')
    expect([refused.status, refused.json.error.code, refused.headers.get('retry-after')]).toEqual([429, '53300', '1'])
    const { status, json } = await running
    expect([status, json.error]).toMatchObject([408, { code: '57014', message: 'the statement took longer than 500 ms' }])
    expect((await post('SELECT 1')).status).toBe(200)
    await narrow.stop()
  })

  test('53200 is 429, with Retry-After: more memory and disk than a query may have', async () => {
    const { status, headers, json } = await send('SELECT repeat(a.name, 500) FROM t a, t b WHERE a.id < 20 ORDER BY b.id, a.id')
    expect([status, json.error.code, headers.get('retry-after')]).toEqual([429, '53200', '1'])
  })
})
