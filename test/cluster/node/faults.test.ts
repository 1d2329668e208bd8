/** What membership does while things go wrong: leases, etcd, watches, disks. */
import { describe, expect, it } from 'vitest'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { storeKeys } from '../../../src/cluster/node/store/keys.ts'
import { encodeNode } from '../../../src/cluster/node/store/node-value.ts'
import { LsmtError } from '../../../src/errors.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { until } from '../../until.ts'
import { createEtcdModel } from '../etcd/model/etcd-model.ts'
import { describeEtcd, quickEtcd, sharedEtcd, startEtcd } from '../etcd/server/etcd-server.ts'
import { areAllLed, freshCluster, ledBy, newDisk, startMember, write } from './test-member.ts'
import type { TestMember } from './test-member.ts'

/** Ends the lease under which a node is live, as an operator might by hand. */
async function endLease({ membership: { self }, etcd }: TestMember, cluster: string): Promise<void> {
  const { found } = await etcd.get(storeKeys(cluster).live(self.node, self.incarnation))
  await etcd.revoke(found!.leaseId)
}

const isUnanswered = (error: unknown): boolean => {
  if (error instanceof LsmtError && ['40003', '08006'].includes(error.code)) return true
  throw error
}

describeEtcd('a lease', () => {
  it('that has ended is followed by another one, and by leadership under that', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', place)])
    await until(() => areAllLed([a, b]))
    const key = storeKeys(place.cluster).live('a', 1)
    const before = (await a.etcd.get(key)).found!.createRevision
    await endLease(a, place.cluster)
    await until(() => a.lines.includes('this node has a lease again'))
    expect((await a.etcd.get(key)).found!.createRevision).toBeGreaterThan(before)
    await until(() => areAllLed([a, b]) && a.membership.isReady())
    expect(a.membership.replica(0)!.status().halted).toBeUndefined()
    expect(a.fatal).toEqual([])
  })

  it('that ended while another node took the name is the end', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const a = await startMember('a', place)
    await a.etcd.put(storeKeys(place.cluster).node('a'), encodeNode({ incarnation: 9, store: 'other', address: 'http://elsewhere:1', version: '1.0', wasCleanlyStopped: false }))
    await endLease(a, place.cluster)
    await until(() => a.fatal.length > 0)
    expect(a.fatal).toEqual([expect.objectContaining({ code: '55006', message: "this node is no longer 'a' of the cluster: another node, at http://elsewhere:1, was started by that name" })])
    expect(a.membership.isReady()).toBe(false)
  })
})

describeEtcd('etcd that is away', () => {
  it('for longer than a lease stops nothing that needs no change, and is found again', async () => {
    const etcd = await startEtcd({ memberCount: 1 })
    const place = { etcd: etcd.endpoints, etcdSettings: quickEtcd, cluster: freshCluster() }
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', place)])
    await until(() => areAllLed([a, b]) && ledBy(a).length === 2)
    etcd.signal(etcd.endpoints[0]!, 'SIGSTOP')
    await until(() => !a.membership.isReady() && !b.membership.isReady())
    for (const shard of ledBy(a)) expect(await a.membership.replica(shard)!.write()).toBe(true)
    await until(() => a.membership.status().storeFailure !== undefined)
    await expect(a.membership.readShardZeroEpoch()).rejects.toMatchObject({ code: '08006' })
    await expect(a.membership.operate.drain('b')).rejects.toBeInstanceOf(LsmtError)
    etcd.signal(etcd.endpoints[0]!, 'SIGCONT')
    await until(() => a.membership.isReady() && b.membership.isReady() && areAllLed([a, b]))
    await until(() => a.membership.status().storeFailure === undefined)
    // What no answer came to in time may have been done or not: it is asked for again.
    while (await a.membership.operate.drain('b').then(() => false, isUnanswered)) await systemClock.sleep(20)
    await until(() => b.membership.status().nodes.find(({ node }) => node === 'b')!.isDraining)
    await until(() => b.membership.status().stuck.length === 4)
    await Promise.all([a.end(), b.end()])
    await etcd.stop()
  })
})

describe('a watch', () => {
  it('whose place etcd has forgotten begins anew with a list', async () => {
    let isCutOff = false
    const model = createEtcdModel(systemAlarms, {
      fault: ({ endpoint, path }) => (isCutOff && endpoint === 'http://a' && path === 'watch' ? 'no-connection' : undefined),
      cut: () => isCutOff,
    })
    const clientOf = (endpoint: string) => createEtcdClient({ endpoints: [endpoint] }, { transport: model.transport, clock: systemClock })
    const place = { cluster: freshCluster(), shardCount: 2 }
    const a = await startMember('a', { ...place, etcd: clientOf('http://a') })
    const b = await startMember('b', { ...place, etcd: clientOf('http://b') })
    await until(() => areAllLed([a, b], 2))
    isCutOff = true
    await until(() => a.membership.status().storeFailure !== undefined)
    const admin = clientOf('http://admin')
    await b.membership.operate.drain('a')
    await b.membership.operate.undrain('a')
    await b.membership.operate.drain('a')
    await admin.compact((await admin.get('x')).revision)
    isCutOff = false
    await until(() => a.lines.some((line) => line.startsWith('etcd has forgotten changes')))
    await until(() => a.membership.status().nodes.find(({ node }) => node === 'a')!.isDraining)
    admin.close()
  })
})

describeEtcd('a copy', () => {
  it('that cannot be opened counts as lost, and the others go on', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', { ...place, openFails: (shard) => (shard === 1 ? new LsmtError('XX001', 'corrupt log') : undefined) })])
    await until(() => b.lines.includes("this node's copy of shard 1 cannot be opened, and counts as lost: corrupt log"))
    await until(() => ledBy(a).includes(1))
    expect(b.membership.status().unopened).toEqual([{ shard: 1, reason: 'corrupt log' }])
    // Nor is it given the leadership for the sake of a plan.
    await expect(a.membership.operate.handOver(1)).rejects.toMatchObject({ code: '55000', message: expect.stringContaining('no other member of shard 1 is heard of by a') })
    const c = await startMember('c', place)
    await until(() => areAllLed([a, b, c]) && a.membership.membersOf(1).every((node) => node !== 'b'))
    await until(() => b.membership.status().unopened.length === 0)
  })

  it('of a shard that is kept elsewhere stays while no leader says that nothing counts on it, and can be taken when all others are lost', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster(), shardCount: 1 }
    const disk = newDisk()
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', { ...place, disk })])
    await until(() => areAllLed([a, b], 1))
    for (let i = 0; i < 3; i++) await write([a, b])
    await b.end()
    const c = await startMember('c', place)
    await until(() => c.membership.membersOf(0).join() === 'a,c' || c.membership.membersOf(0).join() === 'c,a')
    await until(() => areAllLed([a, c], 1))
    await write([a, c])
    const after = c.membership.configuration(0)!.configuration.epoch
    await Promise.all([a.end(), c.end()])

    const again = await startMember('b', { ...place, disk })
    await until(() => !again.membership.status().nodes.some(({ node, isLive }) => node !== 'b' && isLive))
    const [lost] = await again.membership.operate.findLost()
    expect(lost).toMatchObject({ shard: 0, copies: [{ node: 'b', store: again.membership.self.store, sequence: expect.any(Number) }] })
    expect(lost!.copies[0]!.sequence).toBeGreaterThanOrEqual(3)
    expect((await again.storage.list('manifest/0/')).length).toBe(1)
    await again.membership.operate.recoverLost(lost!)
    await expect(again.membership.operate.recoverLost(lost!)).rejects.toMatchObject({ code: '55000', message: expect.stringContaining('has changed since it was looked at') })
    const d = await startMember('d', place)
    await until(() => areAllLed([again, d], 1))
    await write([again, d])
    expect([...d.membership.membersOf(0)].toSorted()).toEqual(['b', 'd'])
    expect(d.membership.status().shards[0]!.possibleLoss).toBeGreaterThanOrEqual(after)
    expect(await d.membership.operate.findLost()).toEqual([])
  })

  it('that nobody has cannot be recovered', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster(), shardCount: 1 }
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', place)])
    await until(() => areAllLed([a, b], 1))
    const c = await startMember('c', place)
    await Promise.all([a.end(), b.end()])
    await until(() => !c.membership.status().nodes.some(({ node, isLive }) => node !== 'c' && isLive))
    const [lost] = await c.membership.operate.findLost()
    expect(lost).toMatchObject({ shard: 0, copies: [] })
    await expect(c.membership.operate.recoverLost(lost!)).rejects.toMatchObject({ code: '55000', message: 'no live node has a copy of shard 0' })
  })
})

describeEtcd('a shard', () => {
  it('whose value etcd has lost is never given new members', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }, disk = newDisk()
    const [a, b] = await Promise.all([startMember('a', { ...place, disk }), startMember('b', place)])
    await until(() => areAllLed([a, b]) && a.membership.isReady())
    await a.membership.leave()
    await a.end()
    await b.etcd.delete({ key: storeKeys(place.cluster).shard(2) })
    const again = await startMember('a', { ...place, disk })
    await until(() => again.lines.includes('etcd has lost who keeps shards 2: restore its backup; nodes still have the copies'))
    await until(() => [0, 1, 3].every((shard) => again.membership.replica(shard) !== undefined))
    expect((await b.etcd.get(storeKeys(place.cluster).shard(2))).found).toBeUndefined()
    expect((await again.storage.list('manifest/2/')).length).toBe(1)
    // The other one knows the last configuration, and goes on by it.
    expect(b.membership.replica(2)).toBeDefined()
  })
})

describeEtcd('what people ask', () => {
  it('of nodes and shards that there are not is refused', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const [a, b] = await Promise.all([startMember('a', place), startMember('b', place)])
    await until(() => areAllLed([a, b]) && a.membership.status().nodes.length === 2)
    const { operate } = a.membership
    await expect(operate.drain('x')).rejects.toMatchObject({ code: '22023', message: "the cluster has no node 'x': there are a, b" })
    await expect(operate.replace('a', 'a')).rejects.toMatchObject({ code: '22023' })
    await expect(operate.handOver(4)).rejects.toMatchObject({ code: '22023', message: 'there is no shard 4: they are numbered 0 to 3' })
    const epoch = a.membership.configuration(3)!.configuration.epoch
    // Once the other one is heard of; meanwhile plans move leaders too.
    const isHandedOver = (): Promise<boolean> => operate.handOver(3).then(() => true, (error: unknown) => {
      if (error instanceof LsmtError && ['55000', '57P03', '08006'].includes(error.code)) return false
      throw error
    })
    while (!(await isHandedOver())) await systemClock.sleep(20)
    await until(() => a.membership.configuration(3)!.configuration.epoch > epoch && areAllLed([a, b]))
    await b.end()
    await until(() => !a.membership.status().nodes[1]!.isLive)
    await expect(operate.replace('a', 'b')).rejects.toMatchObject({ code: '55000', message: 'b, which is to take the place of a, is not live: start it first' })
  })
})
