/** Between which keys a statement's rows are, shard by shard, and whether they come in order, as the kernel that encodes them finds it. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { compareBytes, copyOut } from '../../../lsm/keys/key-bytes.ts'
import type { KeySpan } from '../../../lsm/keys/key-bytes.ts'
import { shardRecordOf } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'

/** The smallest and the largest primary key of a shard's rows, and whether each is above the one before it. */
export interface KeyExtent extends KeySpan {
  readonly isAscending: boolean
}

export class KeyExtents {
  readonly #byShard: (KeyExtent | undefined)[] = []

  /** Takes the keys of a chunk, which come after those before. */
  note(scratch: ColumnScratch): void {
    for (let shard = 0; shard < scratch.shardCount; shard++) {
      const found = extentOf(scratch, shard)
      if (found === undefined) continue
      const before = this.#byShard[shard]
      this.#byShard[shard] = before === undefined ? found : joined(before, found)
    }
  }

  /** Of a shard that has rows. */
  of(shard: number): KeyExtent {
    return this.#byShard[shard]!
  }
}

function extentOf(scratch: ColumnScratch, shard: number): KeyExtent | undefined {
  const { kernel: { memory }, refs } = scratch, { u32 } = memory
  const record = shardRecordOf(scratch, shard)
  if (u32[record + 1] === 0) return undefined
  return { first: keyOf(memory, refs, u32[record + 2]!), last: keyOf(memory, refs, u32[record + 3]!), isAscending: u32[record + 4] === 1 }
}

function keyOf(memory: LinearMemory, refs: Pointer, row: number): Uint8Array {
  const ref = (refs >>> 2) + 2 * row
  return copyOut(memory, memory.u32[ref]!, memory.u32[ref + 1]!)
}

function joined(before: KeyExtent, after: KeyExtent): KeyExtent {
  return {
    first: compareBytes(before.first, after.first) <= 0 ? before.first : after.first,
    last: compareBytes(before.last, after.last) >= 0 ? before.last : after.last,
    isAscending: before.isAscending && after.isAscending && compareBytes(before.last, after.first) < 0,
  }
}
