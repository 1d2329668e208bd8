/** Until when a lease is trusted, at exact points in time. */
import { describe, expect, it } from 'vitest'
import type { KeptLease } from '../../../src/cluster/etcd/lease/lease-keeper.ts'
import { a, faultsOf, modelClient } from './model-client.ts'
import type { ModelClient } from './model-client.ts'

const ttlMs = 3_000
/** With the default drift of a hundredth and margin of 100 ms. */
const trustedMs = ttlMs * 0.99 - 100

interface Kept extends ModelClient {
  readonly lease: KeptLease
  readonly startMs: number
  readonly states: string[]
}

async function keep(made: ModelClient, mayRenew?: () => boolean): Promise<Kept> {
  const states: string[] = []
  const startMs = made.time.monotonicMs()
  const onChange = (state: string, why: string): void => void states.push(`${state} at ${Math.round(made.time.monotonicMs() - startMs)}: ${why}`)
  const lease = await made.time.run(made.client.keepLease({ ttlSeconds: ttlMs / 1000, key: 'live', onChange, ...(mayRenew !== undefined && { mayRenew }) }))
  return { ...made, lease, startMs, states }
}

describe('a kept lease', () => {
  it('is trusted from the sending of its last renewal', async () => {
    const { lease, time, startMs, states, model } = await keep(modelClient())
    expect(lease.trustedUntilMs()).toBe(startMs + trustedMs)
    await time.advance(999)
    expect(lease.trustedUntilMs()).toBe(startMs + trustedMs)
    await time.advance(1)
    expect(lease.trustedUntilMs()).toBe(startMs + 1_000 + trustedMs)
    await time.advance(60_000)
    expect([lease.isTrusted(), states]).toEqual([true, []])
    // Three renewals for each time to live, each with its read.
    expect(model.requests.filter((request) => request.startsWith('lease/keepalive')).length).toBe(61)
    lease.stop()
    await time.advance(10_000)
    expect([lease.isTrusted(), states]).toEqual([false, []])
  })

  it('is doubtful when renewals fail for too long, at the millisecond, and trusted again when one succeeds', async () => {
    let isDown = false
    const { lease, time, states, model } = await keep(modelClient(faultsOf(() => (isDown ? 'no-connection' : undefined))))
    await time.advance(1_500)
    isDown = true
    await time.advance(1_000 + trustedMs - 1_500 - 1)
    expect([lease.isTrusted(), states]).toEqual([true, []])
    await time.advance(1)
    expect([lease.isTrusted(), states.length]).toEqual([false, 1])
    expect(states[0]).toMatch(/^doubtful at 3870: etcd cannot be reached at .* ECONNREFUSED$/)
    isDown = false
    // As a new leader of etcd does.
    model.store.renew(lease.id)
    await time.advance(2_000)
    expect(states[1]).toMatch(/^trusted at/)
    expect(lease.isTrusted()).toBe(true)
  })

  it('is not trusted by somebody who asks after its end, however late timers ring', async () => {
    const { lease, time, states, model } = await keep(modelClient())
    time.stall(trustedMs - 1)
    expect(lease.isTrusted()).toBe(true)
    time.stall(1)
    expect([lease.isTrusted(), states]).toEqual([false, []])
    // The renewal that was due long ago finds it still there.
    await time.advance(0)
    expect([lease.isTrusted(), states]).toEqual([true, []])
    time.stall(60_000)
    model.store.revoke(lease.id)
    await time.advance(0)
    expect([lease.isTrusted(), states.at(-1)]).toEqual([false, 'gone at 62870: etcd has ended it'])
  })

  it('is gone for good when etcd says so', async () => {
    const { lease, time, states, model, startMs } = await keep(modelClient())
    model.store.revoke(lease.id)
    await time.advance(5_000)
    expect(states).toEqual(['gone at 1000: etcd has ended it'])
    expect(lease.trustedUntilMs()).toBe(-Infinity)
    expect(model.requests.filter((request) => request.startsWith('lease/keepalive')).length).toBe(1)
    expect(time.monotonicMs()).toBe(startMs + 5_000)
  })

  it('is not trusted longer for what a deposed leader says', async () => {
    const made = modelClient()
    const { lease, time, states, startMs } = await keep(made)
    const { post } = made.model.transport
    made.model.transport.post = (request) => {
      made.model.script.term = request.path === 'lease/keepalive' ? '2' : '3'
      return post(request)
    }
    await time.advance(trustedMs)
    expect(lease.trustedUntilMs()).toBe(startMs + trustedMs)
    expect(states).toEqual([`doubtful at ${trustedMs}: etcd's leader changed meanwhile`])
    made.model.transport.post = (request) => {
      made.model.script.term = '3'
      return post(request)
    }
    await time.advance(200)
    expect(states[1]).toMatch(/^trusted/)
  })

  it('counts from the attempt that was answered, not from the first one', async () => {
    const { lease, time, startMs } = await keep(modelClient(faultsOf((_, path, endpoint) => (path === 'lease/keepalive' && endpoint === a ? 'silent' : undefined)), { settings: { attemptMs: 400 } }))
    await time.advance(1_450)
    expect(lease.trustedUntilMs()).toBe(startMs + 1_400 + trustedMs)
  })

  it('is not renewed for an owner who does nothing', async () => {
    let isAtWork = true
    const { lease, time, states } = await keep(modelClient(), () => isAtWork)
    await time.advance(10_000)
    expect(lease.isTrusted()).toBe(true)
    isAtWork = false
    await time.advance(3_000)
    expect(states[0]).toMatch(/^doubtful .*its owner shows no sign of work$/)
  })

  it('ends when it is revoked, and renews no more when the client is closed', async () => {
    const { lease, time, states, model } = await keep(modelClient())
    const revoking = lease.revoke()
    expect(lease.isTrusted()).toBe(false)
    await time.run(revoking)
    expect(model.store.renew(lease.id)).toBeUndefined()
    expect(states).toEqual([])
    const other = await keep(modelClient())
    other.client.close()
    await other.time.advance(10_000)
    expect(other.model.requests.filter((request) => request.startsWith('lease/keepalive'))).toEqual([])
  })

  it('is granted once though the answer is lost', async () => {
    const { lease, time, startMs } = await keep(modelClient(faultsOf((number) => (number === 1 ? 'silent-answer' : undefined))))
    // Since it may have begun with the first attempt.
    expect(time.monotonicMs() - startMs).toBe(1_000)
    expect(lease.trustedUntilMs()).toBe(startMs + trustedMs)
  })
})
