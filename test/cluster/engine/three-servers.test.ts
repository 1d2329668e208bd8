/** Whole nodes over real etcd, in one process. */
import { expect, it } from 'vitest'
import { until } from '../../until.ts'
import { describeEtcd, sharedEtcd } from '../etcd/server/etcd-server.ts'
import { freshCluster } from '../node/test-member.ts'
import { startServer } from './test-server.ts'
import type { TestServer } from './test-server.ts'

async function startThree(): Promise<readonly [TestServer, TestServer, TestServer]> {
  const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
  const [a, b, c] = await Promise.all([startServer('a', place), startServer('b', place), startServer('c', place)])
  await until(() => [a, b, c].every(({ server }) => server.isReady()))
  return [a, b, c]
}

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
    }
  })
})
