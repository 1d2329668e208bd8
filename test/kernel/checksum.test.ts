import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { kinds, openTestKernel } from './both-kinds.ts'

const mask = (1n << 64n) - 1n
const primes: readonly [bigint, bigint, bigint, bigint, bigint] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n]
const rotl = (x: bigint, r: bigint): bigint => ((x << r) | (x >> (64n - r))) & mask
const round = (lane: bigint, word: bigint): bigint => (rotl((lane + word * primes[1]) & mask, 31n) * primes[0]) & mask

/** The algorithm as its description states it. */
function naiveXxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  let hash = primes[4]
  if (bytes.length >= 32) {
    const lanes = [(primes[0] + primes[1]) & mask, primes[1], 0n, -primes[0] & mask]
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, view.getBigUint64(at + 8 * i, true))
    }
    hash = (rotl(lanes[0]!, 1n) + rotl(lanes[1]!, 7n) + rotl(lanes[2]!, 12n) + rotl(lanes[3]!, 18n)) & mask
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * primes[0] + primes[3]) & mask
  }
  hash = (hash + BigInt(bytes.length)) & mask
  for (; at + 8 <= bytes.length; at += 8) hash = (rotl(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * primes[0] + primes[3]) & mask
  if (at + 4 <= bytes.length) {
    hash = (rotl(hash ^ ((BigInt(view.getUint32(at, true)) * primes[0]) & mask), 23n) * primes[1] + primes[2]) & mask
    at += 4
  }
  for (; at < bytes.length; at++) hash = (rotl(hash ^ ((BigInt(bytes[at]!) * primes[4]) & mask), 11n) * primes[0]) & mask
  hash = ((hash ^ (hash >> 33n)) * primes[1]) & mask
  hash = ((hash ^ (hash >> 29n)) * primes[2]) & mask
  return hash ^ (hash >> 32n)
}

describe.each(kinds)('checksum kernels, %s', (kind) => {
  const { memory, heap, exports } = openTestKernel(kind)
  const buffer = heap.allocate(70_000), out = heap.allocate(8)
  const sum = (bytes: Uint8Array, offset = 0): bigint => {
    memory.u8.set(bytes, buffer + offset)
    exports.checksumXxh64(buffer + offset, bytes.length, out)
    return memory.u64[out / 8]!
  }

  it('gives the published sums', () => {
    const published: readonly (readonly [string, bigint])[] = [
      ['', 0xef46db3751d8e999n],
      ['a', 0xd24ec4f1a98c6e5bn],
      ['abc', 0x44bc2cf5ad770999n],
      ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
    ]
    for (const [text, expected] of published) expect(sum(Buffer.from(text))).toBe(expected)
  })

  it('agrees with the description at every length and alignment', () => {
    const random = seededRandom(11)
    for (let length = 0; length <= 100; length++) {
      const bytes = Uint8Array.from({ length }, () => random.below(256))
      for (const offset of [0, 1, 3, 4, 7]) expect(sum(bytes, offset), `length ${length}`).toBe(naiveXxh64(bytes))
    }
    const large = Uint8Array.from({ length: 65_537 }, () => random.below(256))
    expect(sum(large)).toBe(naiveXxh64(large))
    expect(sum(new Uint8Array(4096).fill(255))).toBe(naiveXxh64(new Uint8Array(4096).fill(255)))
  })
})
