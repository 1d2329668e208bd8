/** GET /metrics after known work: the numbers are those of the work. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'
import { exchange, openRaw } from './raw-client.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ engine: await openTestEngine(createMemoryStorage(), { shards: 1 }) })
})
afterAll(async () => {
  await server.server.close(0)
  await server.engine.close()
})

type Numbers = ReadonlyMap<string, number>

/** By name and labels as they are printed; every line is one of the format. */
async function numbers(): Promise<Numbers> {
  const response = await fetch(`${server.url}/metrics`)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const found = new Map<string, number>()
  for (const line of (await response.text()).split('\n')) {
    if (line === '' || /^# (HELP|TYPE) \w+ ./.test(line)) continue
    const [, name, value] = /^([a-zA-Z_:][\w:]*(?:\{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*\})?) (-?[\d.e+-]+|NaN|\+Inf)$/.exec(line)!
    expect(found.has(name!), name).toBe(false)
    found.set(name!, Number(value))
  }
  return found
}

/** How much each number has grown since `before`, of those that did. */
function growth(before: Numbers, after: Numbers): (name: string) => number {
  return (name) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
}

test('statements, requests and logs', async () => {
  const before = await numbers()
  for (let round = 0; round < 5; round++) await server.post(`INSERT INTO kv VALUES ('k${round}', 'v')`)
  await Promise.all(Array.from({ length: 20 }, (_, i) => server.post(`INSERT INTO kv VALUES ('many${i}', 'v')`)))
  await server.post('SELECT 1; SELECT 2')
  await server.post('EXPLAIN SELECT 1')
  await server.post('BEGIN; DELETE FROM kv WHERE key = \'k0\'; COMMIT')
  await server.post('SELEC')
  await fetch(`${server.url}/nothing/${Math.PI}`)
  await fetch(`${server.url}/status`)
  const after = await numbers()
  const grown = growth(before, after)
  expect(['insert', 'query', 'explain', 'transaction', 'delete'].map((kind) => grown(`lsmt_statements_total{kind="${kind}"}`))).toEqual([25, 2, 1, 1, 1])
  expect(grown('lsmt_http_requests_total{route="query",method="POST",status="200"}')).toBe(28)
  expect(grown('lsmt_http_requests_total{route="query",method="POST",status="400"}')).toBe(1)
  expect(grown('lsmt_http_requests_total{route="other",method="GET",status="404"}')).toBe(1)
  expect(grown('lsmt_http_requests_total{route="status",method="GET",status="200"}')).toBe(1)
  expect(grown('lsmt_http_request_seconds_count{route="query"}')).toBe(29)
  expect(after.get('lsmt_http_request_seconds_bucket{le="+Inf",route="query"}')).toBe(after.get('lsmt_http_request_seconds_count{route="query"}'))
  expect(grown('lsmt_log_records_total')).toBe(26)
  expect(grown('lsmt_log_group_records_sum')).toBe(26)
  const syncs = grown('lsmt_log_syncs_total')
  expect([syncs >= 6, syncs <= 26]).toEqual([true, true])
  expect(grown('lsmt_log_sync_seconds_count')).toBe(syncs)
  expect(after.get('lsmt_log_sync_seconds_bucket{le="+Inf"}')).toBe(after.get('lsmt_log_sync_seconds_count'))
  expect(after.get('lsmt_log_group_records_bucket{le="1"}')).toBeGreaterThanOrEqual(6)
  expect(grown('lsmt_log_bytes_total')).toBeGreaterThan(26 * 50)
})

test('files, filters, row groups and the cache', async () => {
  await server.post('CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, text TEXT)')
  for (let part = 0; part < 4; part++) await server.post(`INSERT INTO t VALUES ${Array.from({ length: 500 }, (_, i) => `(${(part * 500 + i) * 2}, ${part * 500 + i}, 'some text ${i}')`).join(', ')}`)
  await server.engine.flush()
  const before = await numbers()
  expect(before.get('lsmt_level_files{level="0"}')).toBeGreaterThan(0)
  expect(before.get('lsmt_level_bytes{level="0"}')).toBeGreaterThan(1000)
  expect(before.get('lsmt_flushes_total')).toBeGreaterThan(0)
  expect(before.get('lsmt_flushed_bytes_total')).toBeGreaterThanOrEqual(before.get('lsmt_level_bytes{level="0"}')!)
  expect(before.get('lsmt_ingested_bytes_total')).toBe(0)
  for (let id = 100; id < 110; id++) await server.post(`SELECT text FROM t WHERE id = ${id}`)
  const afterGets = growth(before, await numbers())
  expect(afterGets('lsmt_bloom_probes_total{outcome="present"}')).toBe(5)
  expect(afterGets('lsmt_bloom_probes_total{outcome="absent"}') + afterGets('lsmt_bloom_probes_total{outcome="false_positive"}')).toBe(5)
  expect(afterGets('lsmt_cache_lookups_total{outcome="miss"}')).toBeGreaterThan(0)
  expect(afterGets('lsmt_storage_read_requests_total')).toBeGreaterThan(0)
  const { stats } = (await server.post('SELECT COUNT(*) FROM t WHERE n > 1900 AND text <> \'\'')).json
  expect(stats['rowGroupsPruned']).toBeGreaterThan(0)
  const grown = growth(before, await numbers())
  expect(grown('lsmt_row_groups_pruned_total')).toBe(stats['rowGroupsPruned'])
  expect(grown('lsmt_cache_lookups_total{outcome="hit"}')).toBeGreaterThan(0)
  expect(grown('lsmt_row_groups_read_total')).toBeGreaterThanOrEqual(stats['rowGroupsTotal']! - stats['rowGroupsPruned']!)
  expect((await numbers()).get('lsmt_memory_bytes{use="cache"}')).toBe(server.engine.stats().cacheBytes)
})

test('connections, and those that were refused', async () => {
  const idle = await openRaw(server.url)
  const before = await numbers()
  await exchange(server.url, 'nonsense\r\n\r\n')
  const grown = growth(before, await numbers())
  expect(before.get('lsmt_http_connections')).toBeGreaterThanOrEqual(2)
  expect(grown('lsmt_http_connections_refused_total{reason="malformed"}')).toBe(1)
  expect([before.get('lsmt_read_only'), before.get('lsmt_http_requests_in_progress'), before.get('lsmt_queries_running')]).toEqual([0, 1, 0])
  idle.socket.destroy()
})
