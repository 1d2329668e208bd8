/** What says true or false of values; twin of assembly/vector/compare.ts, in.ts and like.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { comparison } from '../../zone-map.ts'
import { likePart, likePartBytes } from '../../vector.ts'
import type { VectorExports } from '../../vector.ts'
import { createTextOrder } from '../compare/text.ts'
import { matchOrder, order64, orderF64 } from '../scan/match.ts'
import { writeBits } from './active.ts'

type Tests = Pick<VectorExports, 'vectorCompareI64' | 'vectorCompareF64' | 'vectorCompareBytes' | 'vectorInI64' | 'vectorInF64' | 'vectorInBytes' | 'vectorLike'>

export function createTests(memory: LinearMemory): Tests {
  const { u32, i32, f64 } = memory
  const text = createTextOrder(memory)
  const order = {
    i64: (a: Pointer, b: Pointer) => order64(i32[(a >>> 2) + 1]!, u32[a >>> 2]!, i32[(b >>> 2) + 1]!, u32[b >>> 2]!),
    f64: (a: Pointer, b: Pointer) => orderF64(f64[a >>> 3]!, f64[b >>> 3]!),
    bytes: (a: Pointer, b: Pointer) => text.compare(u32[a >>> 2]!, u32[(a >>> 2) + 1]!, u32[b >>> 2]!, u32[(b >>> 2) + 1]!),
  }
  const isActive = (active: Pointer, row: number): boolean => ((u32[(active >>> 2) + (row >>> 5)]! >>> (row & 31)) & 1) === 1

  const compare = (kind: 'i64' | 'f64'): VectorExports['vectorCompareI64'] => (left, right, rightStep, count, op, out) => {
    writeBits(memory, count, out, (row) => matchOrder(order[kind](left + 8 * row, right + rightStep * row), op))
  }
  const among = (kind: keyof typeof order): VectorExports['vectorInI64'] => (values, active, count, set, setCount, out) => {
    writeBits(memory, count, out, (row) => isActive(active, row) && isMember(order[kind], values + 8 * row, set, setCount))
  }

  return {
    vectorCompareI64: compare('i64'),
    vectorCompareF64: compare('f64'),
    vectorCompareBytes(left, right, rightStep, active, count, op, out) {
      const byLength = op === comparison.eq || op === comparison.ne
      writeBits(memory, count, out, (row) => {
        if (!isActive(active, row)) return false
        const a = left + 8 * row, b = right + rightStep * row
        if (byLength && u32[(a >>> 2) + 1] !== u32[(b >>> 2) + 1]) return op === comparison.ne
        return matchOrder(order.bytes(a, b), op)
      })
    },
    vectorInI64: among('i64'),
    vectorInF64: among('f64'),
    vectorInBytes: among('bytes'),
    vectorLike(refs, active, count, parts, partCount, out) {
      const matches = createLike(memory, parts, partCount)
      writeBits(memory, count, out, (row) => isActive(active, row) && matches(u32[(refs >>> 2) + 2 * row]!, u32[(refs >>> 2) + 2 * row + 1]!))
    },
  }
}

function isMember(order: (a: Pointer, b: Pointer) => number, value: Pointer, set: Pointer, setCount: number): boolean {
  let low = 0, high = setCount
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order(set + 8 * middle, value) < 0) low = middle + 1
    else high = middle
  }
  return low < setCount && order(set + 8 * low, value) === 0
}

function createLike({ u8, u32, buffer }: LinearMemory, parts: Pointer, partCount: number): (text: Pointer, byteLength: number) => boolean {
  const field = (part: number, index: number): number => u32[((parts + likePartBytes * part) >>> 2) + index]!
  const afterCharacter = (at: number, end: number): number => {
    do at++
    while (at < end && (u8[at]! & 0xc0) === 0x80)
    return at
  }
  const afterPart = (part: number, at: number, end: number): number => {
    if (field(part, 0) === likePart.one) return at < end ? afterCharacter(at, end) : 0
    const literal = field(part, 1), byteLength = field(part, 2)
    return at + byteLength <= end && buffer.compare(buffer, literal, literal + byteLength, at, at + byteLength) === 0 ? at + byteLength : 0
  }
  return (text, byteLength) => {
    const end = text + byteLength
    let at = text, part = 0, retryPart = -1, retryAt = 0
    while (part < partCount || at !== end) {
      if (part < partCount && field(part, 0) === likePart.many) {
        retryPart = ++part
        retryAt = at
        continue
      }
      const next = part < partCount ? afterPart(part, at, end) : 0
      if (next !== 0) {
        at = next
        part++
        continue
      }
      if (retryPart < 0 || retryAt >= end) return false
      retryAt = afterCharacter(retryAt, end)
      at = retryAt
      part = retryPart
    }
    return true
  }
}
