/** Three nodes as users start them: what is sent to any of them is one database, and `lsmt cluster` changes where its copies are. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeEtcd } from '../../cluster/etcd/server/etcd-server.ts'
import { ask, write } from '../../cluster/real/ask-again.ts'
import { startRealCluster } from '../../cluster/real/real-cluster.ts'
import type { RealCluster } from '../../cluster/real/real-cluster.ts'
import { answerOf, clientOf } from '../../http/http-client.ts'
import type { TestClient } from '../../http/http-client.ts'
import { runHere } from '../cli-in-process.ts'

let cluster: RealCluster
let nodes: readonly TestClient[]

describeEtcd('a cluster of three', () => {
  beforeAll(async () => {
    cluster = await startRealCluster({ flags: ['--shards', '2'] })
    await cluster.ready()
    nodes = cluster.nodes.map(({ url }) => clientOf(url))
  })
  afterAll(() => cluster?.stop())

  test('any node answers any statement', async () => {
    expect(await write(nodes[1]!, 'CREATE TABLE t (id BIGINT PRIMARY KEY, node TEXT)')).toMatchObject({ status: 200, json: { commit: { durability: 'sync', copies: 2 } } })
    for (const [index, node] of nodes.entries()) expect(await write(node, `INSERT INTO t VALUES (${index}, 'n${index}') RETURNING node`)).toMatchObject({ status: 200, json: { rows: [[`n${index}`]] } })
    for (const node of nodes) {
      expect((await ask(node, 'SELECT * FROM t WHERE id = 1')).json.rows).toEqual([[1, 'n1']])
      expect((await write(node, 'INSERT INTO t VALUES (1, NULL)')).json.error.code).toBe('23505')
      expect((await ask(node, 'SELECT count(*) FROM t')).json.rows).toEqual([[3]])
    }
    expect((await write(nodes[2]!, 'UPDATE t SET node = NULL WHERE id < 2; SELECT id FROM t WHERE node IS NULL ORDER BY id')).json.results[1]!.rows).toEqual([[0], [1]])
  })

  test('a request that is sent again, to another node, is the same request', async () => {
    for (const node of nodes) expect((await ask(node, "INSERT INTO t VALUES (10, 'once') RETURNING id", { 'idempotency-key': 'k1' })).json).toMatchObject({ rowCount: 1, rows: [[10]] })
  })

  test('a session sees at every node what it has written and read at others; what is stale is so within its bound', async () => {
    let session = ''
    for (let value = 0; value < 12; value++) {
      const written = await write(nodes[value % 3]!, `UPDATE t SET node = 'v${value}' WHERE id = 2`)
      expect(written.status).toBe(200)
      session = written.headers.get('lsmt-session')!
      const found = await ask(nodes[(value + 1) % 3]!, 'SELECT node FROM t WHERE id = 2', { 'lsmt-consistency': 'session', 'lsmt-session': session })
      expect(found.json.rows).toEqual([[`v${value}`]])
      session = found.headers.get('lsmt-session')!
      expect((await ask(nodes[(value + 2) % 3]!, "SELECT count(*) FROM t WHERE node = 'v" + value + "'", { 'lsmt-consistency': 'session', 'lsmt-session': session })).json.rows).toEqual([[1]])
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    for (const node of nodes) {
      expect((await ask(node, 'SELECT node FROM t WHERE id = 2', { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '1000' })).json.rows).toEqual([['v11']])
      expect((await ask(node, 'SELECT 1', { 'lsmt-session': 'none' })).json.error.code).toBe('22023')
    }
  })

  test('rows are imported through any node', async () => {
    for (const [index, { url }] of cluster.nodes.entries()) {
      const answer = await answerOf(await fetch(`${url}/import?table=t&format=csv`, { method: 'POST', body: `id,node\n${index + 20},import\n` }))
      expect(answer.json).toMatchObject({ rowCount: 1, commit: { copies: 2 } })
    }
    expect((await ask(nodes[0]!, "SELECT count(*) FROM t WHERE node = 'import'")).json.rows).toEqual([[3]])
  })

  test('its status, and a drained node', async () => {
    const run = (...args: readonly string[]): ReturnType<typeof runHere> => runHere(['cluster', ...args, '--url', cluster.nodes[0]!.url])
    const status = async (): Promise<unknown> => {
      const { code, out } = await run('status', '--json')
      return { code, ...JSON.parse(out) as object }
    }
    await expect.poll(status).toMatchObject({ code: 0, name: 'test', ready: true, replicationFactor: 2, nodes: [{ node: 'n1', live: true }, { node: 'n2' }, { node: 'n3' }], shards: [{ copies: 2 }, { copies: 2 }] })
    expect(await run('drain', 'n3', '--wait')).toMatchObject({ code: 0, out: 'nothing is left at n3\n' })
    expect((await ask(nodes[2]!, 'SELECT count(*) FROM t')).json.rows).toEqual([[7]])
    expect(await run('undrain', 'n3')).toMatchObject({ code: 0 })
    expect(await run('drain', 'nobody')).toMatchObject({ code: 2 })
  })
})
