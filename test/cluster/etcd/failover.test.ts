/** Three real members of which one is killed or frozen: no call hangs, and the time until they succeed again is bounded. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { describeEtcd, startEtcd } from './server/etcd-server.ts'
import type { OwnEtcd } from './server/etcd-server.ts'
import { changesOf, freshPrefix, told } from './watched.ts'

/** An election takes up to twice the 500 ms that the members wait; on a busy machine, many times that. */
const gapMsMax = 15_000
const settings = { attemptMs: 500, watchSilenceMs: 500, deadlineMs: 5_000 }

describeEtcd('etcd of three members', () => {
  let etcd: OwnEtcd
  beforeAll(async () => { etcd = await startEtcd({ memberCount: 3 }) })
  afterAll(() => etcd.stop())

  const others = (endpoint: string): string[] => etcd.endpoints.filter((other) => other !== endpoint)
  /** Whose first endpoint is the one given. */
  const clientOf = (first: string): EtcdClient => createEtcdClient({ endpoints: [first, ...others(first)], settings }, { random: { nextU32: () => Math.floor(Math.random() * 2 ** 32), nextFloat: Math.random, below: () => 0 } })

  interface Gap {
    readonly gapMs: number
    readonly unknownCount: number
    readonly longestMs: number
  }

  /** Swaps without a pause through what happens after 200 ms; nothing that was told may turn out otherwise. */
  async function gapOf(client: EtcdClient, prefix: string, happen: () => void): Promise<Gap> {
    const startMs = performance.now()
    const swapped: string[] = []
    const unknown: string[] = []
    let [happened, gapMs, longestMs, lastMs] = [false, 0, 0, startMs]
    for (let i = 0; performance.now() - startMs < 200 + gapMsMax; i++) {
      if (!happened && performance.now() - startMs > 200) {
        happened = true
        happen()
      }
      const beganMs = performance.now()
      const outcome = await client.get(`${prefix}k`).then((seen) => client.swap({ seen, value: `${i}` })).then(({ kind }) => kind, (error: { code: string }) => error.code)
      const nowMs = performance.now()
      longestMs = Math.max(longestMs, nowMs - beganMs)
      if (outcome === 'swapped') {
        swapped.push(`${i}`)
        gapMs = Math.max(gapMs, nowMs - lastMs)
        lastMs = nowMs
      } else if (outcome === '40003') unknown.push(`${i}`)
      else if (outcome !== '08006') throw new Error(outcome)
      if (happened && outcome === 'swapped' && gapMs > 200 && nowMs - lastMs < 50 && swapped.length > 20 && nowMs - startMs > 1_500) break
      await sleep(5)
    }
    const changes = await changesOf(client.watch({ scope: { key: `${prefix}k` }, fromRevision: 1n }), swapped.length)
    const written = told(changes, prefix).map((change) => change.slice('put k='.length))
    expect(written.filter((value) => !unknown.includes(value))).toEqual(swapped)
    return { gapMs, unknownCount: unknown.length, longestMs }
  }

  it('goes on when the leader is frozen: calls, a watch and a lease', async () => {
    const leader = await etcd.leader()
    const client = clientOf(leader)
    const prefix = freshPrefix()
    const states: string[] = []
    const lease = await client.keepLease({ ttlSeconds: 30, key: `${prefix}live`, onChange: (state, why) => states.push(`${state}: ${why}`) })
    const from = await client.put(`${prefix}live`, 'x', lease.id)
    const watching = changesOf(client.watch({ scope: { key: `${prefix}end` }, fromRevision: from }), 1)
    const gap = await gapOf(client, prefix, () => etcd.signal(leader, 'SIGSTOP'))
    console.info(`frozen leader: swaps succeed again after ${Math.round(gap.gapMs)} ms, the longest call took ${Math.round(gap.longestMs)} ms, ${gap.unknownCount} unknown`)
    expect(gap.gapMs).toBeLessThan(gapMsMax)
    expect(gap.gapMs).toBeGreaterThan(100)
    expect(gap.longestMs).toBeLessThan(2 * settings.deadlineMs + 10_000)
    await client.put(`${prefix}end`, '1')
    expect(told(await watching, prefix)).toEqual(['put end=1'])
    await sleep(500)
    expect([lease.isTrusted(), states]).toEqual([true, []])
    expect((await client.get(`${prefix}live`)).found?.leaseId).toBe(lease.id)
    // The one that slept is asked first, and does not answer from the past.
    etcd.signal(leader, 'SIGCONT')
    const late = clientOf(leader)
    expect((await late.get(`${prefix}end`)).found?.value).toBe('1')
    await lease.revoke()
    late.close()
    client.close()
  })

  it('goes on when the member it speaks to is killed, and says so when a majority is', async () => {
    const leader = await etcd.leader()
    const client = clientOf(leader)
    const prefix = freshPrefix()
    const gap = await gapOf(client, prefix, () => etcd.signal(leader, 'SIGKILL'))
    console.info(`killed leader: swaps succeed again after ${Math.round(gap.gapMs)} ms, the longest call took ${Math.round(gap.longestMs)} ms, ${gap.unknownCount} unknown`)
    expect(gap.gapMs).toBeLessThan(gapMsMax)
    etcd.signal(others(leader)[0]!, 'SIGKILL')
    client.close()
    const deadlineMs = 1_200
    const hopeless = createEtcdClient({ endpoints: etcd.endpoints, settings: { ...settings, deadlineMs } })
    const startMs = performance.now()
    const [read, write] = await Promise.all([hopeless.get(`${prefix}k`), hopeless.put(`${prefix}k`, 'lost')].map((call) => call.then(() => 'done', (error: { code: string }) => error.code)))
    expect(read).toBe('08006')
    expect(['08006', '40003']).toContain(write)
    expect(performance.now() - startMs).toBeLessThan(deadlineMs + 10_000)
    hopeless.close()
  })
})
