/** Memberships over real etcd: from first placement to a node that leaves. */
import { expect, it } from 'vitest'
import { until } from '../../until.ts'
import { describeEtcd, sharedEtcd } from '../etcd/server/etcd-server.ts'
import { areAllLed, freshCluster, ledBy, newDisk, startMember, testSettings, write } from './test-member.ts'
import type { TestMember } from './test-member.ts'

/** No configuration that the node has heard of changes, for as long as three plans take. */
async function untilAtRest({ membership }: TestMember, shardCount: number): Promise<void> {
  const versions = (): string => Array.from({ length: shardCount }, (_, shard) => membership.configuration(shard)?.revision).join()
  let before = versions(), sinceMs = performance.now()
  await until(() => {
    if (before !== versions()) [before, sinceMs] = [versions(), performance.now()]
    return performance.now() - sinceMs > 3 * testSettings.planEveryMs
  })
}

describeEtcd('membership', () => {
  it('waits for enough nodes, places shards, elects leaders, and serves writes', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const a = await startMember('a', place)
    await until(() => a.lines.some((line) => line.startsWith('waiting for nodes: 2 copies need 2 of them, and there is one: a')))
    expect(a.membership.isReady()).toBe(false)
    const b = await startMember('b', place)
    await until(() => areAllLed([a, b]) && a.membership.isReady() && b.membership.isReady())
    for (const shard of [0, 1, 2, 3]) expect([...a.membership.membersOf(shard)].sort()).toEqual(['a', 'b'])
    // Whoever was there first took more; the plan levels it.
    await until(() => ledBy(a).length === 2 && ledBy(b).length === 2)
    await write([a, b])
    expect(a.membership.addressOf('b')).toBe(b.url)
    expect(await b.membership.readShardZeroEpoch()).toBe(a.membership.configuration(0)!.configuration.epoch)
    // Leases of a second are in doubt on a busy machine now and then, and leaders slow to answer.
    await expect.poll(() => b.membership.statusOfAll(1_000)).toMatchObject({
      cluster: place.cluster, node: 'b', isPlaced: true, isLeaseTrusted: true, storeFailure: undefined, stuck: [],
      nodes: [a, b].map(({ name, url }) => ({ node: name, isLive: true, isDraining: false, address: url, version: '1.0', incarnation: 1 })),
      shards: [2, 2, 2, 2].map((copies) => ({ led: { copies } })),
    })
  })

  it('a node that comes gets its part, and one that drains gives all away, and the plan comes to rest', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster(), shardCount: 6 }
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', place)])
    await until(() => areAllLed([a, b], 6))
    const c = await startMember('c', place)
    const loadOf = (node: string): number => c.membership.status().shards.filter(({ members }) => members.some((member) => member.node === node)).length
    await until(() => ['a', 'b', 'c'].every((node) => loadOf(node) === 4) && areAllLed([a, b, c], 6))
    await b.membership.operate.drain('a')
    await until(() => loadOf('a') === 0 && areAllLed([b, c], 6))
    await until(() => [0, 1, 2, 3, 4, 5].every((shard) => a.membership.replica(shard) === undefined))
    // Its data goes once the leaders have answered.
    for (let i = 0; i < 200 && (await a.storage.list('')).length > 2; i++) await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await a.storage.list('')).map(({ name }) => name)).toEqual(['format', expect.stringMatching(/^node\/0+1$/)])
    await untilAtRest(c, 6)
    expect([a, b, c].flatMap(({ lines }) => lines).filter((line) => line.startsWith('the copy of shard')).length).toBeGreaterThan(0)
    await a.membership.operate.replace('b', 'a')
    await until(() => loadOf('b') === 0 && areAllLed([a, c], 6))
  })

  it('a node that leaves hands over first, and comes back with its copies', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster(), disk: newDisk() }
    const [a, b] = await Promise.all([startMember('a', { ...place }), startMember('b', { ...place, disk: newDisk() })])
    await until(() => areAllLed([a, b]))
    await untilAtRest(a, 4)
    const { store } = a.membership.self
    await a.membership.leave()
    expect(a.lines.filter((line) => line.startsWith('nobody has taken over'))).toEqual([])
    await a.end()
    await until(() => ledBy(b).length === 4 || b.membership.status().shards.every(({ leader }) => leader === 'b'))
    // Its lease is ended after others lead, and heard of apart from that.
    await until(() => b.membership.status().nodes[0]?.isLive === false)
    expect(b.membership.status().nodes[0]).toMatchObject({ node: 'a', isLive: false, wasCleanlyStopped: true })
    const again = await startMember('a', { ...place })
    expect(again.membership.self).toEqual({ node: 'a', store, incarnation: 2 })
    await until(() => areAllLed([again, b]))
    await write([again, b])
  })

  it('nodes that leave together do not wait for each other', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const all = await Promise.all(['a', 'b', 'c'].map((name) => startMember(name, place))) as [TestMember, TestMember, TestMember]
    await until(() => areAllLed(all) && all.every(({ membership }) => membership.isReady()))
    await Promise.all(all.map(({ membership }) => membership.leave()))
    expect(all.flatMap(({ lines }) => lines).filter((line) => line.startsWith('nobody has taken over'))).toEqual([])
  })

  it('what a node held is led and kept by others when it dies', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => startMember(name, place))) as [TestMember, TestMember, TestMember]
    await until(() => areAllLed([a, b, c]))
    await b.end()
    await until(() => areAllLed([a, c]) && a.membership.status().shards.every(({ members }) => members.every(({ node }) => node !== 'b')))
    await write([a, c])
  })
})
