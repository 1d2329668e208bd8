/** Keys in the form for storage: equal bytes from both kinds, made plain again as they were, damage refused. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { kinds, openTestKernel, putBytes, putRefs, takeBytes } from './both-kinds.ts'
import { guarded, scoped, withChunk } from './column-chunks.ts'

const kernels = kinds.map((kind) => openTestKernel(kind))
const plainEncoding = 17, frontEncoding = 21

const keyShapes: Readonly<Record<string, (random: Random, i: number) => string>> = {
  numbers: (_, i) => `${17 * i}`.padStart(16, '0'),
  'numbers that share little': (_, i) => `${(i * 7_919) % 10_000}`.padStart(4, '0') + 'x'.repeat(11) + String(i % 10),
  'long numbers': (_, i) => `${i}`.padStart(40, '0'),
  paths: (random, i) => `/var/log/service-${String(i >> 5).padStart(4, '0')}/${'x'.repeat(random.below(20))}${i}`,
  'long shared beginnings': (_, i) => `${'a'.repeat(300)}${String(i).padStart(5, '0')}`,
  'a key that others begin with': (_, i) => 'k'.repeat(1 + (i % 64)) + String(i >> 6).padStart(4, '0'),
  random: (random) => `${random.nextU32().toString(36)}${random.nextU32().toString(36)}`,
}

function keysOf(shape: string, count: number): readonly Uint8Array[] {
  const random = seededRandom(count)
  return [...new Set(Array.from({ length: count }, (_, i) => keyShapes[shape]!(random, i)))].map((key) => Buffer.from(key)).sort((a, b) => Buffer.compare(a, b))
}

/** As `columnEncodeKeys` writes them. */
function plainChunk(outer: Kernel, keys: readonly Uint8Array[]): Uint8Array {
  return scoped(outer, (kernel) => {
    const { exports, heap } = kernel
    const dataBytes = keys.reduce((sum, { length }) => sum + length, 0)
    const out = heap.allocate(exports.columnEncodeBound(keys.length, dataBytes))
    return takeBytes(kernel, out, exports.columnEncodeKeys(putRefs(kernel, keys), keys.length, out, heap.allocate(exports.columnScratchBytes(keys.length, dataBytes))))
  })
}

/** What each kernel makes of a chunk; empty where it makes nothing of it. */
function each(chunk: Uint8Array, label: string, outBytes: (kernel: Kernel, address: Pointer) => number, make: (kernel: Kernel, address: Pointer, out: Pointer) => number): Uint8Array {
  const made = kernels.map((outer) => withChunk(outer, chunk, (address) => scoped(outer, (kernel) => {
    const out = guarded(kernel, outBytes(kernel, address))
    const byteLength = make(kernel, address, out.address)
    out.check(label)
    return takeBytes(kernel, out.address, byteLength)
  })))
  expect(Buffer.compare(made[0]!, made[1]!), label).toBe(0)
  return made[0]!
}

const front = (plain: Uint8Array, label: string): Uint8Array => each(plain, label, () => plain.length, (kernel, address, out) => kernel.exports.columnFront(address, out))
const expand = (stored: Uint8Array, label: string): Uint8Array => each(stored, label, (kernel, address) => kernel.exports.columnExpandedBytes(address), (kernel, address, out) => kernel.exports.columnExpand(address, out))

describe('keys in the form for storage', () => {
  it('are made plain as they were', () => {
    for (const shape of Object.keys(keyShapes)) for (const count of [2, 63, 64, 65, 1000, 1025, 2100]) {
      const plain = plainChunk(kernels[0]!, keysOf(shape, count)), label = `${shape} × ${count}`
      expect(plain[0]).toBe(plainEncoding)
      const stored = front(plain, label)
      if (stored.length === 0) continue
      expect(stored[0], label).toBe(frontEncoding)
      expect(Buffer.compare(expand(stored, label), plain), label).toBe(0)
    }
  })

  it('take less than a third of what they took, where they are numbers in text, and are left alone where nothing is saved', () => {
    const numbers = plainChunk(kernels[0]!, keysOf('numbers', 1000))
    expect(front(numbers, 'numbers').length).toBeLessThan(numbers.length / 3)
    expect(front(plainChunk(kernels[0]!, keysOf('random', 1000)), 'random').length).toBe(0)
    expect(front(plainChunk(kernels[0]!, [Buffer.from('alone')]), 'one key').length).toBe(0)
  })

  it('are refused when they are damaged, or expanded within their bounds, by both kinds alike', () => {
    const random = seededRandom(5), stored = front(plainChunk(kernels[0]!, keysOf('paths', 700)), 'paths')
    let refused = 0
    for (let round = 0; round < 400; round++) {
      const damaged = Uint8Array.from(stored)
      damaged[random.below(damaged.length)] = random.below(3) === 0 ? 0xff : random.below(256)
      const statuses = kernels.map((kernel) => {
        const address = putBytes(kernel, damaged), status = kernel.exports.columnValidate(address, damaged.length)
        kernel.heap.free(address)
        return status
      })
      expect(statuses[0], `round ${round}`).toBe(statuses[1])
      if (statuses[0] !== 0) refused++
      else if (damaged[0] === frontEncoding) expand(damaged, `round ${round}`)
    }
    expect(refused).toBeGreaterThan(20)
  })
})
