/** Encoding and decoding whole columns through a kernel, as the conformance suites of column chunks need it. */
import { expect } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { putBits, putBytes, putI64, takeBytes } from './both-kinds.ts'

export type NumberKind = 'I64' | 'F64'

const guardBytes = 64
const guard = 0xa5

/** Runs `work` and frees all that it allocated. */
export function scoped<T>(kernel: Kernel, work: (inner: Kernel) => T): T {
  const taken: Pointer[] = []
  const allocate = (byteLength: number): Pointer => {
    const pointer = kernel.heap.allocate(Math.max(byteLength, 16))
    taken.push(pointer)
    return pointer
  }
  const heap = { ...kernel.heap, allocate } as Kernel['heap']
  try {
    return work({ ...kernel, heap })
  } finally {
    for (const pointer of taken) kernel.heap.free(pointer)
  }
}

/** A buffer with guard bytes on both sides, checked by the function returned. */
export function guarded(kernel: Kernel, byteLength: number): { address: Pointer; check: (what: string) => void } {
  const start = kernel.heap.allocate(byteLength + 2 * guardBytes)
  const end = start + guardBytes + byteLength
  kernel.memory.u8.fill(guard, start, end + guardBytes)
  const check = (what: string): void => {
    const around = [...kernel.memory.u8.subarray(start, start + guardBytes), ...kernel.memory.u8.subarray(end, end + guardBytes)]
    expect(around.every((byte) => byte === guard), `${what} wrote outside its buffer`).toBe(true)
  }
  return { address: start + guardBytes, check }
}

export function encodeNumbers(kernel: Kernel, kind: NumberKind, values: readonly bigint[], nulls: readonly boolean[]): Uint8Array {
  return scoped(kernel, (inner) => {
    const { exports } = inner
    const count = values.length
    const vector = putI64(inner, values.map((value, i) => (nulls[i]! ? 0n : value)))
    const bits = nulls.some(Boolean) ? putBits(inner, nulls) : 0
    const out = guarded(inner, exports.columnEncodeBound(count, 0)), scratch = guarded(inner, exports.columnScratchBytes(count, 0))
    const byteLength = exports[`columnEncode${kind}`](vector, bits, count, out.address, scratch.address)
    out.check('encode')
    scratch.check('encode (scratch)')
    return takeBytes(inner, out.address, byteLength)
  })
}

export function encodeTexts(kernel: Kernel, values: readonly Uint8Array[], nulls: readonly boolean[]): Uint8Array {
  return scoped(kernel, (inner) => {
    const { exports, memory } = inner
    const count = values.length
    const kept = values.map((value, i) => (nulls[i]! ? new Uint8Array(0) : value))
    const dataBytes = kept.reduce((bytes, value) => bytes + value.length, 0)
    const data = putBytes(inner, Buffer.concat(kept)), refs = inner.heap.allocate(count * 8)
    let at = data
    kept.forEach((value, i) => {
      memory.u32[refs / 4 + 2 * i] = nulls[i]! ? 0 : at
      memory.u32[refs / 4 + 2 * i + 1] = value.length
      at += value.length
    })
    const bits = nulls.some(Boolean) ? putBits(inner, nulls) : 0
    const out = guarded(inner, exports.columnEncodeBound(count, dataBytes)), scratch = guarded(inner, exports.columnScratchBytes(count, dataBytes))
    const byteLength = exports.columnEncodeBytes(refs, bits, count, out.address, scratch.address)
    out.check('encode')
    scratch.check('encode (scratch)')
    return takeBytes(inner, out.address, byteLength)
  })
}

/** Rows [first, first + count): values (null slots as they came) and nulls. */
export function decodeNumbers(kernel: Kernel, kind: NumberKind, chunk: Pointer, first: number, count: number): { values: bigint[]; nulls: boolean[] } {
  return scoped(kernel, (inner) => {
    const values = guarded(inner, count * 8), nulls = guarded(inner, Math.ceil(count / 64) * 8)
    const any = inner.exports[`columnDecode${kind}`](chunk, first, count, values.address, nulls.address)
    values.check('decode')
    nulls.check('decode (nulls)')
    const bits = takeNulls(inner, nulls.address, count)
    expect(any).toBe(bits.some(Boolean) ? 1 : 0)
    return { values: [...inner.memory.i64.subarray(values.address / 8, values.address / 8 + count)], nulls: bits }
  })
}

export function decodeTexts(kernel: Kernel, chunk: Pointer, first: number, count: number): { values: Uint8Array[]; nulls: boolean[] } {
  return scoped(kernel, (inner) => {
    const { exports, memory } = inner
    const refs = guarded(inner, count * 8), nulls = guarded(inner, Math.ceil(count / 64) * 8), scratch = guarded(inner, exports.columnDecodeScratchBytes(chunk))
    const any = exports.columnDecodeBytes(chunk, first, count, refs.address, nulls.address, scratch.address)
    for (const buffer of [refs, nulls, scratch]) buffer.check('decode')
    const bits = takeNulls(inner, nulls.address, count)
    expect(any).toBe(bits.some(Boolean) ? 1 : 0)
    const values = Array.from({ length: count }, (_, i) => takeBytes(inner, memory.u32[refs.address / 4 + 2 * i]!, memory.u32[refs.address / 4 + 2 * i + 1]!))
    return { values, nulls: bits }
  })
}

/** The bitmap; bits behind the last row must be 0. */
function takeNulls({ memory }: Kernel, address: Pointer, count: number): boolean[] {
  const bits = Array.from({ length: Math.ceil(count / 64) * 64 }, (_, i) => ((memory.u8[address + (i >> 3)]! >> (i & 7)) & 1) === 1)
  expect(bits.slice(count).some(Boolean)).toBe(false)
  return bits.slice(0, count)
}

/** `chunk` in linear memory while `work` runs; it must validate. */
export function withChunk<T>(kernel: Kernel, chunk: Uint8Array, work: (address: Pointer) => T): T {
  const address = putBytes(kernel, chunk)
  try {
    expect(kernel.exports.columnValidate(address, chunk.length)).toBe(0)
    return work(address)
  } finally {
    kernel.heap.free(address)
  }
}
