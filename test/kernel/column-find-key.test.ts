/** The row of a key by its bytes, in chunks of texts however they are encoded, and of integers. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { kinds, openTestKernel, putBytes } from './both-kinds.ts'
import { encodeNumbers, encodeTexts, guarded, withChunk } from './column-chunks.ts'

const absent = -1, unreadable = -2

function find(kernel: Kernel, chunk: Uint8Array, keys: readonly Uint8Array[]): number[] {
  return withChunk(kernel, chunk, (address) => {
    const { exports } = kernel, work = guarded(kernel, 8), scratch = guarded(kernel, exports.columnDecodeScratchBytes(address))
    const rows = keys.map((key) => exports.columnFindKey(address, putBytes(kernel, key), key.length, work.address, scratch.address))
    work.check('find (work)')
    scratch.check('find (scratch)')
    return rows
  })
}

const textKey = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function integerKey(value: bigint): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt.asUintN(64, value) ^ (1n << 63n))
  return new Uint8Array(key)
}

describe.each(kinds)('the row of a key (%s)', (kind) => {
  const texts = (count: number, of: (i: number) => string): readonly string[] => Array.from({ length: count }, (_, i) => of(2 * i))
  const sets: Readonly<Record<string, { readonly of: (i: number) => string; readonly encoding: number }>> = {
    compressed: { of: (i) => String(i).padStart(16, '0'), encoding: 20 },
    plain: { of: (i) => `${String(i).padStart(4, '0')}`, encoding: 17 },
  }

  it.each(Object.entries(sets))('is found among texts: %s', (_, { of, encoding }) => {
    const kernel = openTestKernel(kind), keys = texts(2500, of)
    const chunk = encodeTexts(kernel, keys.map(textKey), keys.map(() => false))
    expect(chunk[0]).toBe(encoding)
    expect(find(kernel, chunk, keys.map(textKey))).toEqual(keys.map((__, row) => row))
    const others = ['', 'zzz', ...Array.from({ length: 300 }, (__, i) => of(2 * i + 1)), `${keys[7]}x`, keys[9]!.slice(0, -1)]
    expect(find(kernel, chunk, others.map(textKey))).toEqual(others.map(() => absent))
  })

  it('is found among integers of either sign', () => {
    const kernel = openTestKernel(kind), values = Array.from({ length: 3000 }, (_, i) => BigInt(i - 1500) * 7n)
    const chunk = encodeNumbers(kernel, 'I64', values, values.map(() => false))
    expect(find(kernel, chunk, values.map(integerKey))).toEqual(values.map((_, row) => row))
    const others = [-(2n ** 63n), 2n ** 63n - 1n, ...values.map((value) => value + 1n)]
    expect(find(kernel, chunk, others.map(integerKey))).toEqual(others.map(() => absent))
    expect(find(kernel, chunk, [textKey('1'), textKey('123456789')])).toEqual([absent, absent])
  })

  it('is not looked for where it cannot be read', () => {
    const kernel = openTestKernel(kind)
    expect(find(kernel, encodeNumbers(kernel, 'F64', [0n], [false]), [integerKey(0n)])).toEqual([unreadable])
    expect(find(kernel, encodeTexts(kernel, [textKey('')], [true]), [textKey('')])).toEqual([unreadable])
  })
})
