import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel, putBytes, takeBytes } from './both-kinds.ts'

const lengths = [0, 1, 4, 5, 7, 8, 12, 13, 14, 17, 64, 255, 270, 1023, 1024, 1025, 5000, 70_000, 200_000]

const shapes: Record<string, (random: Random, length: number) => Uint8Array> = {
  random: (random, length) => Uint8Array.from({ length }, () => random.below(256)),
  constant: (_, length) => new Uint8Array(length).fill(7),
  pairs: (_, length) => Uint8Array.from({ length }, (_unused, i) => i % 2),
  rows: (random, length) => {
    let text = ''
    while (text.length < length) text += `${random.below(1000)},Zürich ${random.below(20)},${(random.below(10_000) / 100).toFixed(2)}\n`
    return Buffer.from(text).subarray(0, length)
  },
  farRepeats: (random, length) => {
    const bytes = Uint8Array.from({ length }, () => random.below(256))
    for (let at = 66_000; at + 100 < length; at += 500) bytes.copyWithin(at, at - 65_500 - random.below(70), at - 65_400)
    return bytes
  },
}

function compress({ heap, exports, memory }: Kernel, bytes: Uint8Array, outBytes = exports.lzBound(bytes.length)): Uint8Array {
  const source = heap.allocate(bytes.length), out = heap.allocate(outBytes + 64), table = heap.allocate(exports.lzTableBytes())
  memory.u8.set(bytes, source)
  memory.u8.fill(0xaa, out, out + outBytes + 64)
  const written = exports.lzCompress(source, bytes.length, out, outBytes, table)
  expect(takeBytes({ memory } as Kernel, out + outBytes, 64).every((byte) => byte === 0xaa), 'wrote past its buffer').toBe(true)
  const result = memory.u8.slice(out, out + written)
  for (const pointer of [source, out, table]) heap.free(pointer)
  return result
}

/** Decompresses with guards before and after the output; returns the status and the bytes. */
function decompress({ heap, exports, memory }: Kernel, block: Uint8Array, outBytes: number): { status: number; bytes: Uint8Array } {
  const source = putBytes({ heap, memory } as Kernel, block), guarded = heap.allocate(outBytes + 128)
  const out = guarded + 64
  memory.u8.fill(0xaa, guarded, guarded + outBytes + 128)
  const status = exports.lzDecompress(source, block.length, out, outBytes)
  const guards = [...memory.u8.subarray(guarded, out), ...memory.u8.subarray(out + outBytes, out + outBytes + 64)]
  expect(guards.every((byte) => byte === 0xaa), 'wrote out of bounds').toBe(true)
  const bytes = takeBytes({ memory } as Kernel, out, outBytes)
  heap.free(source)
  heap.free(guarded)
  return { status, bytes }
}

/** The block format read as plainly as it is described; undefined when malformed. */
function naiveDecompress(block: Uint8Array): Uint8Array | undefined {
  const out: number[] = []
  let at = 0
  const length = (nibble: number): number => {
    let total = nibble
    if (nibble === 15) {
      let byte: number
      do {
        byte = block[at++] ?? Number.NaN
        total += byte
      } while (byte === 255)
    }
    return total
  }
  while (at < block.length) {
    const token = block[at++]!
    const literals = length(token >> 4)
    if (Number.isNaN(literals) || at + literals > block.length) return undefined
    out.push(...block.subarray(at, at + literals))
    at += literals
    if (at === block.length) return Uint8Array.from(out)
    const offset = (block[at] ?? Number.NaN) + 256 * (block[at + 1] ?? Number.NaN)
    at += 2
    const match = length(token & 15) + 4
    if (Number.isNaN(offset + match) || offset === 0 || offset > out.length) return undefined
    for (let i = 0; i < match; i++) out.push(out[out.length - offset]!)
  }
  return undefined
}

describe.each(kinds)('lz kernels, %s', (kind) => {
  const kernel = openTestKernel(kind, 8 * 1024 * 1024)

  it.each(Object.keys(shapes))('brings back what it compressed: %s', (shape) => {
    const random = seededRandom(21)
    for (const length of lengths) {
      const bytes = shapes[shape]!(random, length)
      const block = compress(kernel, bytes)
      expect(block.length, `length ${length}`).toBeGreaterThan(0)
      const { status, bytes: back } = decompress(kernel, block, length)
      expect(status).toBe(length)
      expect(Buffer.compare(back, bytes), `length ${length}`).toBe(0)
      if (length <= 5000) expect(Buffer.compare(naiveDecompress(block)!, bytes)).toBe(0)
    }
  })

  it('makes text rows less than half, constants tiny, and keeps the ends of the format', () => {
    const rows = shapes['rows']!(seededRandom(4), 60_000)
    expect(compress(kernel, rows).length).toBeLessThan(30_000)
    expect(compress(kernel, new Uint8Array(60_000)).length).toBeLessThan(300)
  })

  it('writes nothing past its buffer and returns 0 when the result is not below it', () => {
    const bytes = shapes['rows']!(seededRandom(9), 3000)
    const size = compress(kernel, bytes).length
    for (const room of [0, 1, 2, 10, size - 1, size]) expect(compress(kernel, bytes, room)).toHaveLength(0)
    expect(compress(kernel, bytes, size + 8)).toHaveLength(size)
    expect(compress(kernel, shapes['random']!(seededRandom(1), 1000), 1000)).toHaveLength(0)
  })

  it('refuses blocks of another size, truncated blocks and empty ones', () => {
    const bytes = shapes['rows']!(seededRandom(3), 1000)
    const block = compress(kernel, bytes)
    expect(decompress(kernel, block, 999).status).toBe(-1)
    expect(decompress(kernel, block, 1001).status).toBe(-1)
    for (let length = 0; length < block.length; length++) expect(decompress(kernel, block.subarray(0, length), 1000).status).toBe(-1)
    expect(decompress(kernel, Uint8Array.of(0), 0).status).toBe(0)
  })

  it('survives malformed blocks: never out of bounds, and only true answers', () => {
    const rounds = fullTests ? 60_000 : 4000
    for (let round = 0; round < rounds; round++) {
      const random = seededRandom(round)
      const bytes = shapes['rows']!(random, 20 + random.below(400))
      let block = round % 3 === 0 ? shapes['random']!(random, random.below(60)) : compress(kernel, bytes)
      for (let i = round % 3 === 0 ? 0 : 1 + random.below(4); i > 0; i--) block[random.below(block.length)] = random.below(4) === 0 ? 255 : random.below(256)
      if (random.below(4) === 0) block = block.slice(0, random.below(block.length + 1))
      const { status, bytes: back } = decompress(kernel, block, bytes.length)
      const expected = naiveDecompress(block)
      if (expected?.length === bytes.length) {
        expect(status, `seed ${round}`).toBe(bytes.length)
        expect(Buffer.compare(back, expected), `seed ${round}`).toBe(0)
      } else {
        expect(status, `seed ${round}`).toBe(-1)
      }
    }
  })
})

it('compresses to the same bytes under both kinds', () => {
  const [wasm, js] = kinds.map((kind) => openTestKernel(kind, 8 * 1024 * 1024))
  for (const [shape, make] of Object.entries(shapes)) {
    for (const length of lengths) {
      const bytes = make(seededRandom(length), length)
      expect(Buffer.compare(compress(wasm!, bytes), compress(js!, bytes)), `${shape} ${length}`).toBe(0)
    }
  }
})
