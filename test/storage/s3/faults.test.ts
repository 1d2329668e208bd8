/** The S3 storage through a network and a store that fail: nothing acknowledged is lost, nothing read is wrong, and what is not known is said to be so. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { attachStorage, openStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { describeStorage, failureOf } from '../storage-conformance.ts'
import { impatient, proxyFaults, seededFaults, startFaultProxy } from './fault-proxy.ts'
import type { FaultProxy, ProxyFault } from './fault-proxy.ts'
import { describeS3, freshAddress, testServer } from './s3-server.ts'

const seeds = process.env['LSMT_SEED'] !== undefined ? [Number(process.env['LSMT_SEED'])] : Array.from({ length: process.env['LSMT_TEST_FULL'] ? 60 : 3 }, (_, i) => i + 1)

/** Every caller's bytes differ from all others', as in the engine. */
const bytesOf = (seed: number, byteLength: number): Uint8Array => {
  const random = seededRandom(seed)
  return Uint8Array.from({ length: byteLength }, () => random.nextU32())
}

type Outcome = 'created' | 'exists' | LsmtError['code']
const outcomeOf = (created: Promise<'created' | 'exists'>): Promise<Outcome> => created.catch((error: LsmtError) => error.code)

describeS3('a bucket through failures', () => {
  let proxy: FaultProxy
  beforeAll(async () => { proxy = await startFaultProxy((await testServer()).endpoint, 100) })
  afterAll(() => proxy.close())

  /** A storage through the proxy, and one that goes straight to the server. */
  async function openBoth(settings: S3Address['settings'] = {}): Promise<{ readonly faulty: Storage; readonly straight: Storage }> {
    const address = await freshAddress()
    return { straight: await openStorage(address), faulty: await attachStorage({ ...address, endpoint: proxy.endpoint, settings: { ...impatient, ...settings } }) }
  }
  async function closeBoth({ faulty, straight }: { readonly faulty: Storage; readonly straight: Storage }): Promise<void> {
    proxy.plan = () => undefined
    await proxy.settled()
    await faulty.close()
    await straight.close()
  }
  const once = (fault: ProxyFault, method: string) => {
    let isDone = false
    proxy.plan = (request) => {
      if (isDone || request.method !== method) return undefined
      isDone = true
      return fault
    }
  }

  it.each(proxyFaults)('creates and reads as if nothing was, after one %s', async (fault) => {
    const both = await openBoth()
    const body = bytesOf(1, 20_000)
    once(fault, 'PUT')
    expect(await both.faulty.createIfAbsent('a', [body])).toBe('created')
    await proxy.settled()
    once(fault, 'GET')
    expect(await both.faulty.read('a')).toEqual(body)
    once(fault, 'GET')
    const reader = await both.faulty.open('a', body.length)
    const into = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 100, 5000)
    await reader.read(into, 700)
    expect(Buffer.compare(into, body.subarray(700, 5700))).toBe(0)
    once(fault, 'GET')
    expect(await both.faulty.list('')).toEqual([{ name: 'a', byteLength: 20_000 }])
    once(fault, 'DELETE')
    await both.faulty.delete('a')
    expect(await both.straight.list('')).toEqual([])
    await closeBoth(both)
  })

  // Everything that a storage promises, in full runs: the silences take a minute.
  if (process.env['LSMT_TEST_FULL']) {
    let seed = 1
    describeStorage('s3 through failures', async () => {
      const both = await openBoth()
      proxy.plan = seededFaults(seed++, 0.1)
      return { storage: both.faulty, dispose: () => closeBoth(both) }
    }, { appends: false })
  }

  it.each(seeds)('has at most one winner a name, and what it was told stands (seed %i)', async (seed) => {
    const both = await openBoth()
    proxy.plan = seededFaults(seed, 0.25)
    const names = Array.from({ length: 12 }, (_, i) => `n/${i}`)
    const told = await Promise.all(names.map(async (name, i) => {
      const contenders = [0, 1, 2].map((each) => bytesOf(seed * 1000 + i * 10 + each, 3000))
      return { name, contenders, outcomes: await Promise.all(contenders.map((body) => outcomeOf(both.faulty.createIfAbsent(name, [body])))) }
    }))
    await proxy.settled()
    for (const { name, contenders, outcomes } of told) {
      expect(outcomes.every((outcome) => ['created', 'exists', '40003'].includes(outcome)), `${name}: ${outcomes.join()}`).toBe(true)
      expect(outcomes.filter((outcome) => outcome === 'created').length, `${name}: ${outcomes.join()}`).toBeLessThanOrEqual(1)
      const winner = outcomes.indexOf('created')
      if (winner >= 0) {
        expect(await both.straight.read(name)).toEqual(contenders[winner])
        expect(await both.faulty.read(name)).toEqual(contenders[winner])
      }
    }
    await closeBoth(both)
  })

  it('says 40003 when no attempt gets an answer, and knows its own once the store is back', async () => {
    for (const fault of ['silence-before', 'silence-after', 'late'] as const) {
      const both = await openBoth({ deadlineMs: 700 })
      const [body, other] = [bytesOf(1, 100), bytesOf(2, 100)]
      proxy.plan = ({ method }) => (method === 'PUT' ? fault : undefined)
      expect((await failureOf(both.faulty.createIfAbsent('a', [body]))).code, fault).toBe('40003')
      proxy.plan = () => undefined
      expect((await failureOf(both.faulty.createIfAbsent('a', [other]))).code, fault).toBe('40003')
      expect(await both.faulty.createIfAbsent('a', [body]), fault).toBe('created')
      await proxy.settled()
      expect(await both.straight.read('a'), fault).toEqual(body)
      await closeBoth(both)
    }
  })

  it('puts large objects together from parts that fail', async () => {
    const partBytes = 5 * 1024 * 1024
    const both = await openBoth({ partBytes, requestTimeoutMs: 2_000 })
    const body = Buffer.alloc(2 * partBytes + 1000, bytesOf(3, 4096))
    proxy.plan = seededFaults(4, 0.2, ['error-500', 'slow-down', 'reset-before', 'reset-after', 'duplicate'])
    const writer = await both.faulty.create('big')
    for (let at = 0; at < body.length; at += 1024 * 1024) await writer.append(body.subarray(at, at + 1024 * 1024))
    await writer.publish()
    proxy.plan = () => undefined
    const stored = await both.straight.read('big')
    expect(Buffer.compare(stored, body)).toBe(0)
    await closeBoth(both)
  })

  it('gives an error when a store never gives a whole answer', async () => {
    const both = await openBoth({ deadlineMs: 500 })
    await both.straight.createIfAbsent('a', [bytesOf(1, 10_000)])
    for (const fault of ['truncate', 'stall'] as const) for (const action of [() => both.faulty.read('a'), async () => (await both.faulty.open('a', 10_000)).read(new Uint8Array(10_000), 0)]) {
      proxy.plan = () => fault
      const failure = await failureOf(action)
      expect(failure.code).toBe('58030')
      expect(failure.message).toMatch({ truncate: /a in bucket .*(aborted|cut)/, stall: /a in bucket .*no answer within 250 ms/ }[fault])
    }
    await closeBoth(both)
  })
})
