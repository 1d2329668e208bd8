/** The routes beside `/query`, as `lsmt serve` has them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveHere } from '../../cli/cli-in-process.ts'
import type { ServedHere } from '../../cli/cli-in-process.ts'
import { answerOf, clientOf } from '../http-client.ts'
import type { Answer, TestClient } from '../http-client.ts'

let folder: string
let served: ServedHere
let post: TestClient['post']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsmt-routes-'))
  const first = await serveHere(join(folder, 'data'))
  const written = await clientOf(first.url).post(`CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO kv VALUES ${Array.from({ length: 500 }, (_, i) => `('key ${i}', 'value')`).join(', ')}`)
  expect(written.status, written.text).toBe(200)
  // What is stopped has flushed, so that there are files to tell of.
  await first.stop()
  served = await serveHere(join(folder, 'data'))
  ;({ post } = clientOf(served.url))
})
afterAll(async () => {
  await served.stop()
  await rm(folder, { recursive: true })
})

const get = async (path: string): Promise<Answer> => await answerOf(await fetch(served.url + path))

test('GET /health/live and /health/ready', async () => {
  expect([(await get('/health/live')).status, (await get('/health/ready')).status]).toEqual([200, 200])
})

test('GET /status: version, node, shards, levels, sizes, cluster', async () => {
  const { status, headers, json } = await get('/status')
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  const told = json as unknown as Readonly<Record<string, unknown>> & { readonly shards: readonly unknown[]; readonly levels: readonly { readonly files: number; readonly bytes: number }[] }
  expect(told).toMatchObject({
    version: '0.0.0',
    node: { storage: 'local', durability: 'sync', kernels: 'wasm', uptimeSeconds: expect.any(Number) as number },
    sizes: { tableFiles: expect.any(Number) as number, tableBytes: expect.any(Number) as number, memtableBytes: expect.any(Number) as number, logSegments: expect.any(Number) as number },
    cluster: null,
  })
  expect(told.shards.map((shard) => (shard as { readonly shard: number }).shard)).toEqual([0, 1])
  const sum = (of: 'files' | 'bytes'): number => told.levels.reduce((total, level) => total + level[of], 0)
  expect(told['sizes']).toMatchObject({ tableFiles: sum('files'), tableBytes: sum('bytes') })
  expect(sum('files')).toBeGreaterThanOrEqual(2)
  expect(sum('bytes')).toBeGreaterThan(1000)
})

test('GET /metrics: for Prometheus', async () => {
  await post('SELECT 1')
  const response = await fetch(`${served.url}/metrics`)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const text = await response.text()
  expect(text).toMatch(/^# TYPE lsmt_http_requests_total counter$/m)
  expect(text).toMatch(/^lsmt_http_requests_total\{route="query",method="POST",status="200"\} [1-9]\d*$/m)
})

test('POST /import?table=t&format=csv|jsonl: rows of a body as it is streamed', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => i)
  expect(await importInPieces('csv', ['id,name\r\n', ...rows.map((i) => `${i},"name, ${i}"\r\n`)])).toMatchObject({ rowCount: 1_000, skipped: 0, errors: [], commit: { durability: 'sync', copies: 1 } })
  expect(await importInPieces('jsonl', rows.map((i) => `{"id":${i + 1_000},"name":"line ${i}"}\n`))).toMatchObject({ rowCount: 1_000 })
  expect((await post("SELECT COUNT(*), MIN(name), SUM(id) FROM t WHERE name LIKE 'name, %' OR name LIKE 'line %'")).json.rows).toEqual([[2_000, 'line 0', '1999000']])
})

/** Chunks of a body whose length is not told. */
function importInPieces(format: string, pieces: readonly string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(`${served.url}/import?table=t&format=${format}`, { method: 'POST' }, (response) => {
      let text = ''
      response.on('data', (bytes: Buffer) => { text += bytes.toString() }).on('end', () => resolve(JSON.parse(text)))
    })
    sent.on('error', reject)
    for (const piece of pieces) sent.write(piece)
    sent.end()
  })
}
