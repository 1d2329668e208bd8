/** What a server takes at a time: requests, bodies, headers, connections; and what it says to those beyond. */
import { afterEach, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer, TestServerOptions } from './http-client.ts'
import { becomes } from './metric.ts'
import { exchange, openRaw, rawQuery, statusOf } from './raw-client.ts'
import { slowEngine } from './slow-engine.ts'
import { until } from '../until.ts'

const opened: TestServer[] = []
afterEach(async () => {
  for (const { server, engine } of opened.splice(0)) {
    await server.close(0)
    await engine.close()
  }
})

async function start(options: TestServerOptions): Promise<TestServer> {
  const server = await startTestServer(options)
  opened.push(server)
  return server
}

const inProgress = 'http_requests_in_progress'
const insert = "INSERT INTO kv VALUES ('a', 'b')"

test('as many queries run as may, a few wait in order, the next are 429 at once', async () => {
  const slow = slowEngine()
  const { url, post } = await start({ engine: slow.engine, limits: { queriesMax: 2, queueMax: 2 } })
  const running = [post(insert), post(insert)]
  await until(() => slow.arrived() === 2)
  const waiting = [post(insert)]
  const leaving = await openRaw(url)
  leaving.send(rawQuery(insert))
  // Two run, two wait.
  await becomes({ url }, inProgress, 4 + 1)
  const refused = await post(insert)
  expect([refused.status, refused.json.error.code, refused.headers.get('retry-after')]).toEqual([429, '53300', '1'])
  // Who leaves while waiting makes room in the queue.
  leaving.socket.destroy()
  await becomes({ url }, inProgress, 3 + 1)
  waiting.push(post(insert))
  await becomes({ url }, inProgress, 4 + 1)
  expect([slow.arrived(), (await fetch(`${url}/health/ready`)).status]).toEqual([2, 200])
  slow.finish()
  for (const answer of await Promise.all([...running, ...waiting])) expect(answer.status).toBe(200)
  expect(slow.arrived()).toBe(4)
  expect((await post(insert)).status).toBe(200)
})

test('all bodies together have a limit, and leave room when they are gone', async () => {
  const { url, post } = await start({ limits: { bodyBytesMax: 100_000, bodiesBytesMax: 150_000 } })
  const text = `SELECT '${'x'.repeat(90_000)}'`
  const half = await openRaw(url)
  half.send(rawQuery(text, [], 95_000))
  await becomes({ url }, 'http_body_bytes', text.length)
  const refused = await post(text)
  expect([refused.status, refused.json.error.code, refused.headers.get('retry-after')]).toEqual([429, '53200', '1'])
  half.socket.destroy()
  await becomes({ url }, 'http_body_bytes', 0)
  for (let round = 0; round < 5; round++) expect((await post(text)).status).toBe(200)
})

test('the text of statements has a limit of its own', async () => {
  const { post } = await start({ limits: { statementLengthMax: 100 } })
  const answer = await post(`SELECT '${'x'.repeat(100)}'`)
  expect([answer.status, answer.json.error.code]).toEqual([413, '54000'])
  expect((await post('SELECT 1')).status).toBe(200)
})

test('the time that the server gives a query can be shortened by a request and not prolonged', async () => {
  const engine: Engine = { ...openModelEngine(), aggregate: () => new Promise<never>(() => {}) }
  const { post, postJson } = await start({ engine, limits: { statementTimeoutMs: 100, queriesMax: 3, queueMax: 1 } })
  const sql = 'SELECT COUNT(*) FROM kv'
  const allowed = { code: '57014', message: 'the statement took longer than 100 ms', hint: 'this server allows no more (--statement-timeout-ms)' }
  // The last of them waits for its turn all the time.
  const answers = await Promise.all([post(sql), postJson({ sql, timeoutMs: 60_000 }), postJson({ sql, timeoutMs: 100 }), post(sql)])
  expect(answers.map(({ status, json }) => [status, json.error])).toEqual(Array.from({ length: 4 }, () => [408, allowed]))
  const shorter = await postJson({ sql, timeoutMs: 10 })
  expect([shorter.status, shorter.json.error]).toEqual([408, { code: '57014', message: 'the statement took longer than 10 ms' }])
  // As soon as the machine leaves it 100 ms.
  await expect.poll(async () => (await post('SELECT 1')).status).toBe(200)
})

test('headers: too many, too large, or two of one that counts', async () => {
  const { url } = await start({ limits: { headersMax: 20, headerBytesMax: 4096 } })
  const flood = Array.from({ length: 30 }, (_, i) => `X-H${i}: ${i}`)
  expect(await exchange(url, rawQuery('SELECT 1', [...flood, 'Connection: close']))).toMatch(/^HTTP\/1\.1 413 .*"54000","message":"the request has more than 20 headers"/s)
  expect(await exchange(url, rawQuery('SELECT 1', [`X-Large: ${'x'.repeat(5000)}`]))).toMatch(/^HTTP\/1\.1 431 .*"54000"/s)
  for (const twice of ['Host: localhost', 'authorization: Bearer a\r\nAuthorization: Bearer b', 'X-Request-Id: a\r\nx-request-id: b']) {
    expect(await exchange(url, rawQuery('SELECT 1', [twice, 'Connection: close']))).toMatch(/^HTTP\/1\.1 400 .*"22023","message":"the request has more than one header/s)
  }
  expect(statusOf(await exchange(url, rawQuery('SELECT 1', ['Connection: close'])))).toBe(200)
})

test('a body that takes too long is 408 and cut', async () => {
  const { url } = await start({ limits: { bodyTimeoutMs: 150 } })
  const trickling = await openRaw(url)
  trickling.send(rawQuery('SELECT', [], 1000))
  const timer = setInterval(() => trickling.send(' '), 20)
  await until(() => trickling.received() !== '')
  expect(trickling.received()).toMatch(/^HTTP\/1\.1 408 .*"57014","message":"the body did not arrive within 150 ms"/s)
  await trickling.closed
  clearInterval(timer)
})

test('half a head, and no head at all, are 408 and cut', async () => {
  const { url } = await start({ limits: { headersTimeoutMs: 150 } })
  const silent = await openRaw(url)
  const half = await openRaw(url)
  half.send('POST /query HTTP/1.1\r\nHost: loc')
  await Promise.all([silent.closed, half.closed])
  expect(half.received()).toMatch(/^HTTP\/1\.1 408 .*"57014"/s)
})

test('a connection between requests is closed after a while, one whose answer is being made is not', async () => {
  const slow = slowEngine()
  const { url, post } = await start({ engine: slow.engine, limits: { idleTimeoutMs: 600, stalledTimeoutMs: 600, headersTimeoutMs: 600 } })
  const kept = await openRaw(url)
  kept.send(rawQuery('SELECT 1'))
  await until(() => kept.received() !== '')
  const answer = post(insert)
  await kept.closed
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  slow.finish()
  expect((await answer).status).toBe(200)
})

test('more connections than may be are turned away, and the others served', async () => {
  const { url } = await start({ limits: { connectionsMax: 3 } })
  const kept = await Promise.all([openRaw(url), openRaw(url), openRaw(url)])
  const fourth = await openRaw(url)
  fourth.send(rawQuery('SELECT 1'))
  await fourth.closed
  expect(fourth.received()).toBe('')
  kept[0].send(rawQuery('SELECT 1', ['Connection: close']))
  await kept[0].closed
  expect(statusOf(kept[0].received())).toBe(200)
  expect(statusOf(await exchange(url, rawQuery('SELECT 1', ['Connection: close'])))).toBe(200)
})
