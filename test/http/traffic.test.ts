/** What the operator gets to see of requests: ids in answers and log lines, slow queries by shape, faults, and no values. */
import { expect, test } from 'vitest'
import { openModelEngine } from '../engine/model-engine.ts'
import { startTestServer } from './http-client.ts'
import { parseTokens } from '../../src/http/guard/tokens.ts'
import { until } from '../until.ts'

test('an id that a client sends is kept, others are made, for every answer there is', async () => {
  const { url, post, server } = await startTestServer()
  const idOf = async (path: string, sent?: string): Promise<string | null> => (await fetch(url + path, sent === undefined ? {} : { headers: { 'x-request-id': sent } })).headers.get('x-request-id')
  expect(await idOf('/status', 'mine-1:a/b.c')).toBe('mine-1:a/b.c')
  const made = [await idOf('/status'), await idOf('/nothing'), await idOf('/query'), await idOf('/status', 'two words'), await idOf('/status', 'x'.repeat(129)), await idOf('/status', '{"a":1}'), (await post('SELEC')).headers.get('x-request-id'), (await post('SELECT 1')).headers.get('x-request-id')]
  for (const id of made) expect(id).toMatch(/^[0-9a-z]+-[0-9a-z]+$/)
  expect(new Set(made).size).toBe(made.length)
  await server.close(0)
})

test('each answer is a line at debug, with its id, and without what was in it', async () => {
  const { url, post, logged, server } = await startTestServer({ logLevel: 'debug', clients: { kind: 'tokens', current: () => parseTokens('secret-token', 'a test') } })
  await post("INSERT INTO kv VALUES ('secret-key', 'secret-value')", { authorization: 'Bearer secret-token', 'x-request-id': 'r1' })
  await post("SELEC 'secret-value'", { authorization: 'Bearer secret-token', 'x-request-id': 'r2' })
  await fetch(`${url}/status?token=secret-token`, { headers: { 'x-request-id': 'r3' } })
  await until(() => logged.length === 3)
  expect(logged).toMatchObject([
    { level: 'debug', requestId: 'r1', method: 'POST', route: 'query', status: 200, whole: true, msg: 'answered' },
    { requestId: 'r2', status: 400 },
    { requestId: 'r3', route: 'status', status: 401 },
  ])
  expect(logged[0]!['time']).toMatch(/^\d{4}-\d\d-\d\dT/)
  expect(JSON.stringify(logged)).not.toContain('secret')
  await server.close(0)
})

test('slow queries are told by shape', async () => {
  const model = openModelEngine()
  const { post, logged, server } = await startTestServer({ logLevel: 'info', slowQueryMs: 30, engine: { ...model, insert: async (...args) => { await new Promise((resolve) => setTimeout(resolve, 50)); return await model.insert(...args) } } })
  await post('SELECT 1')
  await post("INSERT INTO kv VALUES ('secret', 'value'); SELECT key FROM kv WHERE value = 'value'", { 'x-request-id': 'slow-1' })
  // On a busy machine the other one may be slow as well; then it is told rightly.
  expect(logged.filter(({ requestId }) => requestId === 'slow-1')).toMatchObject([{ level: 'warn', requestId: 'slow-1', statements: 2, shape: 'insert into kv values ( ? , ? ); select key from kv where value = ?', msg: 'slow query' }])
  for (const { ms } of logged) expect(ms).toBeGreaterThan(30)
  expect(JSON.stringify(logged)).not.toContain('secret')
  await server.close(0)
})
