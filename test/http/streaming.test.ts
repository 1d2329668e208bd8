/** Large answers: streamed as the client reads, visibly broken when they fail, stopped when the client leaves. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { LsmtError } from '../../src/errors.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { startTestServer } from './http-client.ts'
import { largeEngine } from './large-engine.ts'
import { until } from '../until.ts'

test('a large result arrives whole, in chunks', async () => {
  const large = largeEngine(50)
  const { url, server } = await startTestServer({ engine: large.engine })
  const response = await fetch(`${url}/query`, { method: 'POST', body: 'SELECT * FROM kv' })
  expect(response.headers.get('content-length')).toBeNull()
  const answer = (await response.json()) as { rows: unknown[]; rowCount: number; stats: object }
  expect([answer.rows.length, answer.rowCount, large.released]).toEqual([5000, 5000, 1])
  await server.close(100)
})

test('an error before the first chunk has its status, one after it cuts the body', async () => {
  const failure = new LsmtError('XX001', 'corrupt block')
  const early = await startTestServer({ engine: largeEngine(0, failure).engine })
  expect((await early.post('SELECT * FROM kv')).status).toBe(500)
  await early.server.close(100)
  const late = await startTestServer({ engine: largeEngine(50, failure).engine })
  const response = await fetch(`${late.url}/query`, { method: 'POST', body: 'SELECT * FROM kv' })
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
  expect(late.faults).toEqual([failure])
  await late.server.close(100)
})

test('the server waits for a client that does not read, and stops when it leaves', async () => {
  const endless = largeEngine(Number.MAX_SAFE_INTEGER)
  const { url, server } = await startTestServer({ engine: endless.engine })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.pause()
  const body = 'SELECT * FROM kv'
  socket.write(`POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await until(() => endless.batches > 0)
  const settled = await settledCount(() => endless.batches)
  // 100 KB a batch: what the sockets of both sides hold, not all that there is.
  expect(settled).toBeLessThan(500)
  socket.destroy()
  await until(() => endless.released === 1)
  await server.close(100)
})

test('a transaction ends when its client leaves in the middle of an answer', async () => {
  const endless = largeEngine(Number.MAX_SAFE_INTEGER)
  let rollbacks = 0
  const begin: Engine['begin'] = async (written) => ({ ...(await endless.engine.begin(written)), snapshot: endless.engine.snapshot, scan: endless.engine.scan, rollback: () => { rollbacks++ } })
  const { url, server } = await startTestServer({ engine: { ...endless.engine, begin } })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.pause()
  const body = "BEGIN; INSERT INTO kv VALUES ('a', 'b'); SELECT * FROM kv; COMMIT"
  socket.write(`POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await until(() => endless.batches > 0)
  expect(rollbacks).toBe(0)
  socket.destroy()
  await until(() => rollbacks === 1 && endless.released === 1)
  await server.close(100)
})

test('who gives up while waiting to begin lets go of what is granted later', async () => {
  const model = openModelEngine()
  let grant = (): void => {}
  const granted = new Promise<void>((resolve) => { grant = resolve })
  let rollbacks = 0
  const begin: Engine['begin'] = async (written) => {
    await granted
    return { ...(await model.begin(written)), rollback: () => { rollbacks++ } }
  }
  const slow = await startTestServer({ engine: { ...model, begin } })
  const answer = await slow.postJson({ sql: "BEGIN; INSERT INTO kv VALUES ('a', 'b'); COMMIT", timeoutMs: 20 })
  expect([answer.status, answer.json.error.code]).toEqual([408, '57014'])
  grant()
  await until(() => rollbacks === 1)
  await slow.server.close(100)
})

test('a statement that takes too long is 408', async () => {
  const model = openModelEngine()
  const never = new Promise<never>(() => {})
  const slow = await startTestServer({ engine: { ...model, aggregate: () => never } })
  const answer = await slow.postJson({ sql: 'SELECT COUNT(*) FROM kv', timeoutMs: 20 })
  expect([answer.status, answer.json.error.code]).toEqual([408, '57014'])
  await slow.server.close(100)
})

test('closing lets a request finish and refuses new ones meanwhile', async () => {
  const model = openModelEngine()
  let finish = (): void => {}
  const written = new Promise<void>((resolve) => { finish = resolve })
  let arrive = (): void => {}
  const started = new Promise<void>((resolve) => { arrive = resolve })
  const slow = await startTestServer({ engine: { ...model, insert: async () => { arrive(); await written; return 1 } } })
  const answer = slow.post("INSERT INTO kv VALUES ('a', 'b')")
  await started
  const closed = slow.server.close(10_000)
  const refused = await slow.post('SELECT 1')
  expect([refused.status, refused.json.error.code, refused.headers.get('connection'), refused.headers.get('retry-after')]).toEqual([503, '57P03', 'close', '1'])
  expect((await fetch(`${slow.url}/health/ready`)).status).toBe(503)
  expect((await fetch(`${slow.url}/health/live`)).status).toBe(200)
  finish()
  expect((await answer).status).toBe(200)
  await closed
  await expect(fetch(`${slow.url}/health/live`)).rejects.toThrow()
})

/** The count once it stays the same for a while. */
async function settledCount(count: () => number): Promise<number> {
  for (let last = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    if (count() === last) return last
    last = count()
  }
}
