/** Bounds of the blocks of integer chunks hold all their values, and are close where steps are looked for in them. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { kinds, openTestKernel } from './both-kinds.ts'
import { guarded } from './column-chunks.ts'
import { randomI64, shapes } from './random-columns.ts'
import { putChunk } from './scan-columns.ts'

const MiB = 1024 * 1024
const ends = [2n ** 63n - 1n, -(2n ** 63n)] as const

type Stream = (random: Random) => (row: number) => bigint

function summed(start: bigint, next: (row: number) => bigint): (row: number) => bigint {
  let value = start
  return (row) => (value = BigInt.asIntN(64, value + (row === 0 ? 0n : next(row))))
}

const streams: Readonly<Record<string, Stream>> = {
  ...Object.fromEntries(shapes.map((shape) => [shape, (random: Random) => randomI64(random, shape)])),
  'a clock': (random) => summed(1_700_000_000_000_000n, () => BigInt(random.below(100_000))),
  'a clock in whole seconds': (random) => summed(1_700_000_000_000n, () => 1000n * BigInt(random.below(60))),
  'a clock that is set back at times': (random) => summed(1_700_000_000_000n, () => BigInt(random.below(500)) - 20n),
  'a countdown': (random) => summed(10n ** 12n, () => -BigInt(random.below(500))),
  'a line': () => (row) => 17n * BigInt(row) - 40n,
  'a falling line with noise': (random) => (row) => -1_000_001n * BigInt(row) + BigInt(random.below(30)),
  'the greatest integers': (random) => (row) => ends[0] - 5000n + BigInt(row) - BigInt(random.below(3)),
  'integers that go beyond 64 bits': (random) => summed(ends[0] - 40_000n, () => BigInt(random.below(100))),
  'steep differences': (random) => summed(ends[1], () => 2n ** 52n + BigInt(random.below(9))),
}

describe.each(kinds)('bounds of blocks (%s)', (kind) => {
  it.each(Object.entries(streams))('hold the values of %s', (name, stream) => {
    for (const count of [1, 127, 128, 129, 1024, 1025, 5000]) {
      const kernel = openTestKernel(kind, 8 * MiB), value = stream(seededRandom(count)), rows = Array.from({ length: count }, (_, row) => value(row))
      const chunk = putChunk(kernel, { kind: 'i64', rows }), blocks = Math.ceil(count / 1024), where = `${name}, ${count} rows, encoding ${kernel.exports.columnEncoding(chunk)}`
      const { address, check } = guarded(kernel, 16 * blocks), found = kernel.exports.columnBlockBounds(chunk, address)
      check(where)
      if (found === -1) continue
      expect(found, where).toBe(blocks)
      for (let block = 0; block < blocks; block++) {
        const [low, high] = kernel.memory.i64.subarray(address / 8 + 2 * block, address / 8 + 2 * block + 2) as unknown as [bigint, bigint]
        for (const each of rows.slice(1024 * block, 1024 * (block + 1))) if (each < low || each > high) expect.fail(`${where}: ${each} lies outside ${low} to ${high}`)
      }
    }
  })

  it.each(['a clock', 'a clock in whole seconds', 'a line', 'constant'])('are the values at the ends of %s', (name) => {
    const kernel = openTestKernel(kind, 8 * MiB), value = streams[name]!(seededRandom(5)), rows = Array.from({ length: 3000 }, (_, row) => value(row))
    const out = kernel.heap.allocate(48)
    expect(kernel.exports.columnBlockBounds(putChunk(kernel, { kind: 'i64', rows }), out)).toBe(3)
    expect([...kernel.memory.i64.subarray(out / 8, out / 8 + 6)]).toEqual([0, 1023, 1024, 2047, 2048, 2999].map((row) => rows[row]))
  })

  it('are not told of nulls, other kinds, and what has no directory', () => {
    const kernel = openTestKernel(kind, 8 * MiB), { exports } = kernel, out = kernel.heap.allocate(64)
    const wide = randomI64(seededRandom(3), 'wide')
    for (const column of [
      { kind: 'i64', rows: [1n, null, 3n] }, { kind: 'f64', rows: [1, 2, 3] }, { kind: 'bytes', rows: [Buffer.from('a')] }, { kind: 'i64', rows: Array.from({ length: 2000 }, (_, row) => wide(row)) },
    ] as const) expect(exports.columnBlockBounds(putChunk(kernel, column), out)).toBe(-1)
  })
})

it('are the same from both kinds of kernels', () => {
  for (const [name, stream] of Object.entries(streams)) {
    const told = kinds.map((kind) => {
      const kernel = openTestKernel(kind, 8 * MiB), value = stream(seededRandom(7)), out = kernel.heap.allocate(16 * 5)
      const blocks = kernel.exports.columnBlockBounds(putChunk(kernel, { kind: 'i64', rows: Array.from({ length: 4500 }, (_, row) => value(row)) }), out)
      return [blocks, ...kernel.memory.i64.slice(out / 8, out / 8 + 2 * Math.max(blocks, 0))]
    })
    expect(told[1], name).toEqual(told[0])
  }
})
