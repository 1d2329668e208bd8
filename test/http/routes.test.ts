/** The routes beside /query, and who is served. */
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseExactJson } from '../../src/sql/value/exact-json.ts'
import { answerOf, startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'

let server: TestServer
let notReady: string | undefined

beforeAll(async () => {
  server = await startTestServer({ notReady: () => notReady })
})
afterAll(() => server.server.close(100))

const get = async (path: string, init: RequestInit = {}) => await answerOf(await fetch(server.url + path, init))

test('health and status', async () => {
  expect((await get('/health/live')).json).toEqual({ status: 'live' })
  expect((await get('/health/ready')).json).toEqual({ status: 'ready' })
  expect((await get('/status')).json).toEqual({ version: 'test', tables: 1 })
  notReady = 'a log failed'
  const answer = await get('/health/ready')
  expect([answer.status, answer.headers.get('retry-after'), answer.json.error]).toEqual([503, '1', { code: '57P03', message: 'not ready: a log failed' }])
  notReady = undefined
})

test.each(['/status', '/metrics', '/openapi.json', '/backup'])('%s takes no URL parameters', async (path) => {
  const answer = await get(`${path}?verbose=1&b=2`)
  expect([answer.status, answer.json.error]).toEqual([400, { code: '22023', message: `unknown URL parameter "verbose": GET ${path} takes none` }])
})

test('what is not there', async () => {
  expect((await get('/nothing')).status).toBe(404)
  expect((await get('/%ff')).status).toBe(404)
  expect((await get('/query')).status).toBe(405)
  expect((await get('/import')).status).toBe(405)
  const misspelt = await get('/query/', { method: 'POST', body: 'SELECT 1' })
  expect([misspelt.status, misspelt.json.error]).toEqual([404, { code: '22023', message: 'there is no POST /query/' }])
  expect((await get('/Import', { method: 'POST', body: 'a' })).status).toBe(404)
})

test('a name that resolves to this machine is not this machine', async () => {
  expect(await statusWithHost(server.url, 'evil.example')).toBe(403)
  expect(await statusWithHost(server.url, 'localhost:1')).toBe(200)
  expect(await statusWithHost(server.url, '[::1]:8080')).toBe(200)
  const open = await startTestServer({ clients: { kind: 'all' } })
  expect(await statusWithHost(open.url, 'db.example')).toBe(200)
  await open.server.close(100)
})

function statusWithHost(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/health/live`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('JSON with long numbers reads as JSON.parse does, but for their digits', () => {
  const text = ' {"a" : [1, -2.5, true,false , null, "x\\"\\u0041", {"b":{}}, []], "c":1234567890123456789, "d":0.12345678901234567890, "e":1e400, "f":-0 } '
  const parsed = JSON.parse(JSON.stringify(parseExactJson(text), (_, value: unknown) => value))
  expect(parsed).toEqual({ a: [1, -2.5, true, false, null, 'x"A', { b: {} }, []], c: { digits: '1234567890123456789' }, d: { digits: '0.12345678901234567890' }, e: { digits: '1e400' }, f: 0 })
})
