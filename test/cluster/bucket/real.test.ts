/** Three servers over one bucket, as users start them: one is killed, and what it owned answers elsewhere, with all that was acknowledged and without a copy. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { withStorage } from '../../../src/storage/open-storage.ts'
import { s3PlaceHere } from '../../cli/s3/s3-environment.ts'
import type { S3Place } from '../../cli/s3/s3-environment.ts'
import { runHere } from '../../cli/cli-in-process.ts'
import { clientOf } from '../../http/http-client.ts'
import type { TestClient } from '../../http/http-client.ts'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { until } from '../../until.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import { ask, write } from '../real/ask-again.ts'
import { startRealCluster } from '../real/real-cluster.ts'
import type { RealCluster } from '../real/real-cluster.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
/** Of the nodes' leases. */
const leaseMs = 3_000
const shards = 4
const rowsOfOne = 8

const rowsFrom = (from: number, count: number, note: string): string => Array.from({ length: count }, (_, i) => `(${from + i}, '${note}')`).join(', ')

let place: S3Place
let cluster: RealCluster
let nodes: readonly TestClient[]

interface ShardStatus {
  readonly shard: number
  readonly leader: string | null
}

async function owners(through: number): Promise<ReadonlyMap<number, string | null>> {
  const status = await (await fetch(`${cluster.nodes[through]!.url}/status`)).json() as { readonly cluster: { readonly shards: readonly ShardStatus[] } }
  return new Map(status.cluster.shards.map(({ shard, leader }) => [shard, leader]))
}

async function balanced(through: number, count: number): Promise<void> {
  for (const endMs = performance.now() + 60_000; ; await sleep(100)) {
    const counts = new Map<string, number>()
    for (const leader of (await owners(through)).values()) counts.set(String(leader), (counts.get(String(leader)) ?? 0) + 1)
    if (!counts.has('null') && counts.size === count && Math.max(...counts.values()) - Math.min(...counts.values()) <= 1) return
    if (performance.now() > endMs) throw new Error(`not balanced: ${JSON.stringify([...counts])}`)
  }
}

async function ownerOf(shard: number): Promise<string> {
  return (await owners(cluster.nodes.findIndex((node) => node.isRunning()))).get(shard)!
}

const tableFiles = (): Promise<readonly string[]> => withStorage({ kind: 's3', bucket: place.bucket, prefix: place.prefix, endpoint: place.environment['LSMT_S3_ENDPOINT']! }, 'read', async (storage) => (await storage.list('shards/')).map(({ name }) => name).filter((name) => name.endsWith('.sst')))

describeEtcd('a cluster in a bucket', () => describeS3('of three servers', () => {
  beforeAll(async () => {
    place = await s3PlaceHere()
    cluster = await startRealCluster({ replicationFactor: 1, flags: [...place.flags, '--shards', String(shards)] })
    await cluster.ready()
    nodes = cluster.nodes.map(({ url }) => clientOf(url))
  }, 240_000)
  afterAll(async () => {
    await cluster?.stop()
    vi.unstubAllEnvs()
  })

  test('any node answers any statement, and each owns its part of the shards', async () => {
    expect(await write(nodes[1]!, 'CREATE TABLE t (id BIGINT PRIMARY KEY, note TEXT)')).toMatchObject({ status: 200, json: { commit: { durability: 'sync', copies: 1 } } })
    expect((await write(nodes[2]!, `INSERT INTO t VALUES ${rowsFrom(1, 200, 'first')}`)).json).toMatchObject({ rowCount: 200 })
    for (const node of nodes) expect((await ask(node, 'SELECT count(*), min(id), max(id) FROM t')).json.rows).toEqual([[200, 1, 200]])
    await balanced(0, 3)
    for (const node of nodes) expect((await ask(node, 'SELECT count(*) FROM t')).json.rows).toEqual([[200]])
    const status = async (): Promise<unknown> => JSON.parse((await runHere(['cluster', 'status', '--json', '--url', cluster.nodes[0]!.url])).out)
    await expect.poll(status).toMatchObject({ ready: true, shards: Array.from({ length: shards }, (_, shard) => ({ shard, copies: 1 })) })
  }, 240_000)

  test('what a killed node owned answers elsewhere soon after its lease has ended, with all that was acknowledged', async () => {
    const before = await owners(0)
    const victim = cluster.nodes.findIndex(({ name }) => name === before.get(0))
    const survivor = nodes[(victim + 1) % 3]!
    const acknowledged: number[] = []
    let isOver = false
    const writer = (async () => {
      for (let id = 1_000; !isOver; id += rowsOfOne) if ((await write(survivor, `INSERT INTO t VALUES ${rowsFrom(id, rowsOfOne, 'later')}`)).status === 200) acknowledged.push(id)
    })()
    await until(() => acknowledged.length > 5)
    const files = new Set(await tableFiles())
    const killedAtMs = performance.now()
    await cluster.nodes[victim]!.kill()
    // A write through the new coordinator, and a read of every shard.
    expect((await write(survivor, "INSERT INTO t VALUES (500, 'after')")).status).toBe(200)
    const wroteMs = performance.now() - killedAtMs
    const counted = await ask(survivor, 'SELECT count(*) FROM t WHERE id <= 200')
    const tookMs = performance.now() - killedAtMs
    expect(counted.json.rows).toEqual([[200]])
    console.log(`writes again after ${Math.round(wroteMs)} ms, all shards read after ${Math.round(tookMs)} ms`)
    // A second on a quiet machine.
    expect(tookMs).toBeLessThan(leaseMs + 10_000)
    await sleep(500)
    isOver = true
    await writer
    // Statements over several shards, each of them whole.
    const found = new Map(((await ask(survivor, `SELECT id / ${rowsOfOne}, count(*) FROM t WHERE id >= 1000 GROUP BY 1`)).json.rows as readonly (readonly [number, number])[]).map(([id, count]) => [id * rowsOfOne, count]))
    expect(acknowledged.filter((id) => found.get(id) !== rowsOfOne)).toEqual([])
    expect([...found.values()].filter((count) => count !== rowsOfOne)).toEqual([])
    // Nothing was rewritten for the sake of the new owners: what was there still is.
    const now = new Set(await tableFiles())
    expect([...files].filter((name) => !now.has(name))).toEqual([])
  }, 240_000)

  test('what works with databases takes one shard at a time, and nothing else opens them', async () => {
    const at = (prefix: string): readonly string[] => ['--storage', 's3', '--bucket', place.bucket, '--prefix', prefix]
    expect(await runHere(['verify', ...at(`${place.prefix}/shards/0`)])).toMatchObject({ code: 0 })
    expect(await runHere(['gc', '--dry-run', ...at(`${place.prefix}/shards/0`)])).toMatchObject({ code: 0 })
    const refused = await runHere(['gc', ...at(place.prefix)])
    expect(refused.err).toContain(`the shards of the cluster 'test', each a database of its own`)
    expect((await runHere(['sql', '--take-over', ...at(`${place.prefix}/shards/0`)], 'SELECT 1')).err).toContain(`shard 0 of the cluster 'test'`)
    expect((await runHere(['sql', '--take-over', ...at(place.prefix)], 'SELECT 1')).err).toContain(`of the cluster 'test'`)
  })

  test.runIf(isFull)('a node that comes back gets its part again, and one that stops hands over without a lost answer', async () => {
    const back = cluster.nodes.findIndex((node) => !node.isRunning())
    cluster.nodes[back]!.start()
    await cluster.ready()
    await balanced(back, 3)
    const leaving = (back + 1) % 3
    const rest = nodes[back]!
    let isOver = false
    const reads = (async () => {
      const statuses = new Set<number>()
      while (!isOver) statuses.add((await rest.post('SELECT count(*), sum(id), max(note) FROM t')).status)
      return statuses
    })()
    const ended = cluster.nodes[leaving]!.end()
    for (let i = 0; i < 10; i++) expect((await write(rest, `INSERT INTO t VALUES (${5_000 + i}, 'while one leaves')`)).status).toBe(200)
    expect(await ended).toBe(0)
    isOver = true
    expect([...(await reads)]).toEqual([200])
    expect((await ask(rest, "SELECT count(*) FROM t WHERE note = 'while one leaves'")).json.rows).toEqual([[10]])
    expect([...(await owners(back)).values()]).not.toContain(`n${leaving + 1}`)
    // What it gave up it has flushed.
    expect((await tableFiles()).length).toBeGreaterThan(0)
    cluster.nodes[leaving]!.start()
    await cluster.ready()
    await balanced(back, 3)
  }, 240_000)

  test.runIf(isFull)('one that stands still for longer than its lease loses its shards, and writes nothing when it wakes up', async () => {
    const name = await ownerOf(0)
    const stopped = cluster.nodes.findIndex((node) => node.name === name)
    const rest = nodes[(stopped + 1) % 3]!
    // Requests that it has in hand when it stops.
    const inHand = Array.from({ length: 8 }, (_, i) => write(nodes[stopped]!, `INSERT INTO t VALUES ${rowsFrom(20_000 + 100 * i, rowsOfOne, 'in hand')}`))
    cluster.nodes[stopped]!.signal('SIGSTOP')
    for (let i = 0; i < 20; i++) expect((await write(rest, `INSERT INTO t VALUES ${rowsFrom(30_000 + 100 * i, rowsOfOne, 'while one stands still')}`)).status).toBe(200)
    expect([...(await owners((stopped + 1) % 3)).values()]).not.toContain(name)
    cluster.nodes[stopped]!.signal('SIGCONT')
    for (const answer of await Promise.all(inHand)) expect(answer.status).toBe(200)
    for (const node of nodes) expect((await ask(node, "SELECT count(*) FROM t WHERE note IN ('in hand', 'while one stands still')")).json.rows).toEqual([[28 * rowsOfOne]])
    await cluster.ready()
    await balanced(stopped, 3)
  }, 240_000)
}))
