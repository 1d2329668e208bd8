/** Creation if absent when answers are lost, late, or tell nothing. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import { failureOf } from '../storage-conformance.ts'
import type { BucketScript, Fault, ScriptedRequest } from './scripted-bucket.ts'
import { scriptedStorage } from './scripted-storage.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (from: Uint8Array): string => new TextDecoder().decode(from)

/** Faults by request kind, one after the other; none once they are used up. */
const inTurn = (faults: Partial<Record<ScriptedRequest['kind'], readonly (Fault | undefined)[]>>): NonNullable<BucketScript['fault']> => {
  const met = new Map<string, number>()
  return ({ kind }) => {
    const count = met.get(kind) ?? 0
    met.set(kind, count + 1)
    return faults[kind]?.[count]
  }
}
const always = (kind: ScriptedRequest['kind'], fault: Fault) => (request: ScriptedRequest): Fault | undefined => (request.kind === kind ? fault : undefined)

describe('creation if absent in a bucket', () => {
  it('is one request when all is well', async () => {
    const { storage, bucket } = scriptedStorage()
    expect(await storage.createIfAbsent('a', [bytes('one')])).toBe('created')
    expect(bucket.requests).toEqual(['put a'])
    expect(storage.requests).toEqual({ puts: 1, gets: 0, deletes: 0, failures: 0, bytesSent: 3, bytesReceived: 0 })
  })

  it('looks whose the object is that exists', async () => {
    const { storage, bucket } = scriptedStorage()
    await storage.createIfAbsent('a', [bytes('one')])
    expect(await storage.createIfAbsent('a', [bytes('two')])).toBe('exists')
    expect(bucket.requests).toEqual(['put a', 'put a', 'head a'])
  })

  it.each<[string, Fault]>([['had its effect', 'lost-answer'], ['had none', 'lost-request']])('is created when the lost attempt %s', async (_, fault) => {
    const { storage, bucket } = scriptedStorage({ fault: inTurn({ put: [fault] }) })
    expect(await storage.createIfAbsent('a', [bytes('one')])).toBe('created')
    expect(text(bucket.objects.get('a')!.bytes)).toBe('one')
  })

  it.each<[string, Fault]>([['had its effect', 'lost-answer'], ['had none', 'lost-request']])('compares bytes where the store keeps no metadata, when the lost attempt %s', async (_, fault) => {
    const { storage } = scriptedStorage({ keepsMetadata: false, fault: inTurn({ put: [fault] }) })
    expect(await storage.createIfAbsent('a', [bytes('one')])).toBe('created')
    expect(await storage.createIfAbsent('a', [bytes('two')])).toBe('exists')
    expect(await storage.createIfAbsent('a', [bytes('longer')])).toBe('exists')
  })

  it('is lost to whoever came between a lost attempt and the next', async () => {
    const { storage, bucket } = scriptedStorage({
      fault: ({ kind, number }) => {
        if (kind !== 'put' || number !== 1) return undefined
        bucket.objects.set('a', { bytes: bytes('theirs'), putId: 'theirs' })
        return 'lost-request'
      },
    })
    expect(await storage.createIfAbsent('a', [bytes('ours')])).toBe('exists')
    expect(text(bucket.objects.get('a')!.bytes)).toBe('theirs')
  })

  it('exists when the object was deleted before it could be seen whose it was', async () => {
    const { storage, bucket } = scriptedStorage({
      fault: ({ kind }) => {
        if (kind === 'head') bucket.objects.delete('a')
        return undefined
      },
    })
    bucket.objects.set('a', { bytes: bytes('theirs'), putId: 'theirs' })
    expect(await storage.createIfAbsent('a', [bytes('ours')])).toBe('exists')
  })

  it('takes a conflict for nothing, and goes on until it is decided', async () => {
    const { storage, clock } = scriptedStorage({ fault: inTurn({ put: Array.from({ length: 6 }, () => 'conflict') }) })
    expect(await storage.createIfAbsent('a', [bytes('one')])).toBe('created')
    expect(clock.slept).toHaveLength(6)
    for (const [i, ms] of clock.slept.entries()) expect(ms).toSatisfy((waited: number) => waited >= 25 * 2 ** i && waited <= 50 * 2 ** i)
  })

  it.each<Fault>(['conflict', 'lost-request', 'lost-answer', 'late', 'slow-down'])('does not know the outcome when the deadline passes in a storm of: %s', async (fault) => {
    const { storage, clock } = scriptedStorage({ fault: always('put', fault) })
    const failure = await failureOf(storage.createIfAbsent('a', [bytes('one')]))
    expect(failure.code).toBe('40003')
    expect(failure.message).toContain('a was created')
    expect(clock.monotonicMs()).toBeLessThanOrEqual(30_000)
  })

  it('leaves a store that asks for it alone for longer', async () => {
    const waits = async (fault: Fault): Promise<number> => {
      const { storage, clock } = scriptedStorage({ fault: inTurn({ put: [fault] }) })
      await storage.createIfAbsent('a', [])
      return clock.slept[0]!
    }
    expect(await waits('slow-down')).toBe(4 * (await waits('lost-request')))
  })

  it('knows that nothing was created when no attempt can have reached the store', async () => {
    for (const fault of ['unreachable', 'denied', 'unsupported'] as const) {
      const { storage } = scriptedStorage({ fault: always('put', fault) })
      expect((await failureOf(storage.createIfAbsent('a', [bytes('one')]))).code, fault).toBe('58030')
    }
  })

  it('does not know the outcome when a refusal follows an attempt without an answer', async () => {
    const { storage } = scriptedStorage({ fault: inTurn({ put: ['late', 'denied'] }) })
    expect((await failureOf(storage.createIfAbsent('a', [bytes('one')]))).code).toBe('40003')
  })

  it.each<Fault>(['lost-request', 'denied'])('does not take a failed look (%s) for a lost race', async (fault) => {
    const { storage, bucket } = scriptedStorage({ fault: always('head', fault) })
    bucket.objects.set('a', { bytes: bytes('theirs'), putId: 'theirs' })
    expect((await failureOf(storage.createIfAbsent('a', [bytes('ours')]))).code).toBe('40003')
  })

  it('repeats the look before it gives up', async () => {
    const { storage } = scriptedStorage({ fault: inTurn({ put: ['lost-answer'], head: ['lost-request', 'slow-down'] }) })
    expect(await storage.createIfAbsent('a', [bytes('one')])).toBe('created')
  })

  it('takes the same bytes again after an unknown outcome, knows its own late attempt, and refuses others', async () => {
    let isDown = true
    const { storage, bucket } = scriptedStorage({ fault: ({ kind }) => (kind === 'put' && isDown ? 'late' : undefined) })
    expect((await failureOf(storage.createIfAbsent('a', [bytes('one')]))).code).toBe('40003')
    isDown = false
    const refused = await failureOf(storage.createIfAbsent('a', [bytes('two')]))
    expect(refused.code).toBe('40003')
    expect(refused.message).toContain('with other bytes')
    await bucket.deliver()
    expect(await storage.createIfAbsent('a', [bytes('o'), bytes('ne')])).toBe('created')
    expect(await storage.createIfAbsent('a', [bytes('two')])).toBe('exists')
  })

  it('is not undone by a duplicate that comes late', async () => {
    const { storage, bucket } = scriptedStorage({ fault: inTurn({ put: ['late'] }) })
    expect(await storage.createIfAbsent('a', [bytes('one')])).toBe('created')
    await bucket.deliver()
    expect(text(bucket.objects.get('a')!.bytes)).toBe('one')
  })

  it('offers bytes as they were when it was called', async () => {
    const { storage, bucket } = scriptedStorage({ fault: inTurn({ put: ['lost-request'] }) })
    const part = bytes('one')
    const created = storage.createIfAbsent('a', [part])
    part.fill(0)
    expect(await created).toBe('created')
    expect(text(bucket.objects.get('a')!.bytes)).toBe('one')
  })

  it('never tells two of many racers that they won, whatever is lost on the way', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed)
      const faults: readonly Fault[] = ['lost-answer', 'lost-request', 'conflict', 'slow-down', 'late']
      const { storage, bucket } = scriptedStorage({ fault: () => (random.nextFloat() < 0.4 ? faults[random.below(faults.length)] : undefined) })
      const contenders = ['one', 'two', 'three', 'four']
      const outcomes = await Promise.all(contenders.map((contender) => storage.createIfAbsent('a', [bytes(contender)]).catch((error: { readonly code: string }) => error.code)))
      await bucket.deliver()
      const winners = contenders.filter((_, i) => outcomes[i] === 'created')
      expect(winners.length, `seed ${seed}: ${outcomes.join()}`).toBeLessThanOrEqual(1)
      if (winners.length === 1) expect(text(bucket.objects.get('a')!.bytes), `seed ${seed}`).toBe(winners[0])
    }
  })
})

describe('what may be repeated', () => {
  it('is, reads and lists and deletions, until the deadline', async () => {
    const { storage, bucket } = scriptedStorage({ fault: inTurn({ head: ['lost-request'], read: ['slow-down', 'lost-answer'], readWhole: ['lost-request'], list: ['lost-request'], delete: ['lost-answer'] }) })
    await storage.createIfAbsent('a', [bytes('0123')])
    const reader = await storage.open('a')
    const into = new Uint8Array(2)
    await reader.read(into, 1)
    expect(text(into)).toBe('12')
    expect(text(await storage.read('a'))).toBe('0123')
    expect(await storage.list('')).toHaveLength(1)
    await storage.delete('a')
    expect(bucket.objects.size).toBe(0)
    expect(storage.requests!.failures).toBe(6)
    expect(storage.counts).toMatchObject({ reads: 3, lists: 1, deletes: 1, bytesRead: 6 })
  })

  it('is, one page of a list at a time', async () => {
    const { storage, bucket } = scriptedStorage({ pageObjects: 3, fault: inTurn({ list: [undefined, 'lost-request'] }) })
    for (let i = 0; i < 8; i++) await storage.createIfAbsent(`n/${i}`, [])
    expect((await storage.list('n/')).map(({ name }) => name)).toEqual(Array.from({ length: 8 }, (_, i) => `n/${i}`))
    expect(bucket.requests.filter((request) => request.startsWith('list'))).toHaveLength(4)
  })

  it('fails with what the store said, and is never absent', async () => {
    const kinds = { head: 'lost-request', read: 'denied', readWhole: 'slow-down', list: 'lost-request', delete: 'denied' } as const
    const { storage } = scriptedStorage({ fault: ({ kind }) => (kind in kinds ? kinds[kind as keyof typeof kinds] : undefined) })
    const actions = [() => storage.open('a'), async () => (await storage.open('a', 3)).read(new Uint8Array(1), 0), () => storage.read('a'), () => storage.list(''), () => storage.delete('a')]
    for (const action of actions) expect((await failureOf(action)).code).toBe('58030')
  })

  it('waits for chance and not past the deadline', async () => {
    const { storage, clock } = scriptedStorage({ fault: always('readWhole', 'lost-request') }, { deadlineMs: 1000 })
    await failureOf(storage.read('a'))
    expect(clock.monotonicMs()).toBeLessThanOrEqual(1000)
    expect(clock.slept.length).toBeGreaterThan(3)
  })
})
