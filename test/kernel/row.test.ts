import { beforeEach, describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'

type Value = bigint | number | Uint8Array | null
const kinds = ['wasm', 'js'] as const

/** The reference encoder, straight from the drawing in src/kernel/row.ts. */
function encodeRow(layout: readonly number[], values: readonly Value[]): Buffer {
  const text = Buffer.concat(values.map((value) => (value instanceof Uint8Array ? value : Buffer.alloc(0))))
  const head = Buffer.alloc(4 + Math.ceil(values.length / 8))
  head.writeUInt16LE(values.length, 0)
  let end = 0
  const slots = values.map((value, i) => {
    if (value === null) head[4 + (i >> 3)]! |= 1 << (i & 7)
    const slot = Buffer.alloc(layout[i] === 3 ? 4 : 8)
    if (layout[i] === 3) slot.writeUInt32LE((end += value instanceof Uint8Array ? value.length : 0), 0)
    else if (typeof value === 'bigint') slot.writeBigInt64LE(value)
    else if (typeof value === 'number') slot.writeDoubleLE(value)
    return slot
  })
  return Buffer.concat([head, ...slots, text])
}

function randomValue(random: Random, kind: number): Value {
  if (random.below(4) === 0) return null
  if (kind === 1) return BigInt.asIntN(64, (BigInt(random.nextU32()) << 32n) | BigInt(random.nextU32()))
  if (kind === 2) return [0, -0, Infinity, -1.5, 1e300, random.nextFloat()][random.below(6)]!
  return Buffer.from(Array.from({ length: random.below(12) }, () => random.below(256)))
}

const randomLayout = (random: Random): number[] => Array.from({ length: random.below(20) }, () => 1 + random.below(3))

describe.each(kinds)('row kernels, %s', (kind) => {
  let kernel: Kernel
  beforeEach(() => { kernel = openKernel(kind, reserveLinearMemory(4 << 20)) })

  function put(bytes: Uint8Array, misalign = 0): number {
    const at = kernel.heap.allocate(bytes.length + 16) + misalign
    kernel.memory.u8.set(bytes, at)
    return at
  }

  function putU32(words: readonly number[]): number {
    return put(new Uint8Array(Uint32Array.from(words).buffer))
  }

  const putLayout = (layout: readonly number[]): number => putU32([layout.length, ...layout])

  function readValue(at: number, columnKind: number): Value {
    const { view, u8 } = kernel.memory
    if (columnKind === 1) return view.getBigInt64(at, true)
    if (columnKind === 2) return view.getFloat64(at, true)
    return Buffer.from(u8.slice(view.getUint32(at, true), view.getUint32(at, true) + view.getUint32(at + 4, true)))
  }

  it('reads every column of every row, alone and as vectors, through columns added later and tombstones', () => {
    const seed = 11
    const random = seededRandom(seed)
    for (let round = 0; round < 60; round++) {
      const layout = randomLayout(random)
      const layoutAt = putLayout(layout)
      // Long runs of rows that are alike, with few others between them, and hardly any such run.
      const alike = [3, 30, 1000][random.below(3)]!
      const rows = Array.from({ length: 1 + random.below(150) }, () => {
        if (random.below(2 * alike) === 0) return undefined
        const written = random.below(alike) === 0 ? random.below(layout.length + 1) : layout.length
        return Array.from({ length: written }, (_, i) => randomValue(random, layout[i]!))
      })
      const addresses = rows.map((row) => (row === undefined ? 0 : put(encodeRow(layout, row), random.below(8))))
      const refs = putU32(rows.flatMap((row, i) => [addresses[i]!, row === undefined ? 0 : encodeRow(layout, row).length]))
      const out = kernel.heap.allocate(8 * rows.length), nulls = kernel.heap.allocate(24)
      layout.forEach((columnKind, column) => {
        kernel.memory.u8.fill(0xee, out, out + 8 * rows.length)
        kernel.memory.u8.fill(0xff, nulls, nulls + 24)
        const expected = rows.map((row) => row?.[column] ?? null)
        const any = kernel.exports.rowColumnVector(refs, rows.length, layoutAt, column, out, nulls)
        expect(any).toBe(expected.includes(null) ? 1 : 0)
        for (let bit = 0; bit < Math.ceil(rows.length / 64) * 64; bit++) {
          expect((kernel.memory.u8[nulls + (bit >> 3)]! >> (bit & 7)) & 1).toBe(bit < rows.length && expected[bit] === null ? 1 : 0)
        }
        rows.forEach((row, i) => {
          const empty = columnKind === 1 ? 0n : columnKind === 2 ? 0 : Buffer.alloc(0)
          expect(readValue(out + 8 * i, columnKind), `seed ${seed}`).toEqual(expected[i] ?? empty)
          if (row === undefined) return
          const one = kernel.heap.allocate(8)
          expect(kernel.exports.rowGet(addresses[i]!, layoutAt, column, one)).toBe(expected[i] === null ? 0 : 1)
          if (expected[i] !== null) expect(readValue(one, columnKind)).toEqual(expected[i])
        })
      })
      if (round % 5 === 0) kernel = openKernel(kind, reserveLinearMemory(4 << 20))
    }
  })

  it('keeps every bit of a double', () => {
    const layout = putLayout([2])
    const row = encodeRow([2], [0])
    Buffer.from('0100000000f4ff7f', 'hex').copy(row, 5)
    const out = kernel.heap.allocate(8)
    expect(kernel.exports.rowGet(put(row, 3), layout, 0, out)).toBe(1)
    expect(Buffer.from(kernel.memory.u8.slice(out, out + 8)).toString('hex')).toBe('0100000000f4ff7f')
  })

  it('accepts what is well-formed and refuses what is not', () => {
    const seed = 7
    const random = seededRandom(seed)
    for (let round = 0; round < 200; round++) {
      const layout = randomLayout(random)
      const layoutAt = putLayout(layout)
      const written = random.below(layout.length + 1)
      const row = encodeRow(layout, Array.from({ length: written }, (_, i) => randomValue(random, layout[i]!)))
      const validate = (bytes: Uint8Array): number => kernel.exports.rowValidate(put(bytes, 1), bytes.length, layoutAt)
      expect(validate(row), `seed ${seed} round ${round}`).toBe(0)
      expect(validate(Buffer.concat([row, Buffer.from([0])]))).not.toBe(0)
      expect(validate(row.subarray(0, row.length - 1))).not.toBe(0)
      expect(validate(new Uint8Array(0))).not.toBe(0)
      expect(kernel.exports.rowValidate(put(row), row.length, putLayout(layout.slice(0, written)))).toBe(0)
      if (written > 0) expect(kernel.exports.rowValidate(put(row), row.length, putLayout(layout.slice(0, written - 1)))).not.toBe(0)
      const flipped = Buffer.from(row)
      flipped[random.below(row.length)]! ^= 1 << random.below(8)
      if (validate(flipped) === 0) readAll(flipped, layout, layoutAt)
      kernel = openKernel(kind, reserveLinearMemory(1 << 20))
    }
  })

  /** Every ref of a row that passed validation stays inside the row. */
  function readAll(row: Uint8Array, layout: readonly number[], layoutAt: number): void {
    const at = put(row), out = kernel.heap.allocate(8)
    layout.forEach((columnKind, column) => {
      if (kernel.exports.rowGet(at, layoutAt, column, out) === 0 || columnKind !== 3) return
      const start = kernel.memory.view.getUint32(out, true), bytes = kernel.memory.view.getUint32(out + 4, true)
      expect(start >= at && start + bytes <= at + row.length).toBe(true)
    })
  }

  it('refuses text ends that go back, nulls with values and stray bits', () => {
    const validate = (layout: readonly number[], row: Uint8Array): number => kernel.exports.rowValidate(put(row), row.length, putLayout(layout))
    const texts = encodeRow([3, 3], [Buffer.from('ab'), Buffer.from('cd')])
    texts.writeUInt32LE(5, 5)
    expect(validate([3, 3], texts)).not.toBe(0)
    const nullValue = encodeRow([1], [null])
    nullValue[5] = 1
    expect(validate([1], nullValue)).not.toBe(0)
    const strayBit = encodeRow([1], [5n])
    strayBit[4] = 2
    expect(validate([1], strayBit)).not.toBe(0)
    const padding = encodeRow([1], [5n])
    padding[2] = 1
    expect(validate([1], padding)).not.toBe(0)
  })

  it('turns 8-byte keys into numbers and back', () => {
    const random = seededRandom(3)
    const extremes = [0n, -1n, 1n, 2n ** 63n - 1n, -(2n ** 63n)]
    const numbers = [...extremes, ...Array.from({ length: 100 }, () => randomValue(random, 1)).filter((each) => typeof each === 'bigint')].sort((a, b) => (a < b ? -1 : 1))
    const values = put(new Uint8Array(BigInt64Array.from(numbers).buffer))
    const out = kernel.heap.allocate(8 * numbers.length), refs = kernel.heap.allocate(8 * numbers.length), back = kernel.heap.allocate(8 * numbers.length)
    kernel.exports.rowI64ToKeys(values, numbers.length, out, refs)
    const keys = numbers.map((_, i) => readValue(refs + 8 * i, 3) as Buffer)
    keys.forEach((key, i) => {
      expect(key.length).toBe(8)
      if (i > 0) expect(Buffer.compare(keys[i - 1]!, key)).toBeLessThanOrEqual(0)
    })
    kernel.exports.rowKeysToI64(refs, numbers.length, back)
    expect(numbers.map((_, i) => readValue(back + 8 * i, 1))).toEqual(numbers)
  })
})
