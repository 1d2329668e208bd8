/** What can be wrong when a node starts: one clear error each, and nothing changed. */
import { describe, expect, it } from 'vitest'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { storeKeys } from '../../../src/cluster/node/store/keys.ts'
import { openFormat } from '../../../src/engine/shards/format-file.ts'
import { LsmtError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { freePorts } from '../../shared-server/shared-server.ts'
import { until } from '../../until.ts'
import { describeEtcd, patientEtcd, quickEtcd, sharedEtcd, startEtcd } from '../etcd/server/etcd-server.ts'
import { freshCluster, kernel, newDisk, startMember } from './test-member.ts'
import type { MemberDisk, MemberOptions } from './test-member.ts'

async function errorOf(started: Promise<unknown>): Promise<LsmtError> {
  const error = await started.then(() => undefined, (cause: unknown) => cause)
  if (!(error instanceof LsmtError)) throw new Error(`no LsmtError: ${String(error)}`)
  return error
}

/** Whoever has it is not to lose it to the other one because the machine is busy. */
const longLease = { leaseSeconds: 2 }

const filesOf = ({ files }: MemberDisk): readonly string[] => [...files.keys()].toSorted()

/** Everything below the cluster's name in etcd. */
async function storedOf(endpoints: readonly string[], cluster: string): Promise<readonly string[]> {
  const client = createEtcdClient({ endpoints, settings: patientEtcd })
  const { keyValues } = await client.list(storeKeys(cluster).prefix)
  client.close()
  return keyValues.map(({ key, value }) => `${key} ${value}`)
}

describe('without etcd', () => {
  it('a node says within seconds that it cannot reach it', async () => {
    const [port] = await freePorts(1)
    const disk = newDisk(), beganMs = performance.now()
    const error = await errorOf(startMember('a', { etcd: [`http://127.0.0.1:${port}`], cluster: 'c', disk, etcdSettings: quickEtcd }))
    expect(error).toMatchObject({ code: '08006', message: expect.stringContaining(`etcd cannot be reached at http://127.0.0.1:${port}`) })
    expect(performance.now() - beganMs).toBeLessThan(20_000)
    expect(filesOf(disk)).toEqual([])
  })

  it.each([
    [{ name: 'a/b' }, 'the node is called "a/b"'],
    [{ cluster: '' }, 'the cluster is called ""'],
    [{ factor: 0 }, 'the replication factor is 0'],
  ])('%j is refused at once', async ({ name = 'a', ...options }: Partial<MemberOptions> & { name?: string }, message) => {
    expect(await errorOf(startMember(name, { etcd: ['http://127.0.0.1:1'], cluster: 'c', ...options }))).toMatchObject({ code: '22023', message: expect.stringContaining(message) })
  })
})

describeEtcd('a node that starts', () => {
  async function refused(name: string, options: MemberOptions, code: string, message: string | RegExp): Promise<void> {
    const endpoints = await sharedEtcd(), files = filesOf(options.disk!), stored = await storedOf(endpoints, options.cluster)
    const error = await errorOf(startMember(name, options))
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
    expect(filesOf(options.disk!)).toEqual(files)
    // Leases of others may end, and be followed by others, meanwhile.
    await expect.poll(() => storedOf(endpoints, options.cluster)).toEqual(stored)
  }

  it('refuses what others have set up otherwise', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster()
    await startMember('a', { etcd, cluster })
    await refused('b', { etcd, cluster, disk: newDisk(), shardCount: 8 }, '22023', 'the cluster has 4 shards, this node has 8')
    await refused('b', { etcd, cluster, disk: newDisk(), factor: 3 }, '22023', 'the cluster keeps 2 copies, this node was told 3')
  })

  it('refuses a directory of something else', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster(), disk = newDisk()
    const a = await startMember('a', { etcd, cluster, disk })
    await a.end()
    await refused('b', { etcd, cluster, disk }, '55000', `is of node 'a' of the cluster '${cluster}', and was started as node 'b' of '${cluster}'`)
    await refused('a', { etcd, cluster: freshCluster(), disk }, '55000', `is of node 'a' of the cluster '${cluster}'`)
    const alone = newDisk()
    await openFormat(createMemoryStorage({ disk: alone.files }), kernel, seededRandom(1), 4, systemClock)
    await refused('c', { etcd, cluster, disk: alone }, '55000', 'holds a database of its own')
  })

  it('a directory of a node is no database of its own', async () => {
    const disk = newDisk()
    await startMember('a', { etcd: await sharedEtcd(), cluster: freshCluster(), disk })
    await expect(openFormat(createMemoryStorage({ disk: disk.files }), kernel, seededRandom(1), 4, systemClock)).rejects.toMatchObject({ code: '55000', message: expect.stringContaining("holds copies that node 'a' of the cluster") })
  })

  it('refuses an etcd that has lost the cluster, or has another one of its name', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster(), disk = newDisk()
    const a = await startMember('a', { etcd, cluster, disk })
    await a.end()
    const client = createEtcdClient({ endpoints: etcd, settings: patientEtcd })
    await client.delete({ prefix: storeKeys(cluster).prefix })
    await refused('a', { etcd, cluster, disk }, '55000', `etcd has no cluster '${cluster}', of which this node keeps copies`)
    await startMember('b', { etcd, cluster })
    await refused('a', { etcd, cluster, disk }, '55000', `keeps copies of another cluster of the name '${cluster}'`)
    client.close()
  })

  it('refuses a cluster of a later format', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster()
    const client = createEtcdClient({ endpoints: etcd, settings: patientEtcd })
    await client.put(storeKeys(cluster).cluster, '{"format":2}')
    await refused('a', { etcd, cluster, disk: newDisk() }, 'XX002', 'has format 2; this version knows format 1')
    client.close()
  })

  it('refuses an id that is in use, after the time in which an earlier start of it would have ended', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster()
    const a = await startMember('a', { etcd, cluster, settings: longLease })
    const beganMs = performance.now()
    await refused('a', { etcd, cluster, disk: newDisk(), settings: longLease }, '55006', `a node 'a' is live at ${a.url}: two nodes cannot have one id`)
    expect(performance.now() - beganMs).toBeGreaterThan(longLease.leaseSeconds * 1000)
    await until(() => a.membership.status().isLeaseTrusted)
    expect(a.fatal).toEqual([])
  })

  it('of two that start at once by one id one is in, and the other one refused', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster()
    const started = await Promise.allSettled([startMember('a', { etcd, cluster, settings: longLease }), startMember('a', { etcd, cluster, settings: longLease })])
    const failures = started.flatMap((each) => (each.status === 'rejected' ? [each.reason as LsmtError] : []))
    expect(failures.map(({ code }) => code)).toEqual(['55006'])
  })

  it('waits for the lease of its own earlier start, which it outlives', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster(), disk = newDisk()
    const a = await startMember('a', { etcd, cluster, disk, settings: longLease })
    await a.end()
    const again = await startMember('a', { etcd, cluster, disk })
    expect(again.membership.self).toEqual({ ...a.membership.self, incarnation: 2 })
    expect(again.lines.some((line) => line.startsWith('an earlier start of a'))).toBe(true)
  })

  it('an older copy of its disk is another store', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster(), disk = newDisk()
    const first = await startMember('a', { etcd, cluster, disk })
    const copy: MemberDisk = { files: new Map(disk.files), shards: new Map() }
    await first.membership.leave()
    await first.end()
    const second = await startMember('a', { etcd, cluster, disk })
    await second.membership.leave()
    await second.end()
    const third = await startMember('a', { etcd, cluster, disk: copy })
    expect(third.membership.self.incarnation).toBe(3)
    expect(third.membership.self.store).not.toBe(first.membership.self.store)
    expect(third.lines.some((line) => line.includes('it is an older copy'))).toBe(true)
  })

  it('says that others run another version, once', async () => {
    const etcd = await sharedEtcd(), cluster = freshCluster()
    const a = await startMember('a', { etcd, cluster })
    await startMember('b', { etcd, cluster, version: '2.0' })
    await until(() => a.lines.filter((line) => line === 'b runs version 2.0 of lsmt, this node 1.0').length === 1)
  })

  it('refuses when etcd does not know its user', async () => {
    const etcd = await startEtcd({ memberCount: 1 })
    const admin = createEtcdClient({ endpoints: etcd.endpoints, settings: patientEtcd })
    const post = async (path: string, body: object): Promise<void> => {
      const answer = await fetch(`${etcd.endpoints[0]}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) })
      expect(answer.status).toBe(200)
    }
    await post('auth/user/add', { name: 'root', password: 'of all' })
    await post('auth/role/add', { name: 'root' })
    await post('auth/user/grant', { user: 'root', role: 'root' })
    await post('auth/enable', {})
    const disk = newDisk()
    const client = createEtcdClient({ endpoints: etcd.endpoints, settings: patientEtcd, user: { name: 'root', password: 'guessed' } })
    expect(await errorOf(startMember('a', { etcd: client, cluster: 'c', disk }))).toMatchObject({ code: '28000', message: expect.stringContaining('authentication failed') })
    expect(await errorOf(startMember('a', { etcd: createEtcdClient({ endpoints: etcd.endpoints, settings: patientEtcd }), cluster: 'c', disk }))).toMatchObject({ code: '28000' })
    expect(filesOf(disk)).toEqual([])
    admin.close()
    await etcd.stop()
  })
})
