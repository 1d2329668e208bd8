/** Statements that write, sent to any node of a cluster, run once, where writes are coordinated; what became of those that were lost is said truly. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { parseTokens } from '../../../src/http/guard/tokens.ts'
import { until } from '../../until.ts'
import { answerOf } from '../http-client.ts'
import { exchange, openRaw } from '../raw-client.ts'
import { bareServer, deadUrl, fakeCluster, there } from './fake-cluster.ts'
import type { BareServer, FakeCluster, FakeNode } from './fake-cluster.ts'

let cluster: FakeCluster
let bare: BareServer | undefined
let a: FakeNode
let b: FakeNode

beforeEach(async () => {
  cluster = fakeCluster()
  a = await cluster.node('a')
  b = await cluster.node('b')
  b.coordinators = [there(a.url)]
})
afterEach(async () => {
  bare?.close()
  bare = undefined
  await cluster.close()
})

const insert = (key: string): string => `INSERT INTO kv VALUES ('${key}', '1')`
const json = { 'content-type': 'application/json' }

describe('a write at another node', () => {
  test('takes effect, and its answer is that of the coordinator', async () => {
    const answer = await b.post(insert('x'), { 'x-request-id': 'mine' })
    expect(answer.json).toMatchObject({ rowCount: 1, commit: { durability: 'sync', copies: 2 } })
    expect([answer.headers.get('x-request-id'), answer.headers.get('lsmt-session')]).toEqual(['mine', 't-a'])
    for (const node of [a, b]) expect((await node.post("SELECT value FROM kv WHERE key = 'x'")).json.rows).toEqual([['1']])
    expect((await (await fetch(`${b.url}/metrics`)).text())).toContain('lsmt_forwarded_requests_total{outcome="answered"} 1')
  })

  test('is refused there as it would be here', async () => {
    await b.post('CREATE TABLE t (id BIGINT PRIMARY KEY); INSERT INTO t VALUES (1)')
    expect(await b.post('INSERT INTO t VALUES (1)')).toMatchObject({ status: 409, json: { error: { code: '23505' } } })
    expect((await b.post('INSERT INTO kv VALUES (1')).json.error.code).toBe('42601')
  })

  test('goes with its key, its format and its parameters, and without what is about the connection', async () => {
    bare = await bareServer((request, response) => void request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/csv', 'keep-alive': 'timeout=7', 'x-far': 'yes' }).end('n\r\n1\r\n')))
    b.coordinators = [there(bare.url)]
    const body = JSON.stringify({ sql: 'INSERT INTO kv VALUES ($1, $2) RETURNING key', params: ['k', 'v'] })
    const answer = await new Promise<unknown>((resolve) => {
      httpRequest(`${b.url}/query?format=csv`, { method: 'POST', headers: { ...json, 'idempotency-key': 'k1', accept: 'text/csv', authorization: 'Bearer t', te: 'trailers', 'x-hop': '1', connection: 'close, x-hop', origin: b.url } }, (response) => {
        response.resume()
        resolve([response.statusCode!, response.headers['x-far'], response.headers['keep-alive']])
      }).end(body)
    })
    expect(answer).toEqual([200, 'yes', undefined])
    const { method, url, headers } = bare.requests[0]!
    expect([method, url]).toEqual(['POST', '/query?format=csv'])
    expect(headers).toMatchObject({ ...json, 'idempotency-key': 'k1', accept: 'text/csv', authorization: 'Bearer t', 'content-length': String(Buffer.byteLength(body)), 'lsmt-forwarded-by': 'b', host: new URL(bare.url).host })
    for (const name of ['te', 'x-hop', 'origin']) expect(headers[name]).toBeUndefined()
  })

  test('with reads before and after it is one text at one node; reads alone stay', async () => {
    const answer = await b.post(`SELECT 1; ${insert('x')}; SELECT count(*) FROM kv`)
    expect(answer.json.results.map(({ rows }) => rows)).toEqual([[[1]], [], [[1]]])
    b.coordinators = [() => { throw new Error('nobody is to ask') }]
    for (const text of ['SELECT 1', 'BEGIN; SELECT count(*) FROM kv; COMMIT', '(SELECT 1)', 'WITH w AS (SELECT 1) SELECT * FROM w', 'VALUES (1)', 'SHOW TABLES', `EXPLAIN ${insert('y')}`]) expect([text, (await b.post(text)).status]).toEqual([text, 200])
  })

  test('that who may only read sends is refused here', async () => {
    const reader = await cluster.node('reader', { clients: { kind: 'tokens', current: () => parseTokens('read:r\nwrite:w', 'test') } })
    reader.coordinators = [() => { throw new Error('nobody is to ask') }]
    expect((await reader.post(insert('x'), { authorization: 'Bearer r' })).json.error.code).toBe('42501')
  })

  test('uses connections again', async () => {
    const ports = new Set<number | undefined>()
    bare = await bareServer((request, response) => {
      ports.add(request.socket.remotePort)
      request.resume().on('end', () => response.end('{}'))
    })
    b.coordinators = [there(bare.url)]
    for (let i = 0; i < 5; i++) await b.post(insert(`${i}`))
    expect(ports.size).toBe(1)
  })
})

describe('a coordinator that moves', () => {
  test('a node that is not there any more is left for the next', async () => {
    b.coordinators = [there(await deadUrl()), there(a.url)]
    expect((await b.post(insert('x'))).status).toBe(200)
  })

  test('a node that says that it is not the one is left for the next, and hands on nothing itself', async () => {
    const c = await cluster.node('c')
    c.coordinators = [there(b.url)]
    b.coordinators = [there(c.url), there(c.url), there(a.url)]
    expect((await b.post(insert('x'))).status).toBe(200)
    expect(await (await fetch(`${b.url}/metrics`)).text()).toContain('lsmt_forwarded_requests_total{outcome="not_taken"} 2')
  })

  test('one that is stopping takes nothing, and says so', async () => {
    const c = await cluster.node('c')
    const draining = c.server.drain(0)
    b.coordinators = [there(c.url), there(a.url)]
    expect((await b.post(insert('x'))).status).toBe(200)
    await draining
  })

  test('in a circle it is refused in the end', async () => {
    a.coordinators = [there(b.url)]
    const answer = await b.post(JSON.stringify({ sql: insert('x'), timeoutMs: 1_000 }), json)
    expect([answer.status, answer.json.error.code, answer.headers.get('lsmt-not-taken')]).toEqual([503, '57P03', null])
    expect((await b.post('SELECT count(*) FROM kv')).json.rows).toEqual([[0]])
  })

  test('a single statement of which nothing came here goes to the next coordinator', async () => {
    const leaving = Object.create(cluster.engine, { insert: { value: () => Promise.reject(new LsmtError('57P03', 'not any more')) }, insertText: { value: () => Promise.resolve(undefined) }, insertColumns: { value: () => Promise.reject(new LsmtError('57P03', 'not any more')) } }) as FakeCluster['engine']
    b.coordinators = [() => ({ kind: 'here', engine: leaving }), there(a.url)]
    expect((await b.post(insert('x'))).status).toBe(200)
    b.coordinators = [() => ({ kind: 'here', engine: leaving }), there(a.url)]
    expect((await b.post(`SELECT 1; ${insert('y')}`)).json.error.code).toBe('57P03')
  })
})

describe('what may have been taken', () => {
  test('a connection that is lost after the request was sent: 40003, and it is sent to nobody else', async () => {
    bare = await bareServer((request) => void request.resume().on('end', () => request.socket.destroy()))
    b.coordinators = [there(bare.url)]
    const answer = await b.post(insert('x'))
    expect([answer.status, answer.json.error.code]).toEqual([503, '40003'])
    expect(bare.requests).toHaveLength(1)
  })

  test('under an idempotency key it goes on to the next node, though nobody knows what came of it', async () => {
    const keyed = { 'idempotency-key': 'k' }
    bare = await bareServer((request) => void request.resume().on('end', () => request.socket.destroy()))
    b.coordinators = [there(bare.url), there(a.url)]
    expect(await b.post(insert('x'), keyed)).toMatchObject({ status: 200, json: { rowCount: 1 } })
    const losing = Object.create(cluster.engine, { request: { value: () => Promise.reject(new LsmtError('40003', 'not known')) } }) as FakeCluster['engine']
    const c = await cluster.node('c')
    c.coordinators = [() => ({ kind: 'here', engine: losing }), there(a.url)]
    b.coordinators = [there(c.url), there(a.url)]
    expect(await b.post(insert('y'), keyed)).toMatchObject({ status: 400, json: { error: { code: '22023' } } })
    c.coordinators = [() => ({ kind: 'here', engine: losing })]
    b.coordinators = [there(c.url)]
    const answer = await b.postJson({ sql: insert('z'), timeoutMs: 20_000 })
    expect(answer.status).toBe(200)
    const lost = await b.post(JSON.stringify({ sql: insert('z'), timeoutMs: 1_000 }), { ...json, 'idempotency-key': 'k2' })
    expect([lost.json.error.code, lost.headers.get('lsmt-outcome-unknown')]).toEqual(['40003', null])
  })

  test('a node that does not coordinate any more and says nothing: 40003; one that answers is believed', async () => {
    const over = new AbortController()
    let answering = false
    bare = await bareServer((request, response) => void request.resume().on('end', () => {
      over.abort()
      if (answering) setTimeout(() => response.end('{"late":true}'), 50)
    }))
    b.coordinators = [there(bare.url, over.signal)]
    expect((await b.post(insert('x'))).json.error.code).toBe('40003')
    answering = true
    expect(await b.post(insert('x'))).toMatchObject({ status: 200, json: { late: true } })
  })

  test('an answer that breaks off is not taken for whole', async () => {
    bare = await bareServer((request, response) => void request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"columns":[')
      setTimeout(() => response.destroy(), 50)
    }))
    b.coordinators = [there(bare.url)]
    await expect(b.post(insert('x'))).rejects.toThrow()
    expect((await b.post('SELECT 1')).status).toBe(200)
  })

  test('a client that leaves is gone there too', async () => {
    let isGone = false
    bare = await bareServer((request, response) => void request.resume().on('end', () => response.on('close', () => { isGone = true })))
    b.coordinators = [there(bare.url)]
    const leaving = new AbortController()
    const asking = fetch(`${b.url}/query`, { method: 'POST', body: insert('x'), signal: leaving.signal })
    await until(() => bare!.requests.length === 1)
    leaving.abort()
    await expect(asking).rejects.toThrow()
    await until(() => isGone)
  })
})

describe('upgrades', () => {
  test('other nodes get their sockets, all else is answered', async () => {
    await a.post(insert('x'))
    const select = "SELECT value FROM kv WHERE key = 'x'"
    const upgrade = (name: string): string => `POST /query HTTP/1.1\r\nHost: localhost\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: ${name}\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: ${select.length}\r\n\r\n${select}`
    const answer = await exchange(a.url, upgrade('h2c'))
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('[["1"]]')
    const peer = await openRaw(a.url)
    peer.send(upgrade('lsmt-peer'))
    await until(() => a.accepted.length === 1)
    expect(peer.received()).toBe('')
    peer.socket.destroy()
    expect(await (await fetch(`${a.url}/metrics`)).text()).toMatch(/^lsmt_http_connections [12]$/m)
  })
})

describe('large answers', () => {
  test('100 MB go through as fast as they are read, and no faster', async () => {
    const total = 100_000_000, piece = Buffer.alloc(100_000, 'x')
    let written = 0
    const writeAll = async (response: ServerResponse): Promise<void> => {
      for (; written < total; written += piece.length) if (!response.write(piece)) await once(response, 'drain')
      response.end()
    }
    bare = await bareServer((request, response) => void request.resume().on('end', () => void writeAll(response)))
    b.coordinators = [there(bare.url)]
    const response = await new Promise<IncomingMessage>((resolve) => httpRequest(`${b.url}/query`, { method: 'POST' }, resolve).end(insert('x')))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(written, 'what sockets and streams buffer').toBeLessThan(30_000_000)
    let read = 0
    for await (const bytes of response as AsyncIterable<Buffer>) read += bytes.length
    expect(read).toBe(total)
  })
})

describe('imports', () => {
  const csv = 'key,value\nx,1\ny,2\n'
  const importAt = async (node: FakeNode, body: string | ReadableStream, headers: Readonly<Record<string, string>> = {}): Promise<Awaited<ReturnType<typeof answerOf>>> =>
    await answerOf(await fetch(`${node.url}/import?table=kv&format=csv`, { method: 'POST', body, headers, duplex: 'half' }))

  test('go to the coordinator, whoever it is by then', async () => {
    const c = await cluster.node('c')
    c.coordinators = [there(b.url)]
    b.coordinators = [there(await deadUrl()), there(c.url), there(a.url)]
    expect((await importAt(b, csv)).json).toMatchObject({ rowCount: 2, commit: { copies: 2 } })
    expect((await b.post('SELECT count(*) FROM kv')).json.rows).toEqual([[2]])
    expect((await importAt(b, 'key,value\nz,1,2\n')).status).toBe(400)
  })

  test('large bodies go through as fast as they are read there, and no faster', async () => {
    const total = 50_000_000
    let read = 0, sent = 0
    let go = (): void => {}
    bare = await bareServer((request, response) => {
      go = () => void request.on('data', (bytes: Buffer) => { read += bytes.length }).on('end', () => response.end('{}'))
    })
    b.coordinators = [there(bare.url)]
    const body = ReadableStream.from((function* () {
      for (; sent < total; sent += 100_000) yield Buffer.alloc(100_000, 'x')
    })())
    const answer = importAt(b, body)
    await until(() => bare!.requests.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(sent).toBeLessThan(30_000_000)
    go()
    expect((await answer).status).toBe(200)
    expect(read).toBe(total)
  })

  test('a refusal before the body is heard; a node that is lost in it is 40003', async () => {
    bare = await bareServer((_request, response) => void response.writeHead(429, json).end('{"error":{"code":"53300","message":"full"}}'), false)
    b.coordinators = [there(bare.url)]
    expect((await importAt(b, csv)).status).toBe(429)
    bare.close()
    bare = await bareServer((request) => void request.on('data', () => request.socket.destroy()))
    b.coordinators = [there(bare.url)]
    expect((await importAt(b, csv)).json.error.code).toBe('40003')
    expect(bare.requests).toHaveLength(1)
  })
})
