/** `lsmt serve` of a node of a cluster, over one that is faked: what it tells, and in which order it ends. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import { withFolder } from '../cli-process.ts'
import { fakeNode } from './fake-node.ts'

const flags = ['--node-id', 'a', '--etcd', 'http://127.0.0.1:9', '--advertise', 'http://127.0.0.1:9'] as const
const environment = { LSMT_CLUSTER_SECRET: 'a secret that is long enough' }

test('it serves, tells of the cluster, and leaves it before it ends', async () => {
  await withFolder(async (folder) => {
    const node = fakeNode()
    const { url, stop } = await serveHere(folder, flags, { openCluster: node.open, environment })
    const get = async (path: string): Promise<Response> => await fetch(url + path)
    const written = await fetch(`${url}/query`, { method: 'POST', body: "INSERT INTO kv VALUES ('a', 'b')" })
    expect(await written.json()).toMatchObject({ commit: { durability: 'sync', copies: 2 } })
    expect(await (await get('/status')).json()).toMatchObject({
      cluster: {
        name: 'test', node: 'a', ready: true, replicationFactor: 2, coordinator: 'a', etcd: { leaseTrusted: true, failure: null }, moving: 0, stuck: [], unopened: [{ shard: 1, reason: 'corrupt log' }],
        nodes: [{ node: 'a', address: 'http://a:8080', version: '1.2.3', live: true, draining: false, copies: 2, leads: 1 }, { node: 'b', draining: true, leads: 0 }],
        shards: [{ shard: 0, epoch: 3, leader: 'a', copies: 2, lag: 1, commitSequence: 12, possibleLoss: null }, { shard: 1, leader: null, copies: null, lag: null, possibleLoss: 2 }],
      },
    })
    const metrics = await (await get('/metrics')).text()
    for (const line of ['lsmt_cluster_nodes_live 2', 'lsmt_cluster_shards_led 1', 'lsmt_cluster_shards_without_leader 1', 'lsmt_cluster_coordinates_writes 1', 'lsmt_cluster_elections_total 5', 'lsmt_cluster_shard_copies{shard="0"} 2', 'lsmt_cluster_shard_lag{shard="0"} 1', 'lsmt_cluster_etcd_unreachable 0']) expect(metrics).toContain(`${line}\n`)
    expect(await (await get('/backup')).json()).toMatchObject({ error: { code: '0A000' } })
    expect((await get('/health/ready')).status).toBe(200)
    node.isReady = false
    expect(await (await get('/health/ready')).json()).toMatchObject({ error: { code: '57P03', message: 'not ready: the tables were not read yet' } })
    await stop()
    expect(node.calls).toEqual(['leave', 'close'])
  })
})

test('a node that must not go on ends with the reason, and without ceremony', async () => {
  await withFolder(async (folder) => {
    const node = fakeNode()
    const running = runHere(['serve', '--listen', '127.0.0.1:0', '--data-dir', folder, ...flags], '', { openCluster: node.open, environment })
    while (node.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    node.requests[0]!.fatal(new LsmtError('58030', 'fsync failed'))
    const { code, err } = await running
    expect(code).toBe(1)
    expect(err).toMatch(/^lsmt: fsync failed$/m)
    expect(node.calls).toContain('close')
  })
})
