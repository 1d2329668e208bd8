/** Leases over any etcd; part of conformance.ts. */
import { expect, it } from 'vitest'
import type { EtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { until } from '../../until.ts'
import { changesOf, freshPrefix, told } from './watched.ts'

export function describeLeases(client: () => EtcdClient): void {
  it('ends keys with their lease', async () => {
    const prefix = freshPrefix()
    const { id, ttlMs } = await client().grant(30)
    expect(ttlMs).toBe(30_000)
    expect(id).toBeGreaterThan(0xffff_ffffn)
    const revision = await client().put(`${prefix}live`, 'x', id)
    expect((await client().get(`${prefix}live`)).found?.leaseId).toBe(id)
    expect((await client().transact({ when: [{ kind: 'lease', key: `${prefix}live`, is: '=', to: id }], apply: [] })).held).toBe(true)
    await client().revoke(id)
    await client().revoke(id)
    expect((await client().get(`${prefix}live`)).found).toBeUndefined()
    expect(told(await changesOf(client().watch({ scope: { prefix }, fromRevision: revision }), 2), prefix)).toEqual(['put live=x', 'delete live'])
    await expect(client().put(`${prefix}live`, 'y', id)).rejects.toMatchObject({ code: '55000' })
    await expect(client().swap({ seen: await client().get(`${prefix}live`), value: 'y', leaseId: id })).rejects.toMatchObject({ code: '55000' })
  })

  it('keeps a lease beyond its time to live, and lets it end when it is renewed no more', async () => {
    const prefix = freshPrefix()
    const states: string[] = []
    const lease = await client().keepLease({ ttlSeconds: 2, key: `${prefix}live`, onChange: (state) => states.push(state) })
    const firstMs = lease.trustedUntilMs()
    const revision = await client().put(`${prefix}live`, 'x', lease.id)
    const ended = changesOf(client().watch({ scope: { prefix }, fromRevision: revision + 1n }), 1)
    await until(() => performance.now() > firstMs && lease.isTrusted())
    expect((await client().get(`${prefix}live`)).found?.value).toBe('x')
    lease.stop()
    const untilMs = lease.trustedUntilMs()
    expect(told(await ended, prefix)).toEqual(['delete live'])
    // Nobody trusts it any more by the time it ends.
    expect(performance.now()).toBeGreaterThan(untilMs)
    expect([lease.isTrusted(), states]).toEqual([false, []])
  })

  it('tells the owner of a lease that somebody else ended', async () => {
    const prefix = freshPrefix()
    let tell: (state: string) => void = () => {}
    const heard = new Promise<string>((resolve) => { tell = resolve })
    const lease = await client().keepLease({ ttlSeconds: 1, key: `${prefix}live`, onChange: tell })
    await client().revoke(lease.id)
    expect(await heard).toBe('gone')
    expect(lease.isTrusted()).toBe(false)
  })
}
