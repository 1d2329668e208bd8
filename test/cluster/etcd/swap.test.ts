/** Swaps whose answers are lost: what etcd has in the end is what the caller is told. */
import { describe, expect, it } from 'vitest'
import type { SwapOutcome } from '../../../src/cluster/etcd/kv/swap.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { seededRuns } from './seeded-runs.ts'
import { faultsOf, modelClient } from './model-client.ts'
import type { Fault } from './model/etcd-model.ts'

const isTransaction = (path: string): boolean => path === 'kv/txn'

describe('swaps in etcd', () => {
  it('are offered again when no answer comes', async () => {
    for (const fault of ['lost-request', 'late', 'silent', { code: 14, message: 'etcdserver: request timed out' }] as const) {
      const { client, model, time } = modelClient(faultsOf((_, path) => (isTransaction(path) && model.requests.filter((request) => request.startsWith('kv/txn')).length <= 2 ? fault : undefined)))
      const seen = await time.run(client.get('k'))
      expect(await time.run(client.swap({ seen, value: 'mine' }))).toEqual({ kind: 'swapped', revision: 2n })
      model.deliver()
      expect(model.store.get('k')).toMatchObject({ value: 'mine', version: 1n })
    }
  })

  it('that took effect are known as such, even when others have followed', async () => {
    for (const followers of [0, 1, 3]) {
      const { client, model, time, other } = modelClient(faultsOf((number) => (number === 2 ? 'lost-answer' : undefined)))
      const seen = await time.run(client.get('k'))
      const swapping = client.swap({ seen, value: 'mine' })
      const others = other()
      // In the pause after the lost answer.
      for (let i = 0; i < followers; i++) {
        if (i === 2) await others.delete({ key: 'k' })
        await others.put('k', `theirs ${i}`)
      }
      expect(await time.run(swapping)).toEqual({ kind: 'swapped', revision: 2n })
      expect(model.store.get('k')?.value).toBe(followers === 0 ? 'mine' : `theirs ${followers - 1}`)
    }
  })

  it('that came too late are known as such', async () => {
    const { client, model, time, other } = modelClient(faultsOf((number) => (number === 2 ? 'late' : undefined)))
    const seen = await time.run(client.get('k'))
    const swapping = client.swap({ seen, value: 'mine' })
    await other().put('k', 'theirs')
    expect(await time.run(swapping)).toMatchObject({ kind: 'changed', now: { found: { value: 'theirs' } } })
    model.deliver()
    expect(model.store.get('k')?.value).toBe('theirs')
  })

  it('that might yet take effect are never called failed', async () => {
    const { client, model, time, other } = modelClient(faultsOf((number) => (number === 3 ? 'late' : undefined)))
    await other().put('lease of the old leader', '')
    const when = [{ kind: 'version', key: 'lease of the old leader', is: '=', to: 0n }] as const
    const seen = await time.run(client.get('k'))
    expect(await time.run(client.swap({ seen, value: 'first', when }))).toMatchObject({ kind: 'unmet' })
    await expect(time.run(client.swap({ seen, value: 'second', when }))).rejects.toMatchObject({ code: '40003' })
    await other().delete({ key: 'lease of the old leader' })
    model.deliver()
    expect(model.store.get('k')?.value).toBe('second')
  })

  it('tell nothing when they cannot: etcd is gone, or has compacted what would tell', async () => {
    const gone = modelClient(faultsOf((number) => (number === 2 ? 'lost-request' : number > 2 ? 'no-connection' : undefined)))
    const seen = await gone.time.run(gone.client.get('k'))
    const startMs = gone.time.monotonicMs()
    await expect(gone.time.run(gone.client.swap({ seen, value: 'mine' }))).rejects.toMatchObject({ code: '40003' })
    expect(gone.time.monotonicMs() - startMs).toBeLessThanOrEqual(5_000)
    const never = modelClient(faultsOf((number) => (number > 1 ? 'no-connection' : undefined)))
    await expect(never.time.run(never.client.swap({ seen: await never.time.run(never.client.get('k')), value: 'mine' }))).rejects.toMatchObject({ code: '08006' })

    const { client, time, other } = modelClient(faultsOf((number) => (number === 2 ? 'lost-answer' : undefined)))
    const before = await time.run(client.get('k'))
    const swapping = client.swap({ seen: before, value: 'mine' }).catch((cause: unknown) => cause)
    const last = await other().put('k', 'theirs')
    await other().put('k', 'theirs too')
    await other().compact(last + 1n)
    expect(await time.run(swapping)).toMatchObject({ code: '40003' })
  })

  it('of several clients through failures of all kinds are in the end what they were told to be', async () => {
    const faults: readonly Fault[] = ['no-connection', 'lost-request', 'lost-answer', 'late', 'silent', 'silent-answer', { code: 14, message: 'etcdserver: leader changed' }]
    await seededRuns({ everyday: 60, full: 5_000 }, async (seed) => {
      const random = seededRandom(seed)
      const { client, model, time } = modelClient(faultsOf((_, path) => (path !== 'watch' && random.below(3) === 0 ? faults[random.below(faults.length)] : undefined)), {}, seed)
      const told = new Map<string, SwapOutcome['kind'] | 'unknown'>()
      const swapping = Promise.all([0, 1, 2].map(async (who) => {
        for (let i = 0; i < 4; i++) {
          const value = `${who}-${i}`
          const seen = await client.get('k').catch(() => undefined)
          if (seen === undefined) continue
          told.set(value, await client.swap({ seen, value }).then(({ kind }) => kind, (error: { code: string }) => (error.code === '40003' ? 'unknown' : 'changed')))
          if (random.below(4) === 0) model.deliver()
        }
      }))
      await time.run(swapping)
      model.deliver()
      const written = new Map<string, number>()
      for (const event of model.store.eventsSince({ key: 'k', end: '' }, 0n)) if (event.kind === 'put') written.set(event.stored.value, (written.get(event.stored.value) ?? 0) + 1)
      for (const [value, outcome] of told) {
        if (outcome === 'swapped') expect(written.get(value), `${value} of seed ${seed}`).toBe(1)
        if (outcome === 'changed' || outcome === 'unmet') expect(written.get(value), `${value} of seed ${seed}`).toBeUndefined()
      }
      client.close()
    })
  })
})
