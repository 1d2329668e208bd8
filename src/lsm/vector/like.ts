/** LIKE patterns in linear memory; ILIKE, which needs Unicode's letter cases, text by text. */
import { createMatcher, isLiteral, isManyCharacters } from '../../bytes/like.ts'
import type { Part } from '../../bytes/like.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { likePart, likePartBytes } from '../../kernel/vector.ts'
import { bitAt, bitmapBytes } from '../read/read-context.ts'
import { putConstant } from './constant.ts'
import type { Allocate } from './constant.ts'
import type { ValueTest } from './tests.ts'

export function putPattern(kernel: Kernel, parts: readonly Part[], allocate: Allocate): Pointer {
  const { u32 } = kernel.memory
  const at = allocate(likePartBytes * parts.length)
  parts.forEach((part, index) => {
    const literal = isLiteral(part) ? putConstant(kernel, 'bytes', Buffer.from(part), allocate) : { constant: 0, constantBytes: 0 }
    const word = (at + likePartBytes * index) >>> 2
    u32[word] = isLiteral(part) ? likePart.literal : isManyCharacters(part) ? likePart.many : likePart.one
    u32[word + 1] = literal.constant
    u32[word + 2] = literal.constantBytes
  })
  return at
}

export function caselessTest({ memory: { u8, u32, buffer } }: Kernel, pattern: string, escape: string | undefined): ValueTest {
  const matches = createMatcher(pattern, escape, true)
  return ({ rows: { rowCount } }, refs, active, out) => {
    u8.fill(0, out, out + bitmapBytes(rowCount))
    for (let row = 0; row < rowCount; row++) {
      if (!bitAt(u8, active, row)) continue
      const address = u32[(refs >>> 2) + 2 * row]!
      if (matches(buffer.toString('utf8', address, address + u32[(refs >>> 2) + 2 * row + 1]!))) u8[out + (row >>> 3)]! |= 1 << (row & 7)
    }
  }
}
