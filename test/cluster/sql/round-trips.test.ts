/** What statements ask of other nodes, by method: a bound for each usual one, at a node that keeps nothing, at one that leads, and at the coordinator. */
import { expect, it } from 'vitest'
import type { Transport } from '../../../src/cluster/transport/transport.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import type { TestServer } from '../engine/test-server.ts'
import { patientTiming } from '../replica/patient-timing.ts'
import { startSqlCluster } from './sql-cluster.ts'
import type { ReadsAt, SqlCluster } from './sql-cluster.ts'

type Asked = Record<string, number>

/** Messages with at least so many bytes are rows on their way to another copy: signs of life and answers are smaller. */
const rowBytes = 2_000
const large = 'x'.repeat(rowBytes)

/** Counts from now on; `counted` begins anew. */
function counting({ server: { membership: { transport } } }: TestServer): { counted(): Asked } {
  let asked: Asked = {}
  const count = (what: string): void => void (asked[what] = (asked[what] ?? 0) + 1)
  const { request, stream, send } = { ...transport }
  const counted: Pick<Transport, 'request' | 'stream' | 'send'> = {
    request(node, method, ...rest) {
      if (!method.startsWith('node.')) count(method)
      return request(node, method, ...rest)
    },
    stream(node, method, ...rest) {
      count(method)
      return stream(node, method, ...rest)
    },
    send(node, body) {
      if (body.reduce((sum, { byteLength }) => sum + byteLength, 0) >= rowBytes) count('rows to a copy')
      return send(node, body)
    },
  }
  Object.assign(transport, counted)
  return {
    counted() {
      const before = asked
      asked = {}
      return before
    },
  }
}

/** A copy that is slow to answer is not sent the same rows again. */
const sentOnce = { ...patientTiming, retransmitMs: 60_000 }

async function filled(readsAt: ReadsAt): Promise<SqlCluster> {
  const cluster = await startSqlCluster({ tree: { memtableBytesMax: 1 << 20 } }, readsAt, sentOnce)
  await cluster.query('CREATE TABLE t (id INT PRIMARY KEY, v INT, pad TEXT)')
  await cluster.query(`INSERT INTO t VALUES ${Array.from({ length: 1_000 }, (_, id) => `(${id}, ${id}, 'p')`).join()}`)
  return cluster
}

/** What goes after the answer is counted too, however late it is. */
async function afterwards(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Where a shard's statements are settled is told with its next write from 200 ms later on, however many statements that is: now, so that it is not counted. */
async function tellSettled({ query }: SqlCluster): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 250))
  await Promise.all(Array.from({ length: 12 }, (_, i) => query(`INSERT INTO kv VALUES ('settled ${i}', '')`)))
  // Parts that leaders have forgotten since cost the coordinator's next view a second round; this one changes nothing.
  await query('UPDATE t SET v = v WHERE v = -1')
  await afterwards()
}

function expectAtMost(asked: Asked, bounds: Asked, text: string): void {
  for (const [what, count] of Object.entries(asked)) expect(count, `${what} of ${JSON.stringify(asked)}: ${text.slice(0, 80)}`).toBeLessThanOrEqual(bounds[what] ?? 0)
}

/** A view of three shards that two nodes lead. */
const view: Asked = { 'fragment.snapshots': 2, 'fragment.release': 2 }

/** Of the second run, when the plan is known. */
const reads: readonly (readonly [text: string, bounds: Asked])[] = [
  ['SELECT v FROM t WHERE id = 7', { 'fragment.row': 1 }],
  ['SELECT v FROM t WHERE id IN (1, 2, 3, 4, 5, 6, 7, 8, 9)', { ...view, 'fragment.rows': 3 }],
  ['SELECT count(*), sum(v) FROM t', { ...view, 'fragment.aggregate': 3 }],
  ['SELECT v % 3, count(*) FROM t GROUP BY 1', { ...view, 'fragment.group': 3 }],
  ['SELECT * FROM t ORDER BY v LIMIT 3', { ...view, 'fragment.top': 3 }],
  ['SELECT * FROM t', { ...view, 'fragment.scan': 3 }],
  ['SELECT v FROM t WHERE id BETWEEN 5 AND 9 ORDER BY id LIMIT 2', { ...view, 'fragment.scan': 3 }],
]

/** A node that leads nothing asks whether tables have changed. */
const catalog: Asked = { 'fragment.snapshots': 1, 'fragment.release': 1 }

/** Of both nodes that keep the rows. Keys of INSERT are looked for where their rows are. */
const many = (from: number): string => Array.from({ length: 1_000 }, (_, i) => `(${from + i}, ${i}, 'p')`).join()
const writes: readonly (readonly [text: string, bounds: Asked])[] = [
  [`INSERT INTO kv VALUES ('k', '${large}')`, { 'shard.append': 1, 'rows to a copy': 1 }],
  [`INSERT INTO t VALUES (2001, 1, '${large}')`, { 'fragment.row': 1, 'shard.append': 1, 'rows to a copy': 1 }],
  [`UPDATE t SET pad = '${large}' WHERE id = 7`, { 'fragment.row': 1, 'shard.append': 1, 'rows to a copy': 1 }],
  ['DELETE FROM t WHERE id = 7', { 'fragment.row': 1, 'shard.append': 1 }],
  [`INSERT INTO t VALUES ${many(10_000)}`, { 'fragment.rows': 2, 'shard.append': 2, 'shard.release': 2, 'rows to a copy': 3 }],
  ['UPDATE t SET v = v + 1', { 'fragment.snapshots': 1, 'fragment.release': 1, 'fragment.scan': 2, 'shard.append': 2, 'shard.release': 2, 'rows to a copy': 3 }],
]

const sum = (a: Asked, b: Asked): Asked => Object.fromEntries([...Object.keys(a), ...Object.keys(b)].map((what) => [what, (a[what] ?? 0) + (b[what] ?? 0)]))

describeEtcd('what is asked of other nodes', () => {
  it.each<ReadsAt>(['empty', 'leader'])('by reads at a node that is %s', async (readsAt) => {
    const cluster = await filled(readsAt)
    const asked = counting(cluster.reader)
    for (const [text, bounds] of reads) {
      await cluster.query(text)
      await afterwards()
      asked.counted()
      await cluster.query(text)
      await afterwards()
      expectAtMost(asked.counted(), readsAt === 'empty' ? sum(bounds, catalog) : bounds, text)
    }
  })

  it('by writes at the coordinator', async () => {
    const cluster = await filled('empty')
    const counters = cluster.keepers.map(counting)
    for (const [text, bounds] of writes) {
      await tellSettled(cluster)
      for (const asked of counters) asked.counted()
      await cluster.query(text)
      await afterwards()
      expectAtMost(counters.map((asked) => asked.counted()).reduce(sum), bounds, text)
    }
  })
})
