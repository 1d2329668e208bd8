/** POST /import over real sockets: what is written, refused, left out, compressed, broken off, and sent again. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'
import { startTestServer } from '../http-client.ts'
import type { TestServer } from '../http-client.ts'

interface ImportAnswer {
  readonly status: number
  readonly json: { readonly rowCount?: number; readonly skipped?: number; readonly linesFailed?: number; readonly errors?: readonly unknown[]; readonly commit?: unknown; readonly error?: { readonly code: string; readonly message: string } }
}

let server: TestServer

beforeEach(async () => {
  server = await startTestServer({ engine: await openTestEngine(createMemoryStorage(), { kernels: 'js', shards: 2 }) })
  await server.post('CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT NOT NULL, n NUMERIC(8,2))')
})

afterEach(async () => {
  await server.server.close(0)
  await server.engine.close()
})

type Body = string | Uint8Array | AsyncIterable<Uint8Array>

async function load(parameters: string, body: Body, headers: Readonly<Record<string, string>> = {}): Promise<ImportAnswer> {
  const given = typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : ReadableStream.from(body)
  const response = await fetch(`${server.url}/import?${parameters}`, { method: 'POST', body: given, duplex: 'half', headers })
  return { status: response.status, json: (await response.json()) as ImportAnswer['json'] }
}

const rows = async (sql = 'SELECT * FROM t ORDER BY id'): Promise<unknown> => (await server.post(sql)).json.rows

/** More than one statement takes, so that it is staged: `count` rows, in pieces. */
async function* many(count: number, from = 0): AsyncGenerator<Uint8Array> {
  yield Buffer.from('id,name\n')
  const name = 'x'.repeat(20_000)
  for (let i = from; i < from + count; i += 20) yield Buffer.from(Array.from({ length: Math.min(20, from + count - i) }, (_, at) => `${i + at},${name}\n`).join(''))
}

describe('what is imported', () => {
  test('CSV with a header, JSON lines, and their options', async () => {
    expect(await load('table=t&format=csv', 'id,n,name\n1,1.5,a\n2,,"b, ""c"""\n')).toMatchObject({ status: 200, json: { rowCount: 2, skipped: 0, errors: [], commit: { durability: 'sync', copies: 1 } } })
    expect(await load('table=t&header=false&columns=name,id&delimiter=tab', 'd\t3\n', { 'content-type': 'text/csv' })).toMatchObject({ status: 200, json: { rowCount: 1 } })
    expect(await load('table=t&columns=id,name', 'no,matter\n4,e\n', { 'content-type': 'text/csv' })).toMatchObject({ json: { rowCount: 1 } })
    expect(await load('table=t', '{"id":5,"name":"f","n":"2.25"}\n', { 'content-type': 'application/x-ndjson' })).toMatchObject({ json: { rowCount: 1 } })
    expect(await load('table=t&format=csv&onConflict=replace', 'id,name\n5,g\n')).toMatchObject({ json: { rowCount: 1 } })
    expect(await rows()).toEqual([[1, 'a', '1.50'], [2, 'b, "c"', null], [3, 'd', null], [4, 'e', null], [5, 'g', null]])
  })

  test('gzip, and bodies larger than a statement', async () => {
    expect(await load('table=t&format=csv', gzipSync('id,name\n1,a\n'), { 'content-encoding': 'gzip' })).toMatchObject({ json: { rowCount: 1 } })
    expect(await load('table=t&format=csv', many(1500, 10))).toMatchObject({ status: 200, json: { rowCount: 1500 } })
    expect(await rows('SELECT count(*), sum(octet_length(name)) FROM t')).toEqual([[1501, 1 + 1500 * 20_000]])
  })
})

test('rows that are one batch, and more than one statement may write where memory is small', async () => {
  const small = await startTestServer({ engine: await openTestEngine(createMemoryStorage(), { kernels: 'js', shards: 2, kernelMemoryBytes: 64 * 1024 * 1024 }) })
  try {
    await small.post('CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT NOT NULL); CREATE TABLE u (id BIGINT PRIMARY KEY, name TEXT NOT NULL)')
    for (const [table, headers] of [['t', {}], ['u', { 'idempotency-key': 'once' }]] as const) {
      const answer = await fetch(`${small.url}/import?table=${table}&format=csv`, { method: 'POST', body: ReadableStream.from(many(800)), duplex: 'half', headers })
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ rowCount: 800 })])
      expect((await small.post(`SELECT count(*), max(id) FROM ${table}`)).json.rows).toEqual([[800, 799]])
    }
  } finally {
    await small.server.close(0)
    await small.engine.close()
  }
})

describe('what is not', () => {
  test('a wrong line refuses all, with line, column and reason', async () => {
    expect(await load('table=t&format=csv', 'id,name,n\n1,a,\nx,b,\n3,c,1e30\n')).toMatchObject({
      status: 400,
      json: { error: { code: '22P02', message: expect.stringContaining('2 lines are wrong: line 3, column id') as string }, linesFailed: 2, errors: [{ line: 3, column: 'id', code: '22P02' }, { line: 4, column: 'n', code: '22003' }] },
    })
    await server.post("INSERT INTO t VALUES (1, 'there', NULL)")
    expect(await load('table=t&format=csv', 'id,name\n2,b\n1,a\n')).toMatchObject({ status: 409, json: { error: { code: '23505' }, errors: [{ line: 3 }] } })
    expect(await rows()).toEqual([[1, 'there', null]])
    expect(await load('table=t&format=csv&onError=skip', 'id,name\n2,b\n1,a\nx,y\n')).toMatchObject({ status: 200, json: { rowCount: 1, skipped: 2, errors: [{ line: 4 }, { line: 3, message: 'duplicate key (id) = (1)' }] } })
  })

  test.each([
    ['no table', 400, '22023', 'format=csv', ''],
    ['an unknown table', 400, '42P01', 'table=nope&format=csv', 'a\n'],
    ['no format', 400, '22023', 'table=t', ''],
    ['an unknown format', 400, '22023', 'table=t&format=xml', ''],
    ['an unknown parameter', 400, '22023', 'table=t&format=csv&quote=x', ''],
    ['a parameter twice', 400, '22023', 'table=t&table=t&format=csv', ''],
    ['options of CSV for JSON', 400, '22023', 'table=t&format=jsonl&header=false', ''],
    ['an unknown column', 400, '42703', 'table=t&format=csv&columns=nope', '1\n'],
    ['no UTF-8', 400, '22021', 'table=t&format=csv', Uint8Array.of(0x69, 0x64, 0x0a, 0xff)],
  ])('%s is %i %s', async (_, status, code, parameters, body) => {
    expect(await load(parameters, body)).toMatchObject({ status, json: { error: { code } } })
  })

  test('compressed bodies that are none, break off, or grow beyond reason', async () => {
    const gzip = { 'content-encoding': 'gzip' }
    expect(await load('table=t&format=csv', 'id,name\n1,a\n', gzip)).toMatchObject({ status: 400, json: { error: { code: '22P02' } } })
    expect(await load('table=t&format=csv', gzipSync('id,name\n1,a\n').subarray(0, 20), gzip)).toMatchObject({ status: 400, json: { error: { code: '22P02' } } })
    expect(await load('table=t&format=csv&onError=skip&header=false&columns=id,name', gzipSync(Buffer.alloc(64 * 1024 * 1024, '\n')), gzip)).toMatchObject({ status: 413, json: { error: { code: '54000' } } })
    expect(await load('table=t&format=csv', 'x', { 'content-encoding': 'br' })).toMatchObject({ status: 400, json: { error: { code: '0A000' } } })
    expect(await rows()).toEqual([])
  })

  test('GET is 405', async () => {
    expect((await fetch(`${server.url}/import?table=t`)).status).toBe(405)
  })

  test('a refusal is heard while megabytes are still to be sent', async () => {
    expect(await load('table=nope&format=csv', many(1500))).toMatchObject({ status: 400, json: { error: { code: '42P01' } } })
    expect((await server.post('SELECT 1')).status).toBe(200)
  })

  test('a client that goes away, or sends nothing more, leaves nothing', async () => {
    await server.server.close(0)
    server = await startTestServer({ engine: server.engine, limits: { bodyTimeoutMs: 1_000 } })
    const begin = (): ReturnType<typeof httpRequest> => httpRequest(`${server.url}/import?table=t&format=csv`, { method: 'POST' })
    const gone = begin()
    gone.on('error', () => {})
    gone.write('id,name\n1,a\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    gone.destroy()
    const silent = begin()
    silent.write('id,name\n1,a\n')
    const [response] = (await once(silent, 'response')) as [{ readonly statusCode: number; resume(): void }]
    expect(response.statusCode).toBe(408)
    silent.destroy()
    expect(await rows()).toEqual([])
    expect(server.faults).toEqual([])
  })
})

describe('under an idempotency key', () => {
  const key = { 'idempotency-key': 'k' }
  const withoutStats = ({ status, json }: ImportAnswer): unknown => ({ status, ...json, stats: undefined })

  test.each(['stop', 'skip'])('an import is made once, onError=%s', async (onError) => {
    const parameters = `table=t&format=csv&onError=${onError}`
    const first = await load(parameters, 'id,name\n1,a\n2,b\n', key)
    expect(first.json.rowCount).toBe(2)
    await server.post('DELETE FROM t')
    expect(withoutStats(await load(parameters, 'id,name\n1,a\n2,b\n', key))).toEqual(withoutStats(first))
    for (const body of ['id,name\n1,a\n2,c\n', 'id,name\n1,a\n', 'id,name\n1,a\n2,b\n3,c\n']) expect(await load(parameters, body, key)).toMatchObject({ status: 400, json: { error: { code: '22023' } } })
    expect(await load(`${parameters}&onConflict=replace`, 'id,name\n1,a\n2,b\n', key)).toMatchObject({ json: { error: { code: '22023' } } })
    expect((await server.post('SELECT 1', key)).json.error.code).toBe('22023')
    expect(await rows()).toEqual([])
  })

  test('large ones, empty ones and refused ones', async () => {
    const first = await load('table=t&format=csv', many(1500), key)
    expect(first.json.rowCount).toBe(1500)
    await server.post('DELETE FROM t WHERE id > 0')
    expect(withoutStats(await load('table=t&format=csv', many(1500), key))).toEqual(withoutStats(first))
    expect(await rows('SELECT count(*) FROM t')).toEqual([[1]])
    for (let i = 0; i < 2; i++) expect(await load('table=t&format=csv', 'id,name\n', { 'idempotency-key': 'empty' })).toMatchObject({ status: 200, json: { rowCount: 0 } })
    expect(await load('table=t&format=csv', 'id,name\n0,again\n', { 'idempotency-key': 'refused' })).toMatchObject({ status: 409 })
    await server.post('DELETE FROM t')
    expect(await load('table=t&format=csv', 'id,name\n0,again\n', { 'idempotency-key': 'refused' })).toMatchObject({ status: 200 })
  })

  test('one with skip that broke off goes on behind what it has written', async () => {
    const parameters = 'table=t&format=csv&onError=skip'
    const pieces: Uint8Array[] = []
    for await (const piece of many(1000)) pieces.push(piece)
    const lines = Buffer.concat([...pieces, Buffer.from('x,wrong\n500,again\n1000,last\n')])
    async function* broken(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 15_000_000; at += 65_536) yield lines.subarray(at, at + 65_536)
      throw new Error('the cable')
    }
    await expect(load(parameters, broken(), key)).rejects.toThrow()
    await expect.poll(async () => Number(((await rows('SELECT count(*) FROM t')) as number[][])[0]![0])).toBeGreaterThan(200)
    // What was written must not be written again, even where it is not there any more.
    await server.post('DELETE FROM t WHERE id < 100')
    const other = Buffer.from(lines)
    other[500] = 0x79
    expect(await load(parameters, other, key)).toMatchObject({ json: { error: { code: '22023' } } })
    const done = await load(parameters, lines, key)
    expect(done).toMatchObject({ status: 200, json: { rowCount: 1001, skipped: 2, errors: [{ line: 1002, code: '22P02' }, { line: 1003, code: '23505' }] } })
    expect(await rows('SELECT count(*), min(id) FROM t')).toEqual([[901, 100]])
    expect(withoutStats(await load(parameters, lines, key))).toEqual(withoutStats(done))
  })
})
