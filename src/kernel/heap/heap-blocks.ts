/**
 * The blocks of a linear heap: what every byte of its region belongs to, and the free ones by size. Kept outside the
 * region, so that a stray write into linear memory cannot break the allocator.
 *
 * Blocks cover the region without gaps and know their neighbours in address order; two free blocks are never
 * neighbours. Free blocks stand in lists by size class: a power of two cut into 16 (two-level segregated fit:
 * Masmano, Ripoll, Crespo, Real 2004), with one bit a class that tells whether its list is empty.
 */

/** A block's number; its record is `recordWords` words at `id * recordWords`. 0 means 'none'. */
export type BlockId = number

const recordWords = 8
const address = 0, byteLength = 1, before = 2, after = 3, freeBefore = 4, freeAfter = 5, isFree = 6

const subclassBits = 4
const subclasses = 1 << subclassBits
/** Blocks are multiples of this. */
export const granuleBytes = 16

export interface HeapBlocks {
  records: Int32Array
  blockCount: number
  /** Records that may be used again. */
  readonly unused: BlockId[]
  /** First free block by class. */
  readonly heads: Int32Array
  /** Bit s of word p: class (p, s) has a block. */
  readonly subclassMaps: Int32Array
  /** Bit p: some class of power p has a block. */
  powerMap: number
}

export function createHeapBlocks(): HeapBlocks {
  return {
    records: new Int32Array(1024 * recordWords), blockCount: 1, unused: [],
    heads: new Int32Array(32 * subclasses), subclassMaps: new Int32Array(32), powerMap: 0,
  }
}

export const blockAddress = (blocks: HeapBlocks, id: BlockId): number => blocks.records[id * recordWords + address]!
export const blockBytes = (blocks: HeapBlocks, id: BlockId): number => blocks.records[id * recordWords + byteLength]!

/** A used block between two others (0 = the region's end). */
export function addBlock(blocks: HeapBlocks, at: number, bytes: number, previous: BlockId, next: BlockId): BlockId {
  const id = blocks.unused.pop() ?? blocks.blockCount++
  if ((id + 1) * recordWords > blocks.records.length) growRecords(blocks)
  blocks.records.set([at, bytes, previous, next, 0, 0, 0], id * recordWords)
  if (previous !== 0) blocks.records[previous * recordWords + after] = id
  if (next !== 0) blocks.records[next * recordWords + before] = id
  return id
}

function growRecords(blocks: HeapBlocks): void {
  const larger = new Int32Array(blocks.records.length * 2)
  larger.set(blocks.records)
  blocks.records = larger
}

/** Cuts a used block to `bytes`; the rest becomes a free block. */
export function splitBlock(blocks: HeapBlocks, id: BlockId, bytes: number): void {
  const at = id * recordWords
  const rest = blocks.records[at + byteLength]! - bytes
  if (rest === 0) return
  blocks.records[at + byteLength] = bytes
  linkFree(blocks, addBlock(blocks, blocks.records[at + address]! + bytes, rest, id, blocks.records[at + after]!))
}

/** Frees a used block, joined with its free neighbours. */
export function releaseBlock(blocks: HeapBlocks, id: BlockId): void {
  const next = blocks.records[id * recordWords + after]!
  if (next !== 0 && blocks.records[next * recordWords + isFree] === 1) {
    unlinkFree(blocks, next)
    absorbNext(blocks, id, next)
  }
  const previous = blocks.records[id * recordWords + before]!
  if (previous === 0 || blocks.records[previous * recordWords + isFree] === 0) return linkFree(blocks, id)
  unlinkFree(blocks, previous)
  absorbNext(blocks, previous, id)
  linkFree(blocks, previous)
}

function absorbNext(blocks: HeapBlocks, id: BlockId, next: BlockId): void {
  const { records } = blocks
  const beyond = records[next * recordWords + after]!
  records[id * recordWords + byteLength]! += records[next * recordWords + byteLength]!
  records[id * recordWords + after] = beyond
  if (beyond !== 0) records[beyond * recordWords + before] = id
  blocks.unused.push(next)
}

/** Takes a free block of at least `bytes` out of its list, or returns 0 when there is none. */
export function takeFree(blocks: HeapBlocks, bytes: number): BlockId {
  const id = firstOfLargerClass(blocks, bytes) || firstFitOfClass(blocks, bytes)
  if (id !== 0) unlinkFree(blocks, id)
  return id
}

/** Every block of a class above the wanted size's is large enough: constant time. */
function firstOfLargerClass(blocks: HeapBlocks, bytes: number): BlockId {
  const wanted = classOf(bytes) + 1
  const power = wanted >>> subclassBits
  const sameMap = blocks.subclassMaps[power]! & (-1 << (wanted & (subclasses - 1)))
  if (sameMap !== 0) return blocks.heads[(power << subclassBits) + lowestBit(sameMap)]!
  const powers = power === 31 ? 0 : blocks.powerMap & (-1 << (power + 1))
  if (powers === 0) return 0
  const larger = lowestBit(powers)
  return blocks.heads[(larger << subclassBits) + lowestBit(blocks.subclassMaps[larger]!)]!
}

/** Blocks of the wanted size's own class may be a little too small: only looked at when nothing larger is left. */
function firstFitOfClass(blocks: HeapBlocks, bytes: number): BlockId {
  let id = blocks.heads[classOf(bytes)]!
  while (id !== 0 && blockBytes(blocks, id) < bytes) id = blocks.records[id * recordWords + freeAfter]!
  return id
}

export function linkFree(blocks: HeapBlocks, id: BlockId): void {
  const { records, heads } = blocks
  const sizeClass = classOf(blockBytes(blocks, id))
  const head = heads[sizeClass]!
  records[id * recordWords + isFree] = 1
  records[id * recordWords + freeBefore] = 0
  records[id * recordWords + freeAfter] = head
  if (head !== 0) records[head * recordWords + freeBefore] = id
  heads[sizeClass] = id
  blocks.subclassMaps[sizeClass >>> subclassBits]! |= 1 << (sizeClass & (subclasses - 1))
  blocks.powerMap |= 1 << (sizeClass >>> subclassBits)
}

function unlinkFree(blocks: HeapBlocks, id: BlockId): void {
  const { records, heads, subclassMaps } = blocks
  const previous = records[id * recordWords + freeBefore]!
  const next = records[id * recordWords + freeAfter]!
  records[id * recordWords + isFree] = 0
  if (next !== 0) records[next * recordWords + freeBefore] = previous
  if (previous !== 0) {
    records[previous * recordWords + freeAfter] = next
    return
  }
  const sizeClass = classOf(blockBytes(blocks, id))
  const power = sizeClass >>> subclassBits
  heads[sizeClass] = next
  if (next !== 0) return
  subclassMaps[power]! &= ~(1 << (sizeClass & (subclasses - 1)))
  if (subclassMaps[power] === 0) blocks.powerMap &= ~(1 << power)
}

/** Sizes of up to 16 granules have a class each; larger ones share it with sizes less than a sixteenth away. */
function classOf(bytes: number): number {
  const granules = bytes / granuleBytes
  if (granules < subclasses) return granules
  const power = 31 - Math.clz32(granules)
  return ((power - subclassBits + 1) << subclassBits) + ((granules >>> (power - subclassBits)) & (subclasses - 1))
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word)
