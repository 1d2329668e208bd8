/** Which rows of a block go to which shard, in the order of their keys. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import { compareBytes, keyAt } from '../../../lsm/table/key-order.ts'
import type { IngestRows } from '../../../lsm/compaction/job.ts'
import type { ColumnBlock } from './column-block.ts'

/** By shard; undefined for one that gets none. */
export type ShardRows = readonly (IngestRows | undefined)[]

/**
 * Writes the block's pairs, shard after shard. Undefined where the keys of a shard do not ascend from above `lastKeys`, by
 * shard, whose entries are replaced otherwise.
 */
export function orderRows(memory: LinearMemory, kind: PhysicalKind, block: ColumnBlock, lastKeys: (Uint8Array | undefined)[]): ShardRows | undefined {
  const { rowCount, shards, keys, vectors, order } = block
  const counts = new Uint32Array(lastKeys.length)
  for (let row = 0; row < rowCount; row++) counts[shards[row]!]!++
  const starts = startsOf(counts)
  if (!writePairs(memory, kind, block, starts.slice())) return undefined
  const { u32 } = memory
  const rowAt = (place: number): number => u32[(order >>> 2) + 2 * place + 1]!
  const keyOf = (place: number): Uint8Array => keyAt(memory, kind, keys, rowAt(place))
  for (const [shard, count] of counts.entries()) {
    const last = lastKeys[shard]
    if (count > 0 && last !== undefined && Buffer.compare(last, keyOf(starts[shard]!)) >= 0) return undefined
  }
  return lastKeys.map((_, shard) => {
    const count = counts[shard]!, start = starts[shard]!
    if (count === 0) return undefined
    lastKeys[shard] = keyOf(start + count - 1)
    return { rowCount: count, order: order + 8 * start, keys, vectors }
  })
}

function startsOf(counts: Uint32Array): Uint32Array {
  const starts = new Uint32Array(counts.length)
  for (let shard = 1; shard < counts.length; shard++) starts[shard] = starts[shard - 1]! + counts[shard - 1]!
  return starts
}

/** `next`: where each shard's next pair goes. False when a key is not above the one before it in its shard. */
function writePairs(memory: LinearMemory, kind: PhysicalKind, { rowCount, shards, keys, order }: ColumnBlock, next: Uint32Array): boolean {
  const { u32 } = memory
  const isAbove = kind === 'i64' ? isAboveI64 : isAboveBytes
  const before = new Int32Array(next.length).fill(-1)
  for (let row = 0; row < rowCount; row++) {
    const shard = shards[row]!, rowBefore = before[shard]!
    if (rowBefore >= 0 && !isAbove(memory, (keys >>> 2) + 2 * row, (keys >>> 2) + 2 * rowBefore)) return false
    before[shard] = row
    const pair = (order >>> 2) + 2 * next[shard]!++
    u32[pair] = 0
    u32[pair + 1] = row
  }
  return true
}

function isAboveI64({ u32, i32 }: LinearMemory, key: number, other: number): boolean {
  const high = i32[key + 1]!, otherHigh = i32[other + 1]!
  return high > otherHigh || (high === otherHigh && u32[key]! > u32[other]!)
}

function isAboveBytes({ u8, u32 }: LinearMemory, key: number, other: number): boolean {
  return compareBytes(u8, u32[key]!, u32[key + 1]!, u32[other]!, u32[other + 1]!) > 0
}
