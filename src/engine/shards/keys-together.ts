/**
 * Keys that are short texts, looked up together by one kernel call, each in the shard that it is in: so that the processor waits for what
 * they need of memory at a time. What is written is good until the next call that writes keys, and what was found until the next await.
 */
import { askedKeyBytes, newestOutBytes } from '../../kernel/column.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { shortTextMax, writeShortAscii } from '../codec/text-bytes.ts'
import { shardOfHash } from './shard-of-hash.ts'

/** So few that what is read ahead for the first is still at hand when the last is. */
export const keysAtOnce = 64

export class KeysTogether {
  private readonly kernel: Kernel
  private readonly shardCount: number
  private readonly texts: Pointer
  private readonly refs: Pointer
  private readonly hashes: Pointer
  private readonly asked: Pointer
  private readonly found: Pointer
  private readonly work: Pointer

  constructor(kernel: Kernel, shardCount: number) {
    const { heap } = kernel
    this.kernel = kernel
    this.shardCount = shardCount
    this.texts = heap.allocate(keysAtOnce * shortTextMax)
    this.refs = heap.allocate(keysAtOnce * 8)
    this.hashes = heap.allocate(keysAtOnce * 8)
    this.asked = heap.allocate(keysAtOnce * askedKeyBytes)
    this.found = heap.allocate(keysAtOnce * newestOutBytes)
    this.work = heap.allocate(8)
  }

  /** Writes texts from index `from` on, up to `keysAtOnce` of them and the first that is none, not short or not ASCII; returns how many. */
  write(texts: readonly unknown[], from: number): number {
    const { kernel: { exports, memory: { u8, u32 } }, refs, hashes } = this
    let count = 0
    for (let at = this.texts, ref = refs >>> 2; count < keysAtOnce && from + count < texts.length; count++, at += shortTextMax, ref += 2) {
      const text = texts[from + count]
      if (typeof text !== 'string' || !writeShortAscii(u8, at, text)) break
      u32[ref] = at
      u32[ref + 1] = text.length
    }
    exports.bloomHashRefs(refs, count, hashes)
    return count
  }

  shardOf(index: number): number {
    return shardOfHash(this.kernel.memory.u32[(this.hashes >>> 2) + 2 * index + 1]!, this.shardCount)
  }

  /** Where a key is asked for: runs and sequence are written there by its tree. */
  askedAt(index: number): Pointer {
    return this.asked + index * askedKeyBytes
  }

  /** Looks up the first `count` keys, and the value of column `ordinal`. */
  find(count: number, ordinal: number): void {
    const { kernel: { exports, memory: { u32 } }, refs, hashes, asked, found, work } = this
    for (let i = 0, word = asked >>> 2, pair = 0; i < count; i++, word += askedKeyBytes >>> 2, pair += 2) {
      u32[word + 3] = u32[(refs >>> 2) + pair]!
      u32[word + 4] = u32[(hashes >>> 2) + pair]!
      u32[word + 5] = u32[(hashes >>> 2) + pair + 1]!
      u32[word + 6] = u32[(refs >>> 2) + pair + 1]!
    }
    exports.columnGetNewestMany(asked, count, ordinal, found, work)
  }

  /** What was found of a key, as `columnGetNewest` gives it. */
  rowOf(index: number): number {
    return this.kernel.memory.i32[(this.askedAt(index) >>> 2) + 7]!
  }

  /** Where its value is. */
  cellOf(index: number): Pointer {
    return this.found + index * newestOutBytes
  }

  free(): void {
    const { texts, refs, hashes, asked, found, work, kernel: { heap } } = this
    for (const pointer of [texts, refs, hashes, asked, found, work]) heap.free(pointer)
  }
}
