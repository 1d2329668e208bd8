/** What clients do at a node that keeps nothing and coordinates nothing: the answers, and what they cost, are those of one node. */
import { expect, it, onTestFinished } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'
import { startTestServer } from '../../http/http-client.ts'
import type { TestServer } from '../../http/http-client.ts'
import { until } from '../../until.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import { serveHttp } from './http-cluster.ts'
import { startSqlCluster } from './sql-cluster.ts'
import type { SqlCluster } from './sql-cluster.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const MiB = 1024 * 1024

async function openAlone(): Promise<TestServer> {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 3 })
  const alone = await startTestServer({ engine })
  onTestFinished(async () => {
    await alone.server.close(100)
    await engine.close()
  })
  return alone
}

interface Sent {
  readonly sql: string
  readonly params?: unknown
  readonly timeoutMs?: number
}

const requests: readonly Sent[] = [
  { sql: 'CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, amount NUMERIC(8,2), at TIMESTAMP, raw BYTEA); CREATE TABLE u (id INT PRIMARY KEY, t_id BIGINT)' },
  { sql: "INSERT INTO t VALUES ($1, $2, $3, $4, NULL), (2, 'two', 2.5, NULL, NULL) RETURNING id, name", params: ['9007199254740993', 'one', '1.25', '2026-01-01T00:00:00Z'] },
  { sql: 'SELECT * FROM t WHERE id = $1 OR name = $2 ORDER BY id', params: [2, 'one'] },
  { sql: 'SELECT name FROM t WHERE id = :id', params: { id: 2 } },
  { sql: "INSERT INTO t (id, name) VALUES (2, 'again'), (3, 'three')" },
  { sql: "INSERT INTO t (id, name) VALUES (2, 'again'), (3, 'three') ON CONFLICT (id) DO UPDATE SET name = excluded.name || t.name RETURNING *" },
  { sql: 'INSERT INTO u SELECT id % 1000, id FROM t RETURNING id' },
  { sql: 'UPDATE t SET amount = amount * 2 WHERE id IN (SELECT t_id FROM u) RETURNING id, amount' },
  { sql: 'SELECT t.name, u.id FROM t LEFT JOIN u ON u.t_id = t.id ORDER BY t.id; SELECT count(*) FROM u; DELETE FROM u WHERE id = 2' },
  { sql: 'BEGIN; INSERT INTO u VALUES (50, 50); SELECT count(*) FROM u; ROLLBACK; SELECT count(*) FROM u' },
  { sql: 'BEGIN; INSERT INTO u VALUES (50, 50); INSERT INTO u VALUES (50, 51); COMMIT' },
  { sql: 'BEGIN; SELECT count(*) FROM u; SELECT name FROM t ORDER BY name; COMMIT' },
  { sql: 'SELECT id / 0 FROM t ORDER BY id' },
  { sql: 'SELECT nothing FROM t' },
  { sql: 'SELECT * FROM nothing' },
  { sql: 'SELECT CAST(name AS INT) FROM t' },
  { sql: 'INSERT INTO u VALUES (1, $1)', params: ['x'] },
  { sql: 'SELECT $1 + 1' },
  { sql: 'SELEC 1' },
  { sql: "INSERT INTO t (id, amount) VALUES (77, 12345678.9)" },
  { sql: 'SELECT (SELECT id FROM t) FROM u' },
  { sql: 'SHOW TABLES; DESCRIBE t' },
  { sql: 'EXPLAIN SELECT name FROM t WHERE id > 1 ORDER BY name LIMIT 2; EXPLAIN DELETE FROM t' },
  { sql: 'ALTER TABLE u ADD COLUMN w INT DEFAULT 4; SELECT w, count(*) FROM u GROUP BY w; TRUNCATE u; SELECT * FROM u' },
]

/** Without what a run takes. */
function comparable(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (key === 'stats' || key === 'commit' ? undefined : value))
}

describeEtcd('clients of a node that keeps nothing', () => {
  it('are answered as by one node, errors and formats too', async () => {
    const cluster = await startSqlCluster(), alone = await openAlone()
    const there = await serveHttp(cluster)
    for (const sent of requests) {
      const [expected, actual] = [await alone.postJson(sent), await there.postJson(sent)]
      expect({ status: actual.status, body: comparable(actual.text) }, sent.sql).toEqual({ status: expected.status, body: comparable(expected.text) })
    }
    for (const accept of ['text/csv', 'application/x-ndjson', 'application/vnd.apache.arrow.stream']) {
      const [expected, actual] = await Promise.all([alone, there].map(async ({ url }) => {
        const answer = await fetch(`${url}/query`, { method: 'POST', headers: { accept }, body: 'SELECT id, name, amount, at FROM t ORDER BY id' })
        return { type: answer.headers.get('content-type'), body: (await answer.text()).replace(/"stats":\{[^}]*\}/, '') }
      }))
      expect(actual, accept).toEqual(expected)
    }
  })

  it('import and read many rows, of which nobody holds more than a window', async () => {
    const rowCount = isFull ? 1_000_000 : 200_000
    const cluster = await startSqlCluster({ kernelMemoryBytes: 512 * MiB, tree: { memtableBytesMax: 4 * MiB, tableFileBytes: 4 * MiB, rowGroupBytes: 128 * 1024, logSegmentBytes: 4 * MiB, level1Bytes: 64 * MiB } })
    const there = await serveHttp(cluster)
    await cluster.query('CREATE TABLE big (id INT PRIMARY KEY, v INT, pad TEXT)')
    const imported = await fetch(`${there.url}/import?table=big&format=csv`, { method: 'POST', body: csv(rowCount), duplex: 'half' })
    expect([imported.status, await imported.json()]).toEqual([200, expect.objectContaining({ rowCount })])
    expect(await rowsOf(there, 'SELECT count(*), sum(v), min(id), max(id) FROM big')).toEqual([[rowCount, rowCount * (rowCount - 1) / 2, 0, rowCount - 1]])

    const received = receivedBytes(cluster)
    expect(await rowsOf(there, 'SELECT id FROM big ORDER BY id LIMIT 3')).toEqual([[0], [1], [2]])
    expect(await rowsOf(there, 'SELECT count(*) FROM (SELECT pad FROM big LIMIT 5) AS s')).toEqual([[5]])
    expect(received()).toBeLessThan(2 * MiB)

    await readsSlowly(cluster, there, rowCount)
    await endsFragments(cluster, there)

    const inserted = await there.postJson({ sql: 'CREATE TABLE copy (id INT PRIMARY KEY, v INT); INSERT INTO copy SELECT id, v FROM big' })
    expect(inserted.json.results[1]).toMatchObject({ rowCount })
    expect(await rowsOf(there, 'SELECT count(*), sum(v) FROM copy')).toEqual([[rowCount, rowCount * (rowCount - 1) / 2]])

    const startMs = performance.now()
    const late = await there.postJson({ sql: 'SELECT count(*) FROM big AS a JOIN big AS b ON a.pad = b.pad', timeoutMs: 100 })
    expect([late.status, late.json.error.code]).toEqual([408, '57014'])
    expect(performance.now() - startMs).toBeLessThan(20_000)
  })
})

const padding = 'so that rows are wide '.repeat(8)

async function* lines(rowCount: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from('id,v,pad\n')
  for (let from = 0; from < rowCount; from += 1_000) yield Buffer.from(Array.from({ length: Math.min(1_000, rowCount - from) }, (_, i) => `${from + i},${from + i},${padding}${(from + i) % 97}\n`).join(''))
}
const csv = (rowCount: number): ReadableStream<Uint8Array> => ReadableStream.from(lines(rowCount))

async function rowsOf({ postJson }: TestServer, sql: string): Promise<unknown> {
  const { json } = await postJson({ sql })
  return json.rows ?? json
}

/** By the reader, of other nodes, from now on. */
function receivedBytes({ reader }: SqlCluster): () => number {
  const now = (): number => reader.server.membership.transport.stats().to.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0)
  const before = now()
  return () => now() - before
}

/** A client that stops reading stops the nodes that the rows are on. */
async function readsSlowly(cluster: SqlCluster, { url }: TestServer, rowCount: number): Promise<void> {
  const received = receivedBytes(cluster)
  const answer = await fetch(`${url}/query`, { method: 'POST', headers: { accept: 'text/csv', 'accept-encoding': 'identity' }, body: 'SELECT * FROM big' })
  const reader = answer.body!.getReader()
  await reader.read()
  let last = -1
  while (last !== received()) {
    last = received()
    await new Promise((resolve) => setTimeout(resolve, 300))
    // Signs of life go on.
    if (received() - last < 20_000) break
  }
  expect(received()).toBeLessThan((rowCount * padding.length) / 2)
  let text = 0
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) for (const byte of piece.value) if (byte === 10) text++
  expect(text).toBeGreaterThan(rowCount * 0.9)
}

/** A client that leaves ends what other nodes do for it. */
async function endsFragments({ keepers }: SqlCluster, { url }: TestServer): Promise<void> {
  let begun = 0, ended = 0
  for (const { server } of keepers) {
    for (const shard of [0, 1, 2]) {
      const tree = server.membership.replica(shard)!.tree, { groupedAggregate } = tree
      Object.assign(tree, {
        async groupedAggregate(...given: Parameters<typeof groupedAggregate>) {
          begun++
          // Whoever waits for groups would do so for long.
          await groupedAggregate(...given).then(() => new Promise<never>((_, reject) => {
            const look = setInterval(() => {
              try {
                void given[1].pace!.turn()
              } catch (error) {
                clearInterval(look)
                reject(error)
              }
            }, 1)
          })).finally(() => {
            ended++
            Object.assign(tree, { groupedAggregate })
          })
        },
      })
    }
  }
  const leaving = new AbortController()
  const asked = fetch(`${url}/query`, { method: 'POST', body: 'SELECT pad, count(*) FROM big GROUP BY pad', signal: leaving.signal })
  await until(() => begun === 3)
  leaving.abort()
  await expect(asked).rejects.toThrow()
  await until(() => ended === 3)
}
