/** Clients that mean harm, or are broken: the server goes on answering the others while they are there and after. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer } from '../server-process.ts'
import { fullTests } from '../kernel/both-kinds.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'
import { exchange, openRaw, rawQuery, statusOf } from './raw-client.ts'
import type { RawConnection } from './raw-client.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ limits: { headersTimeoutMs: 20_000 } })
})
afterAll(() => server.server.close(0))

/** An honest request is answered in time. */
async function served(): Promise<void> {
  const answer = await Promise.race([server.post('SELECT 1'), new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5_000))])
  expect(answer?.json.rows).toEqual([[1]])
}

test(`${fullTests ? 10_000 : 1_000} idle connections, some of them half-way through a head or a body`, async () => {
  // In a process of its own: each side of a connection is an open file.
  const folder = await mkdtemp(join(tmpdir(), 'lsmt-abuse-'))
  const { url, query, stop } = await startServer(folder, ['--shards', '1', '--headers-timeout-ms', '120000', '--body-timeout-ms', '120000'])
  const connections: RawConnection[] = []
  for (let wave = 0; wave < (fullTests ? 50 : 5); wave++) connections.push(...await Promise.all(Array.from({ length: 200 }, () => openRaw(url))))
  for (const [index, connection] of connections.entries()) {
    if (index % 4 === 1) connection.send('POST /query HTTP/1.1\r\nHost: localhost\r\nContent-')
    if (index % 4 === 2) connection.send(rawQuery('SELECT 1', [], 50))
    if (index % 4 === 3) connection.send(rawQuery('SELECT 1'))
  }
  for (let round = 0; round < 5; round++) await query(`INSERT INTO kv VALUES ('${round}', 'v')`)
  const answered = (): number => connections.filter(({ received }) => statusOf(received()) === 200).length
  while (answered() < connections.length / 4) await new Promise((resolve) => setTimeout(resolve, 20))
  for (const { socket } of connections) socket.destroy()
  await Promise.all(connections.map(({ closed }) => closed))
  expect((await query('SELECT COUNT(*) FROM kv')).rows).toEqual([[5]])
  await stop()
  await rm(folder, { recursive: true })
})

test('lengths that lie', async () => {
  const short = await openRaw(server.url)
  short.send(rawQuery('SELECT 1', [], 500))
  short.socket.end()
  await short.closed
  expect(statusOf(short.received())).not.toBe(200)
  // The rest is taken for the next request, and is none: the first is answered, and that is all.
  expect((await exchange(server.url, rawQuery('SELECT 1; garbage', [], 8))).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
  for (const length of ['-1', '1e3', '0x10', '99999999999999999999', '8, 9', '8\r\nContent-Length: 9', ' ']) {
    const received = await exchange(server.url, `POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\nSELECT 1`)
    expect([length, statusOf(received)]).toEqual([length, 400])
  }
  await served()
})

const smuggled = 'POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nSELECT 2'

const smuggling: readonly (readonly [string, string])[] = [
  ['a length and chunks', `POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['chunks and a length', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`],
  ['chunks that are not last', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ['an unknown coding', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['a space before the colon', `POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length : 0\r\n\r\n${smuggled}`],
  ['a tab in a name', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['a folded header', `POST /query HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n Content-Length: 0\r\n\r\n${smuggled}`],
  ['a bare line feed', `POST /query HTTP/1.1\r\nHost: localhost\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['a chunk size that overflows', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\nSELECT 1`],
  ['a chunk size with a sign', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n+8\r\nSELECT 1\r\n0\r\n\r\n`],
  ['a line feed after a chunk', `POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n8\nSELECT 1\n0\n\n`],
  ['a null in a header', `POST /query HTTP/1.1\r\nHost: localhost\r\nX-A: a\0b\r\nContent-Length: 8\r\n\r\nSELECT 1`],
  ['no host', 'POST /query HTTP/1.1\r\nContent-Length: 8\r\n\r\nSELECT 1'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
]
for (const [what, bytes] of smuggling) {
  test(`smuggling: ${what} is refused, and nothing behind it is run`, async () => {
    const received = await exchange(server.url, Buffer.from(bytes, 'latin1'))
    expect(received).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(received).not.toContain('"rows"')
    expect(received).toContain('"error":{"code":"')
    await served()
  })
}

test('texts that are no texts, and that nest without end', async () => {
  const json = { 'content-type': 'application/json' }
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0x53, 0xe2, 0x82]]) {
    expect((await server.post(Uint8Array.from(bytes))).json.error.code).toBe('22021')
    expect((await server.post(Uint8Array.from(bytes), json)).json.error.code).toBe('22021')
  }
  const depth = 300_000
  for (const [sent, status] of [
    [`{"sql":${'['.repeat(depth)}${']'.repeat(depth)}}`, 400],
    [`${'{"sql":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 400],
    [`{"sql":"SELECT 1","params":[${'['.repeat(depth)}1234567890123456789${']'.repeat(depth)}]}`, 400],
    ['['.repeat(500_000), 400],
  ] as const) expect([sent.slice(0, 20), (await server.post(sent, json)).status]).toEqual([sent.slice(0, 20), status])
  for (const sql of [`SELECT ${'('.repeat(depth)}1${')'.repeat(depth)}`, `SELECT ${'-'.repeat(depth)} 1`, `SELECT ${'NOT '.repeat(100_000)}TRUE`, `SELECT ${'('.repeat(depth)}`, `SELECT 1 ${'UNION SELECT 1 '.repeat(20_000)}`, `SELECT ${'CASE WHEN 1=1 THEN '.repeat(10_000)}1`, `/*${'/*'.repeat(depth)}`, `SELECT '${'x'.repeat(900_000)}`]) {
    const { status } = await server.post(sql)
    expect([sql.slice(0, 20), status >= 400 && status < 500]).toEqual([sql.slice(0, 20), true])
  }
  await served()
  expect(server.faults).toEqual([])
})

test('many requests at once on one connection are answered in order', async () => {
  const received = await exchange(server.url, Array.from({ length: 200 }, (_, i) => rawQuery(`SELECT ${i} AS n`, i === 199 ? ['Connection: close'] : [])).join(''))
  expect([...received.matchAll(/"rows":\[\[(\d+)\]\]/g)].map(([, n]) => Number(n))).toEqual(Array.from({ length: 200 }, (_, i) => i))
})

test('garbage behind a request whose answer is under way does not get into that answer', async () => {
  const received = await exchange(server.url, `${rawQuery('SELECT 7 AS n')}\x00\x01 garbage\r\n\r\n`)
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
  expect(received).toContain('"rows":[[7]]')
  await served()
})
