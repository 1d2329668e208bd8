/** Whole nodes over real etcd, in one process. */
import { expect, it } from 'vitest'
import { until } from '../../until.ts'
import { describeEtcd, sharedEtcd } from '../etcd/server/etcd-server.ts'
import { freshCluster } from '../node/test-member.ts'
import { startServer } from './test-server.ts'
import type { TestServer } from './test-server.ts'

/** Where none ends, none is to be taken for dead because the machine is busy. */
async function startThree(leaseSeconds = 30): Promise<readonly [TestServer, TestServer, TestServer]> {
  const place = { etcd: await sharedEtcd(), cluster: freshCluster(), membership: { leaseSeconds } }
  const [a, b, c] = await Promise.all([startServer('a', place), startServer('b', place), startServer('c', place)])
  await until(() => [a, b, c].every(({ server }) => server.isReady()))
  return [a, b, c]
}

/** Whoever has coordinated what was written, which may not be who does now. */
const tokenOf = (nodes: readonly TestServer[]): string => nodes.reduce<string | undefined>((token, { server }) => server.token(token), undefined)!

describeEtcd('three servers', () => {
  it('answer what was written through any of them', async () => {
    const nodes = await startThree(), [a, b, c] = nodes
    await a.write("INSERT INTO kv VALUES ('hello', 'world')")
    for (const node of nodes) expect(await node.read("SELECT value FROM kv WHERE key = 'hello'")).toEqual([['world']])
    await b.write('CREATE TABLE t (id INT PRIMARY KEY, v INT)')
    await c.write('INSERT INTO t VALUES (1, 10), (2, 20), (3, 30), (4, 40), (5, 50)')
    for (const node of nodes) {
      expect(await node.read('SELECT count(*), sum(v) FROM t')).toEqual([[5, 150]])
      expect(await node.read('SELECT id FROM t WHERE v > 20 ORDER BY id')).toEqual([[3], [4], [5]])
      expect(await node.read('SELECT id FROM t ORDER BY v DESC LIMIT 2')).toEqual([[5], [4]])
      expect(await node.read('SELECT id % 2 AS odd, sum(v) FROM t GROUP BY 1 ORDER BY 1')).toEqual([[0, 60], [1, 90]])
    }
    await a.write('BEGIN; UPDATE t SET v = v - 5 WHERE id = 1; UPDATE t SET v = v + 5 WHERE id = 2; DELETE FROM t WHERE id = 5; INSERT INTO t SELECT id + 10, v FROM t WHERE id < 3; COMMIT')
    await b.write('BEGIN; DELETE FROM t; ROLLBACK')
    for (const node of nodes) expect(await node.read('SELECT id, v FROM t ORDER BY id')).toEqual([[1, 5], [2, 25], [3, 30], [4, 40], [11, 5], [12, 25]])
  })

  it('know tables that were made, changed and dropped elsewhere as soon as that was acknowledged', async () => {
    const [a, b, c] = await startThree()
    for (let round = 0; round < 5; round++) {
      await a.write(`CREATE TABLE d${round} (id INT PRIMARY KEY)`)
      await Promise.all([a, b, c].map(async (node) => expect(await node.read(`SELECT count(*) FROM d${round}`)).toEqual([[0]])))
      await b.write(`INSERT INTO d${round} VALUES (${round})`)
      await b.write(`ALTER TABLE d${round} ADD COLUMN w INT DEFAULT 7`)
      await Promise.all([a, b, c].map(async (node) => expect(await node.read(`SELECT id, w FROM d${round}`)).toEqual([[round, 7]])))
      await c.write(`ALTER TABLE d${round} RENAME COLUMN w TO x`)
      await c.write(`TRUNCATE d${round}`)
      await Promise.all([a, b, c].map(async (node) => expect(await node.read(`SELECT x FROM d${round}`)).toEqual([])))
      await c.write(`DROP TABLE d${round}`)
      await Promise.all([a, b, c].map((node) => expect(node.read(`SELECT * FROM d${round}`)).rejects.toMatchObject({ code: '42P01' })))
    }
  })

  it('go on when one of them ends, whichever it is, and lose nothing', async () => {
    const nodes = await startThree(1), [a] = nodes
    await a.write('CREATE TABLE t (id INT PRIMARY KEY, v INT)')
    await a.write(`INSERT INTO t VALUES ${Array.from({ length: 30 }, (_, id) => `(${id}, ${id})`).join()}`)
    const coordinator = nodes.find(({ server, name }) => server.membership.leaderOf(0) === name)!
    const left = nodes.filter((node) => node !== coordinator)
    await coordinator.end()
    await left[0]!.write('INSERT INTO t VALUES (100, 100)')
    for (const node of left) expect(await node.read('SELECT count(*), sum(v) FROM t')).toEqual([[31, 535]])
    // The lost copies are made anew on the nodes that are left, so that each shard is on both.
    await until(() => left.every(({ server }) => [0, 1, 2].every((shard) => server.membership.replica(shard) !== undefined)))
    const back = await startServer(coordinator.name, { ...coordinator.place, disk: coordinator.disk })
    await until(() => back.server.isReady())
    expect(await back.read('SELECT count(*), sum(v) FROM t')).toEqual([[31, 535]])
    expect(nodes.flatMap(({ fatal }) => fatal)).toEqual([])
  })

  it('hand over without a statement that fails', async () => {
    const nodes = await startThree(), [a] = nodes
    await a.write('CREATE TABLE t (id INT PRIMARY KEY, v INT)')
    let isOver = false, written = 0
    const writers = nodes.map(async (node, writer) => {
      for (let id = writer; !isOver; id += 3, written++) await node.write(`INSERT INTO t VALUES (${id}, ${id}), (${id + 100_000}, ${-id})`)
    })
    for (let round = 0; round < 4; round++) {
      const before = a.server.membership.leaderOf(0)!
      await a.server.membership.operate.handOver(0)
      await until(() => a.server.membership.leaderOf(0) !== before)
      const after = written
      await until(() => written > after + 3)
    }
    isOver = true
    await Promise.all(writers)
    for (const node of nodes) expect(await node.read('SELECT count(*), sum(v) FROM t')).toEqual([[2 * written, 0]])
  })

  it('answer a repeated request from its record, whoever coordinates by then', async () => {
    const nodes = await startThree(1), [a] = nodes
    await a.write('CREATE TABLE t (id INT PRIMARY KEY, v INT)')
    await a.write('INSERT INTO t VALUES (1, 1)')
    const asked = (node: TestServer): Promise<unknown> => node.write('UPDATE t SET v = v + 1 WHERE id = 1 RETURNING v', { idempotencyKey: 'once' })
    expect(await asked(a)).toEqual([[2]])
    const coordinator = nodes.find(({ server, name }) => server.membership.leaderOf(0) === name)!
    await coordinator.end()
    const other = nodes.find((node) => node !== coordinator)!
    expect(await asked(other)).toEqual([[2]])
    // Nothing was written in this term yet, and still it is known on how many disks the answer is.
    expect(other.server.copies).toBe(2)
    expect(await other.read('SELECT v FROM t')).toEqual([[2]])
  })

  it('show a session what it has written and read, and answers of bounded age, from any replica', async () => {
    const nodes = await startThree(), [a] = nodes
    await a.write('CREATE TABLE t (id INT PRIMARY KEY, v INT)')
    await a.write('INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)')
    for (let round = 1; round <= 10; round++) {
      await a.write(`UPDATE t SET v = ${round}`)
      const token = tokenOf(nodes)
      for (const node of nodes) {
        expect(await node.read('SELECT sum(v), min(v) FROM t', { kind: 'session', token })).toEqual([[4 * round, round]])
        expect(await node.read(`SELECT v FROM t WHERE id = ${1 + (round % 4)}`, { kind: 'session', token })).toEqual([[round]])
        expect(await node.read('SELECT min(v) = max(v) FROM t', { kind: 'stale', maxMs: 5_000 })).toEqual([[true]])
      }
    }
    await a.write('CREATE TABLE u (id INT PRIMARY KEY)')
    const token = tokenOf(nodes)
    for (const node of nodes) expect(await node.read('SELECT count(*) FROM u', { kind: 'session', token })).toEqual([[0]])
    await Promise.all(nodes.map((node) => expect(async () => await node.read('SELECT 1', { kind: 'session', token: 'AAAA' })).rejects.toMatchObject({ code: '22023' })))
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const node of nodes) expect(await node.read('SELECT v FROM t WHERE id = 3', { kind: 'stale', maxMs: 200 })).toEqual([[10]])
  })
})
