/** The lane beside Node: the same answers, and connections that change from the one to the other in the middle. */
import { afterEach, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { until } from '../../until.ts'
import { startTestServer } from '../http-client.ts'
import type { TestServer, TestServerOptions } from '../http-client.ts'
import { largeEngine } from '../large-engine.ts'
import { becomes, metric } from '../metric.ts'
import { exchange, openRaw, rawQuery, statusOf } from '../raw-client.ts'
import { slowEngine } from '../slow-engine.ts'

const opened: TestServer[] = []
afterEach(async () => {
  for (const { server, engine } of opened.splice(0)) {
    await server.close(0)
    await engine.close()
  }
})

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options)
  opened.push(server)
  return server
}

const inLane = (server: TestServer): Promise<number> => metric(server, 'http_lane_connections')

/** Whether an answer that tells its length has come. */
function isWhole(received: string): boolean {
  const [head, body] = received.split(/\r\n\r\n(.*)/s)
  return body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head!)![1])
}

/** Without what differs from one answer to the next. */
function comparable(received: string): string {
  const [, length] = /content-length: (\d+)/.exec(received) ?? []
  if (length !== undefined) expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toHaveLength(Number(length))
  return received.replaceAll(/"elapsedMs":[\d.]+/g, '"elapsedMs":_').replace(/content-length: \d+/, 'content-length: _').replace(/(?<=x-request-id: )\w+-\w+/, '_').replace(/(?<=Date: )[^\r]+/, '_')
}

test('answers are the same, head and body, to the byte', async () => {
  const server = await start({ limits: { statementLengthMax: 2_000 } })
  await server.post("INSERT INTO kv VALUES ('a', 'b'), ('ü', '日本'), ('n', NULL)")
  const requests: readonly (readonly [string, readonly string[]])[] = [
    ["SELECT value FROM kv WHERE key = 'a'", []],
    ["SELECT * FROM kv", []],
    ["INSERT INTO kv VALUES ('c', 'd')", []],
    ["SELECT 1; SELECT 2", []],
    ["SELECT 'ß' AS \"ü\"", ['X-Request-Id: mine']],
    ['{"sql":"SELECT $1","params":[7]}', ['Content-Type: application/json']],
    ['SELECT * FROM kv', ['Accept: text/csv']],
    ['SELECT * FROM kv', ['Accept: application/vnd.apache.arrow.stream']],
    ['SELECT * FROM kv', ['Accept: image/png']],
    [`SELECT '${'x'.repeat(500)}'`, ['Accept-Encoding: gzip']],
    [`SELECT '${'x'.repeat(3_000)}'`, []],
    ['SELEC', []],
    ['SELECT * FROM nothing', []],
    ['', []],
    ["SELECT 1", ['Lsmt-Consistency: wrong']],
    ["SELECT 1", ['Host: example.com']],
  ]
  for (const [sql, headers] of requests) {
    const request = headers.some((each) => each.startsWith('Host')) ? rawQuery(sql, headers).replace('Host: localhost\r\n', '') : rawQuery(sql, headers)
    const one = async (bytes: string): Promise<string> => {
      const connection = await openRaw(server.url)
      connection.send(bytes)
      await until(() => isWhole(connection.received()))
      connection.socket.destroy()
      return comparable(connection.received())
    }
    const ofNode = await one(request.replace('POST /query HTTP/1.1\r\n', 'POST /query HTTP/1.1\r\nTE: trailers\r\n'))
    expect(await one(request)).toBe(ofNode)
  }
})

test('a connection is in the lane until its first other request, and answered in order all the while', async () => {
  const server = await start()
  const connection = await openRaw(server.url)
  const answered = async (count: number): Promise<void> => until(() => connection.received().split('HTTP/1.1 200').length === count + 1)
  connection.send(rawQuery('SELECT 1 AS n'))
  await answered(1)
  expect(await inLane(server)).toBe(1)
  connection.send(rawQuery('SELECT 2 AS n'))
  await answered(2)
  connection.send('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await answered(3)
  expect(await inLane(server)).toBe(0)
  connection.send(rawQuery('SELECT 3 AS n'))
  await answered(4)
  expect([...connection.received().matchAll(/"rows":\[\[(\d)\]\]/g)].map(([, n]) => n)).toEqual(['1', '2', '3'])
  connection.socket.destroy()
  expect(await metric(server, 'http_requests_total{route="query",method="POST",status="200"}')).toBe(3)
  await becomes(server, 'http_connections', 1)
})

test('a body that comes right behind its head is of the lane, one that comes in pieces or late is not; both are answered', async () => {
  const server = await start()
  const [head, body] = rawQuery('SELECT 5 AS n').split(/(?<=\r\n\r\n)/)
  for (const [pieces, waitMs, count] of [[[head!, body!], 30, 1], [[head!, body!.slice(0, 3), body!.slice(3)], 30, 0], [[head!, body!], 2_300, 0], [[head!.slice(0, 20), head!.slice(20) + body!], 30, 0]] as const) {
    const connection = await openRaw(server.url)
    for (const piece of pieces) {
      connection.send(piece)
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      // The server has read it by then, be it that all of them were kept waiting for longer.
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => connection.received().includes('"rows":[[5]]'))
    expect([pieces.length, waitMs, await inLane(server)]).toEqual([pieces.length, waitMs, count])
    connection.socket.destroy()
  }
  expect(await metric(server, 'http_body_bytes')).toBe(0)
})

const insert = "INSERT INTO kv VALUES ('a', 'b')"

test('what is sent while an answer is made waits for it, whatever it is', async () => {
  const slow = slowEngine()
  const { url } = await start({ engine: slow.engine })
  const connection = await openRaw(url)
  connection.send(rawQuery(insert))
  await until(() => slow.arrived() === 1)
  connection.send(rawQuery('SELECT 1 AS n'))
  connection.send(rawQuery('SELECT 2 AS n'))
  connection.send(`${rawQuery(`SELECT '${'x'.repeat(200_000)}' AS n`)}GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(connection.received()).toBe('')
  slow.finish()
  await connection.closed
  expect([...connection.received().matchAll(/"rows":\[\[(\d|"x{3})|"rowCount":1,"commit"|"status":"live"/g)].map(([found]) => found)).toEqual(['"rowCount":1,"commit"', '"rows":[[1', '"rows":[[2', '"rows":[["xxx', '"status":"live"'])
})

test('who leaves, or ends its side, while an answer is made stops it', async () => {
  let stopped = 0
  const engine: Engine = { ...openModelEngine(), async *scan(_snapshot, { signal }) {
    await new Promise((_, reject) => { signal!.addEventListener('abort', () => { stopped++; reject(new Error('stopped')) }) })
    yield []
  } }
  const server = await start({ engine })
  const cut = await openRaw(server.url)
  cut.send(rawQuery('SELECT * FROM kv'))
  const ended = await openRaw(server.url)
  ended.send(rawQuery('SELECT * FROM kv'))
  await becomes(server, 'http_requests_in_progress', 3)
  expect(stopped).toBe(0)
  cut.socket.destroy()
  await until(() => stopped === 1)
  ended.socket.end()
  await until(() => stopped === 2)
  await becomes(server, 'http_requests_in_progress', 1)
})

test('a client that reads nothing of a long answer is cut', async () => {
  const endless = largeEngine(Number.MAX_SAFE_INTEGER)
  const server = await start({ engine: endless.engine, limits: { stalledTimeoutMs: 150 } })
  const connection = await openRaw(server.url)
  connection.socket.pause()
  connection.send(rawQuery('SELECT * FROM kv'))
  await until(() => endless.released === 1)
  await becomes(server, 'http_connections_refused_total{reason="timeout"}', 1)
})

test('a client that sends one request after the other and reads nothing is not answered without end', async () => {
  const server = await start()
  const connection = await openRaw(server.url)
  connection.socket.pause()
  const request = rawQuery(`SELECT '${'x'.repeat(30_000)}'`)
  for (let count = 0; count < 1_000 && connection.socket.writableLength < 1_000_000; count++) {
    connection.send(request)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(connection.socket.writableLength).toBeGreaterThan(0)
  connection.socket.destroy()
})

test('a stopping server refuses what comes by the lane', async () => {
  const slow = slowEngine()
  const { url, server } = await start({ engine: slow.engine })
  const [busy, kept] = [await openRaw(url), await openRaw(url)]
  kept.send(rawQuery('SELECT 1'))
  await until(() => statusOf(kept.received()) === 200)
  busy.send(rawQuery(insert))
  await until(() => slow.arrived() === 1)
  const closed = server.close(10_000)
  kept.send(rawQuery('SELECT 1'))
  await kept.closed
  expect(kept.received()).toMatch(/HTTP\/1\.1 503 .*57P03/s)
  slow.finish()
  await Promise.all([closed, busy.closed])
  expect(statusOf(busy.received())).toBe(200)
})

test('half a body is answered as Node would answer it', async () => {
  const { url } = await start()
  const connection = await openRaw(url)
  connection.send(rawQuery('SELECT 1', [], 20))
  connection.socket.end()
  await connection.closed
  expect(statusOf(connection.received())).toBe(400)
  expect(statusOf(await exchange(url, rawQuery('SELECT 1', ['Connection: close'])))).toBe(200)
})
