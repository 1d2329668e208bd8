/** The description at /openapi.json: real answers of every route, in every format and with every kind of error, are as it says. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModelEngine } from '../engine/model-engine.ts'
import { LsmtError } from '../../src/errors.ts'
import { fakeCluster } from './forward/fake-cluster.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'

interface Described {
  readonly description: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly content: Readonly<Record<string, { readonly schema: object; readonly 'x-line-schema'?: object }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary: string; readonly responses: Readonly<Record<string, Described>> }>>>>
  readonly components: object
}

let server: TestServer
let document: Document
let ajv: Ajv2020
let notReady: string | undefined

beforeAll(async () => {
  server = await startTestServer({ notReady: () => notReady })
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document
  ajv = new Ajv2020({ strict: false, allErrors: true })
  ajv.addSchema({ $id: 'doc', ...document })
  await server.post('CREATE TABLE described (id BIGINT PRIMARY KEY, n NUMERIC(10,2), d DOUBLE PRECISION, o BOOLEAN, t TEXT, y BYTEA)')
  await server.post("INSERT INTO described VALUES (1, 1.5, 0.5, TRUE, 'a', '\\x00'), (9007199254740993, NULL, 'NaN', NULL, NULL, NULL)")
})
afterAll(() => server.server.close(100))

/** The same references, but from within ajv's copy of the document. */
function check(schema: object, value: unknown): void {
  const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as object
  const isValid = ajv.validate(local, value)
  expect(isValid ? undefined : [ajv.errorsText(), value]).toBeUndefined()
}

interface Sent {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request and holds its answer against the description; returns the status. */
async function answersAsDescribed(url: string, path: string, { method = 'GET', body, headers = {} }: Sent = {}): Promise<number> {
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) })
  const described = document.paths[path.replace(/\?.*$/, '')]?.[method.toLowerCase()]?.responses[response.status]
  expect(described, `${method} ${path} ${response.status} is described`).toBeDefined()
  for (const name of Object.keys(described!.headers).filter((each) => each !== 'content-encoding' && each !== 'lsmt-session')) expect(response.headers.get(name), name).not.toBeNull()
  const contentType = response.headers.get('content-type')!.replace(/;.*$/, '')
  const content = described!.content[contentType]
  expect(content, `${method} ${path} ${response.status} as ${contentType} is described`).toBeDefined()
  const text = await response.text()
  if (content!['x-line-schema'] !== undefined) for (const line of text.trimEnd().split('\n')) check(content!['x-line-schema'], JSON.parse(line))
  else if (contentType === 'application/json') check(content!.schema, JSON.parse(text))
  return response.status
}

const query = (body: string, headers: Readonly<Record<string, string>> = {}, format = 'json'): Promise<number> => answersAsDescribed(server.url, `/query?format=${format}`, { method: 'POST', body, headers })

test('it is OpenAPI 3.1 whose references all lead somewhere', () => {
  expect(document.openapi).toMatch(/^3\.1\./)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1]!)
  for (const reference of references) expect(reference.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document), reference).toBeDefined()
})

describe('answers', () => {
  for (const format of ['json', 'jsonl', 'csv', 'arrow']) {
    test(`${format}: rows, a write, several statements`, async () => {
      expect(await query('SELECT * FROM described', {}, format)).toBe(200)
      expect(await query("INSERT INTO kv VALUES ('described', '1')", {}, format)).toBe(200)
      expect(await query("BEGIN; UPDATE kv SET value = '2' WHERE key = 'described' RETURNING value; COMMIT", {}, format)).toBe(200)
    })
  }

  test('the other routes', async () => {
    for (const path of ['/health/live', '/health/ready', '/status', '/metrics', '/openapi.json']) expect(await answersAsDescribed(server.url, path)).toBe(200)
    expect(await answersAsDescribed(server.url, '/query')).toBe(405)
    expect(await answersAsDescribed(server.url, '/backup')).toBe(404)
    notReady = 'a log failed'
    expect(await answersAsDescribed(server.url, '/health/ready')).toBe(503)
    notReady = undefined
  })
})

test('what people ask of a cluster', async () => {
  const cluster = fakeCluster()
  const { url } = await cluster.node('a')
  const post = { method: 'POST' }
  for (const path of ['drain?node=b', 'undrain?node=b', 'replace?node=b&by=c', 'hand-over?shard=1', 'recover?shard=1&store=store-b']) expect([path, await answersAsDescribed(url, `/cluster/${path}`, post)]).toEqual([path, 200])
  expect(await answersAsDescribed(url, '/cluster/lost')).toBe(200)
  expect(await answersAsDescribed(url, '/cluster/drain')).toBe(405)
  for (const path of ['drain', 'drain?node=b&more=1', 'drain?node=nobody', 'hand-over?shard=x']) expect([path, await answersAsDescribed(url, `/cluster/${path}`, post)]).toEqual([path, 400])
  expect(await answersAsDescribed(url, '/cluster/recover?shard=1&store=store-a', post)).toBe(503)
  expect(await answersAsDescribed(server.url, '/cluster/lost')).toBe(400)
  expect((await fetch(`${url}/cluster/nothing`)).status).toBe(404)
  await cluster.close()
})

describe('imports', () => {
  const send = (parameters: string, body: string): Promise<number> => answersAsDescribed(server.url, `/import?table=described&${parameters}`, { method: 'POST', body })

  test('rows, lines that are left out, lines that are wrong, a table that is not there', async () => {
    expect(await send('format=csv', 'id,t\n10,a\n')).toBe(200)
    expect(await send('format=jsonl&onError=skip', '{"id":11}\n{"id":"no number"}\n')).toBe(200)
    expect(await send('format=csv', 'id,t\nx,a\n')).toBe(400)
    expect(await send('format=csv', 'id,t\n10,a\n')).toBe(409)
    expect(await answersAsDescribed(server.url, '/import?table=nope&format=csv', { method: 'POST', body: 'id\n1\n' })).toBe(400)
    expect(await answersAsDescribed(server.url, '/import')).toBe(405)
  })
})

describe('refusals', () => {
  const json = { 'content-type': 'application/json' }
  const cases: readonly (readonly [string, number, () => Promise<number>])[] = [
    ['a syntax error', 400, () => query('SELEC')],
    ['what is not supported', 400, () => query('SELECT count(*) OVER () FROM kv')],
    ['a page of another site', 403, () => query('SELECT 1', { origin: 'http://evil.example' })],
    ['no such format', 406, () => query('SELECT 1', {}, 'xml')],
    ['a duplicate key', 409, () => query('INSERT INTO described (id) VALUES (1)')],
    ['a body over the limit', 413, () => query(`SELECT '${'x'.repeat(1_000_001)}'`)],
    ['an unknown field', 400, () => query('{"sql":"SELECT 1","x":1}', json)],
  ]
  for (const [what, status, send] of cases) test(`${what} is ${status}`, async () => expect(await send()).toBe(status))

  test('no token is 401', async () => {
    const closed = await startTestServer({ clients: { kind: 'tokens', current: () => [] } })
    expect(await answersAsDescribed(closed.url, '/query?format=json', { method: 'POST', body: 'SELECT 1' })).toBe(401)
    await closed.server.close(100)
  })

  const failures: readonly (readonly [LsmtError, number])[] = [
    [new LsmtError('XX001', 'corrupt block'), 500],
    [new LsmtError('53200', 'no memory'), 429],
    [new LsmtError('53100', 'no room'), 503],
    [new LsmtError('57014', 'cancelled'), 408],
  ]
  for (const [error, status] of failures) {
    test(`${error.code} is ${status}`, async () => {
      const failing = await startTestServer({ engine: { ...openModelEngine(), get: () => { throw error } } })
      expect(await answersAsDescribed(failing.url, '/query?format=json', { method: 'POST', body: "SELECT value FROM kv WHERE key = 'x'" })).toBe(status)
      await failing.server.close(100)
    })
  }
})

test('requests that are described are taken', async () => {
  for (const body of [{ sql: 'SELECT 1' }, { sql: 'SELECT value FROM kv WHERE key = $1', params: ['x'] }, { sql: 'SELECT value FROM kv WHERE key = :k', params: { k: 'x' }, timeoutMs: 1000, maxStorageRequests: 100 }]) {
    check({ $ref: '#/components/schemas/QueryRequest' }, body)
    expect(await query(JSON.stringify(body), { 'content-type': 'application/json' })).toBe(200)
  }
})
