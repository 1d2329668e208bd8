import { describe, expect, it } from 'vitest'
import { bloomFilterBytes } from '../../src/kernel/bloom.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel, putBytes, putI64, putRefs, takeBytes } from './both-kinds.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function hashOne(kernel: Kernel, key: Uint8Array): Uint8Array {
  const out = kernel.heap.allocate(8)
  kernel.exports.bloomHash(putBytes(kernel, key), key.length, out)
  return takeBytes(kernel, out, 8)
}

/** A filter over keys given as refs; returns address and bytes. */
function buildFilter({ heap, memory, exports }: Kernel, hashes: number, count: number, bitsPerKey: number): { address: number; byteLength: number } {
  const byteLength = bloomFilterBytes(count, bitsPerKey)
  const address = heap.allocate(byteLength)
  memory.u8.fill(0, address, address + byteLength)
  exports.bloomBuild(hashes, count, address, byteLength)
  return { address, byteLength }
}

function falsePositiveRate(kernel: Kernel, hashes: number, members: number, probes: number): number {
  const { heap, memory, exports } = kernel
  const filter = buildFilter(kernel, hashes, members, 12)
  const list = heap.allocate(8), out = heap.allocate(1)
  memory.u32.set([filter.address, filter.byteLength], list / 4)
  for (let i = 0; i < members; i++) {
    if (exports.bloomProbe(hashes + 8 * i, list, 1, out) !== 1 || memory.u8[out] !== 1) throw new Error(`member ${i} is lost`)
  }
  let hits = 0
  for (let i = members; i < members + probes; i++) hits += exports.bloomProbe(hashes + 8 * i, list, 1, out)
  return hits / probes
}

describe.each(kinds)('bloom kernels, %s', (kind) => {
  it('hashes single keys, refs and i64 keys alike, and by their bytes alone', () => {
    const kernel = openTestKernel(kind)
    const { heap, memory, exports } = kernel
    const values = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x0123456789abcdefn]
    const keys = values.map((value) => {
      const key = Buffer.alloc(8)
      key.writeBigUInt64BE(BigInt.asUintN(64, value ^ (1n << 63n)))
      return key
    })
    const refsOut = heap.allocate(8 * keys.length), i64Out = heap.allocate(8 * keys.length)
    exports.bloomHashRefs(putRefs(kernel, keys), keys.length, refsOut)
    exports.bloomHashI64(putI64(kernel, values), keys.length, i64Out)
    keys.forEach((key, i) => {
      expect(takeBytes(kernel, refsOut + 8 * i, 8)).toEqual(hashOne(kernel, key))
      expect(takeBytes(kernel, i64Out + 8 * i, 8)).toEqual(hashOne(kernel, key))
    })
    const at = heap.allocate(64), out = heap.allocate(8)
    for (let offset = 0; offset < 8; offset++) {
      memory.u8.fill(offset + 1, at, at + 64)
      memory.u8.set(text('shifted key'), at + offset)
      exports.bloomHash(at + offset, 11, out)
      expect(takeBytes(kernel, out, 8)).toEqual(hashOne(kernel, text('shifted key')))
    }
  })

  it('keeps the hash that files were written with', () => {
    const kernel = openTestKernel(kind)
    const hex = (key: string): string => Buffer.from(hashOne(kernel, text(key))).toString('hex')
    expect({ empty: hex(''), a: hex('a'), user: hex('user:1'), long: hex('Nobody inspects the spammish repetition'), city: hex('Zürich') }).toMatchInlineSnapshot(`
      {
        "a": "50d42f775e14eb3b",
        "city": "fb3797ebe7755a34",
        "empty": "e159588306d56304",
        "long": "9a10d374c41c3548",
        "user": "293863106bbb05c1",
      }
    `)
  })

  it('has no filter say no to an empty range of filters, and yes where there is none', () => {
    const { heap, memory, exports } = openTestKernel(kind)
    const hash = heap.allocate(8), list = heap.allocate(16), filter = heap.allocate(32), out = heap.allocate(2)
    memory.u32.set([filter, 0, filter, 32], list / 4)
    memory.u8.fill(0, filter, filter + 32)
    expect(exports.bloomProbe(hash, list, 2, out)).toBe(1)
    expect([...memory.u8.subarray(out, out + 2)]).toEqual([1, 0])
    expect(exports.bloomProbe(hash, list, 0, out)).toBe(0)
  })

  it('answers falsely for less than 0.8 % at 12 bits a key, whatever the keys look like', () => {
    const members = fullTests ? 200_000 : 20_000, probes = members
    const total = members + probes
    const random = seededRandom(5)
    const shapes: Record<string, (i: number) => string> = {
      sequential: (i) => String(i),
      padded: (i) => `user:${String(i).padStart(12, '0')}`,
      random: () => Buffer.from(Array.from({ length: 12 }, () => random.below(256))).toString('latin1'),
    }
    const rates: Record<string, number> = {}
    for (const [name, make] of Object.entries(shapes)) {
      const kernel = openTestKernel(kind, 64 * 1024 * 1024)
      const hashes = kernel.heap.allocate(8 * total)
      kernel.exports.bloomHashRefs(putRefs(kernel, Array.from({ length: total }, (_, i) => text(make(i)))), total, hashes)
      rates[name] = falsePositiveRate(kernel, hashes, members, probes)
    }
    const kernel = openTestKernel(kind)
    const hashes = kernel.heap.allocate(8 * total)
    kernel.exports.bloomHashI64(putI64(kernel, Array.from({ length: total }, (_, i) => BigInt(i))), total, hashes)
    rates['i64'] = falsePositiveRate(kernel, hashes, members, probes)
    for (const [name, rate] of Object.entries(rates)) expect(rate, `${kind} ${name}`).toBeLessThan(0.008)
  })

  it('keeps its rate inside one shard, where the routing hash has its top or bottom bits in common', () => {
    const kernel = openTestKernel(kind, 64 * 1024 * 1024)
    const { heap, memory, exports } = kernel
    const candidates = 320_000
    const all = heap.allocate(8 * candidates), kept = heap.allocate(8 * candidates)
    exports.bloomHashI64(putI64(kernel, Array.from({ length: candidates }, (_, i) => BigInt(i))), candidates, all)
    for (const shardOf of [(hash: number): number => hash >>> 29, (hash: number): number => hash & 7]) {
      let count = 0
      for (let i = 0; i < candidates; i++) {
        if (shardOf(memory.u32[all / 4 + 2 * i + 1]!) !== 3) continue
        memory.f64[kept / 8 + count++] = memory.f64[all / 8 + i]!
      }
      expect(count).toBeGreaterThan(candidates / 10)
      expect(falsePositiveRate(kernel, kept, count >> 1, count >> 1)).toBeLessThan(0.008)
    }
  })
})

it('builds the same filter bytes under both kinds', () => {
  const random = seededRandom(77)
  const keys = Array.from({ length: 3000 }, () => Uint8Array.from({ length: random.below(40) }, () => random.below(256)))
  const filters = kinds.map((kind) => {
    const kernel = openTestKernel(kind)
    const hashes = kernel.heap.allocate(8 * keys.length)
    kernel.exports.bloomHashRefs(putRefs(kernel, keys), keys.length, hashes)
    const { address, byteLength } = buildFilter(kernel, hashes, keys.length, 12)
    return Buffer.concat([takeBytes(kernel, hashes, 8 * keys.length), takeBytes(kernel, address, byteLength)]).toString('hex')
  })
  expect(filters[0]).toBe(filters[1])
})

it('sizes filters in whole blocks', () => {
  expect([0, 1, 21, 22, 1000].map((keys) => bloomFilterBytes(keys, 12))).toEqual([32, 32, 32, 64, 1504])
})
