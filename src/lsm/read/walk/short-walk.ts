/**
 * The first rows of a walk of which few are wanted, where all they need is in memory. Such a read spends its time on what is
 * made for each run before a row is given: so nothing is. A run is a lane of plain numbers; of its row group only the keys that
 * are likely to be wanted are decoded, one merge chooses among them, and of other columns only what that passed. Where a run
 * ends in the middle (its next row group, its next file), and for all that is rare, the merge of sources goes on from the last key.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { tableIdBytes } from '../../batch.ts'
import { copyOut, firstBoundary } from '../../keys/key-bytes.ts'
import { keyColumnVector } from '../../keys/key-columns.ts'
import type { Vector } from '../../page.ts'
import type { Arena } from '../../state/arena.ts'
import type { Memtable } from '../../state/memtable.ts'
import type { TableFile } from '../../state/version.ts'
import type { TableReader } from '../../table/table.ts'
import type { WalkedRows, WalkPart, WalkRequest } from '../../tree.ts'
import { notePartRead } from '../merge/loaded-rows.ts'
import { cursorBytes, valueColumnVector } from '../merge/memtable-source.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { checkDecoded, decodeColumn, firstRowFrom, keyChunk } from '../row-group-columns.ts'
import { runsOf } from '../scan-sources.ts'

/** More are not read so. */
const shortRowsMax = 256

export interface ShortRows extends WalkedRows {
  /** No row follows. */
  readonly isEnd: boolean
  /** Key bytes of the last row. */
  readonly lastKey: Uint8Array
}

/** One run. Its rows are numbered from the first that was decoded on; the merge has passed those before `position`, and may go up to `end`. */
interface Lane {
  readonly context: ReadContext
  /** Room for the keys of so many rows. */
  readonly keys: Pointer
  readonly capacity: number
  position: number
  end: number
  /** More keys can be brought, up to the capacity. */
  hasMore: boolean
  /** No row of the run follows behind these. */
  isLast: boolean
  readonly of: StoredRows | HeldRows
}

/** Of a row group whose chunks are cached. */
interface StoredRows {
  readonly reader: TableReader
  readonly rowGroup: number
  /** Row 0 of the lane in it, a multiple of 8. */
  readonly base: number
  readonly keyChunk: Pointer
}

/** Of a memtable. */
interface HeldRows {
  readonly handle: Pointer
  readonly sequence: number
  readonly cursor: Pointer
  /** Refs of keys and rows, by row; for keys of bytes the keys themselves. */
  readonly keyRefs: Pointer
  readonly rows: Pointer
}

interface Bytes {
  readonly address: Pointer
  readonly byteLength: number
}

interface Short {
  readonly kernel: Kernel
  readonly request: WalkRequest
  readonly arena: Arena
  readonly wanted: number
  /** Keys that a run brings at a time. */
  readonly pageRows: number
  /** Bounds with the table id before them. */
  readonly lower: Bytes
  readonly upper: Bytes
  readonly lanes: Lane[]
}

/** undefined: these rows are to be had by a merge of sources. What it gives is valid until the caller's next await. */
export function readShort(kernel: Kernel, parts: readonly WalkPart[], request: WalkRequest, wanted: number, pageRows: number, arena: Arena): ShortRows | undefined {
  if (request.reverse === true || wanted > shortRowsMax) return undefined
  const { tableId, lower = firstBoundary, upper } = request
  const short: Short = {
    kernel, request, arena, wanted, pageRows, lanes: [],
    lower: putBound(kernel.memory, arena, tableId, lower),
    upper: putBound(kernel.memory, arena, upper === undefined ? tableId + 1 : tableId, upper ?? firstBoundary),
  }
  const runs = parts.map(({ view }) => runsOf(view, tableId, lower, upper))
  // Before lanes stand on anything that is cached.
  for (const files of runs) for (const [first] of files) first!.reader.quicken()
  for (let i = 0; i < parts.length; i++) if (!addLanes(short, parts[i]!, runs[i]!)) return undefined
  return short.lanes.length === 0 ? undefined : mergeLanes(short)
}

function putBound({ u8, view }: LinearMemory, arena: Arena, tableId: number, bound: Uint8Array): Bytes {
  const byteLength = tableIdBytes + bound.length, address = arena.allocate(byteLength)
  view.setUint32(address, tableId)
  u8.set(bound, address + tableIdBytes)
  return { address, byteLength }
}

/** false where a merge of sources has to read the part. Nothing may be brought into the cache here, since that may evict what lanes stand on. */
function addLanes(short: Short, { view, sequence, shape }: WalkPart, runs: ReturnType<typeof runsOf>): boolean {
  const { kernel } = short
  if (view.version.withRangeTombstones.length > 0) return false
  const context: ReadContext = { kernel, shape, reverse: false, stats: undefined }
  for (const memtable of view.memtables) {
    if (memtable.isEmpty) continue
    if (memtable.rangeCount() > 0) return false
    addMemtable(short, context, memtable, memtable.bound(sequence))
  }
  for (const run of runs) if (!addFiles(short, context, run)) return false
  return true
}

function addMemtable(short: Short, context: ReadContext, { handle }: Memtable, sequence: number): void {
  const { arena, wanted, lower, kernel: { exports } } = short, isI64 = context.shape.form === 'i64'
  const cursor = arena.allocate(cursorBytes), keyRefs = arena.allocate(8 * wanted), rows = arena.allocate(8 * wanted)
  exports.skiplistSeek(handle, lower.address, lower.byteLength, 0, cursor)
  addLane(short, { context, keys: isI64 ? arena.allocate(8 * wanted) : keyRefs, capacity: wanted, position: 0, end: 0, hasMore: true, isLast: false, of: { handle, sequence, cursor, keyRefs, rows } })
}

/** The file of a run in which the range begins, from its first row in the range on. */
function addFiles(short: Short, context: ReadContext, files: readonly TableFile[]): boolean {
  const { request: { lower = firstBoundary, upper }, arena, wanted } = short, { reader } = files[0]!
  if (!reader.isAtHand) return false
  let rowGroup = Math.max(0, reader.rowGroupOf(short.lower.address + tableIdBytes, lower.length))
  let keys = cachedKeys(short, context, reader, rowGroup), from = keys === undefined || lower.length === 0 ? 0 : firstRowFrom(context, keys, reader.rowGroupRows(rowGroup), lower, arena)
  if (keys !== undefined && from === reader.rowGroupRows(rowGroup)) {
    if (++rowGroup === reader.meta.rowGroupCount) return files.length === 1
    keys = cachedKeys(short, context, reader, rowGroup)
    from = 0
  }
  if (keys === undefined) return false
  const rowCount = reader.rowGroupRows(rowGroup), to = firstRowFrom(context, keys, rowCount, upper, arena)
  if (to <= from) return true
  const base = from & ~7, capacity = Math.min(to, from + wanted) - base
  const isLast = base + capacity === to && (to < rowCount || (rowGroup + 1 === reader.meta.rowGroupCount && files.length === 1))
  addLane(short, { context, keys: arena.allocate(8 * capacity), capacity, position: from - base, end: 0, hasMore: true, isLast, of: { reader, rowGroup, base, keyChunk: keys } })
  return true
}

/** The keys of a row group; undefined where a chunk of it that will be read is not cached, or it has tombstones. */
function cachedKeys({ request: { columns } }: Short, context: ReadContext, reader: TableReader, rowGroup: number): Pointer | undefined {
  if (reader.chunk(rowGroup, 'tombstones') !== 0) return undefined
  for (let i = 0; i < columns.length; i++) if (reader.chunk(rowGroup, columns[i]!) === undefined) return undefined
  return reader.chunk(rowGroup, keyChunk(context).name)
}

function addLane(short: Short, lane: Lane): void {
  bringMore(short, lane)
  if (lane.position < lane.end) short.lanes.push(lane)
}

/** Keys of some rows behind those that are there. */
function bringMore(short: Short, lane: Lane): void {
  const { of } = lane
  if ('reader' in of) bringStored(short, lane, of)
  else bringHeld(short, lane, of)
}

function bringStored({ pageRows, kernel: { exports } }: Short, lane: Lane, { keyChunk: chunk, base }: StoredRows): void {
  // Decoding begins at multiples of 8.
  const { keys, end } = lane, next = Math.min(lane.capacity, (Math.max(end, lane.position) + pageRows + 7) & ~7)
  if (lane.context.shape.form === 'i64') checkDecoded(exports.columnDecodeI64(chunk, base + end, next - end, keys + 8 * end, 0), 'i64')
  else checkDecoded(exports.columnDecodeBytes(chunk, base + end, next - end, keys + 8 * end, 0, 0), 'bytes')
  lane.end = next
  lane.hasMore = next < lane.capacity
}

function bringHeld({ pageRows, upper, kernel: { exports } }: Short, lane: Lane, { handle, sequence, cursor, keyRefs, rows }: HeldRows): void {
  const { keys, end } = lane, room = Math.min(pageRows, lane.capacity - end)
  const count = exports.skiplistRead(handle, cursor, sequence, upper.address, upper.byteLength, tableIdBytes, keyRefs + 8 * end, rows + 8 * end, room)
  if (keys !== keyRefs) exports.rowKeysToI64(keyRefs + 8 * end, count, keys + 8 * end)
  lane.end += count
  lane.isLast = count < room
  lane.hasMore = !lane.isLast && lane.end < lane.capacity
}

function mergeLanes(short: Short): ShortRows | undefined {
  const { lanes, arena, wanted, kernel: { exports } } = short
  const records = arena.allocate(32 * lanes.length), winners = arena.allocate(8 * wanted)
  const mergeRuns = lanes[0]!.context.shape.form === 'i64' ? exports.mergeI64 : exports.mergeRefs
  let count = 0
  for (let goesOn = true; goesOn && count < wanted; ) {
    writeRecords(short, records)
    const merged = mergeRuns(records, lanes.length, winners + 8 * count, wanted - count)
    readRecords(short, records)
    count += dropDeleted(short, winners + 8 * count, merged)
    goesOn = bringWhereNeeded(short)
  }
  if (count === 0) return undefined
  return { rowCount: count, vectors: gatherColumns(short, winners, count), isEnd: lanes.every(isOver), lastKey: keyAt(short, winners + 8 * (count - 1)) }
}

const isOver = ({ position, end, hasMore, isLast }: Lane): boolean => position === end && !hasMore && isLast

/** Whether the merge may go on. */
function bringWhereNeeded(short: Short): boolean {
  let isAny = false
  for (const lane of short.lanes) {
    if (lane.position < lane.end) isAny = true
    else if (lane.hasMore) {
      bringMore(short, lane)
      isAny = true
    } else if (!lane.isLast) return false
  }
  return isAny
}

function writeRecords({ lanes, kernel: { memory: { u32 } } }: Short, records: Pointer): void {
  for (let i = 0, word = records >>> 2; i < lanes.length; i++, word += 8) {
    const { keys, position, end, hasMore, isLast } = lanes[i]!
    u32[word] = keys
    u32[word + 1] = position
    u32[word + 2] = end
    u32[word + 3] = isLast && !hasMore ? 1 : 0
  }
}

function readRecords({ lanes, kernel: { memory: { u32 } } }: Short, records: Pointer): void {
  for (let i = 0, word = records >>> 2; i < lanes.length; i++, word += 8) lanes[i]!.position = u32[word + 1]!
}

/** Winners that memtables have as deleted hide what is older, and themselves. Gives how many are left. */
function dropDeleted({ lanes, kernel: { memory: { u32 } } }: Short, winners: Pointer, count: number): number {
  let kept = 0
  for (let i = 0, pair = winners >>> 2; i < count; i++, pair += 2) {
    const run = u32[pair]!, row = u32[pair + 1]!, { of } = lanes[run]!
    if (!('reader' in of) && u32[(of.rows >>> 2) + 2 * row + 1] === 0) continue
    u32[(winners >>> 2) + 2 * kept] = run
    u32[(winners >>> 2) + 2 * kept + 1] = row
    kept++
  }
  return kept
}

function gatherColumns(short: Short, winners: Pointer, count: number): readonly (Vector | undefined)[] {
  const { lanes, arena, request: { columns } } = short
  const sources = arena.allocate(4 * lanes.length), gathered: (Vector | undefined)[] = []
  for (const ordinal of columns) gathered[ordinal] ??= gatherColumn(short, ordinal, winners, count, sources)
  return gathered
}

function gatherColumn({ lanes, arena, kernel: { exports, memory: { u32 } } }: Short, ordinal: number, winners: Pointer, count: number, sources: Pointer): Vector {
  const [{ context }] = lanes as [Lane, ...Lane[]], { layout, valueIndexes } = context.shape, kind = layout.columns[ordinal]!
  const values = arena.allocate(8 * count)
  if (valueIndexes[ordinal]! >= 0 && lanes.every(({ of }) => !('reader' in of))) {
    lanes.forEach(({ of }, i) => (u32[(sources >>> 2) + i] = (of as HeldRows).rows))
    exports.mergeGather8(winners, count, sources, values)
    return valueColumnVector(context, values, count, ordinal, arena)
  }
  const vectors = lanes.map((lane) => columnOf(lane, ordinal, arena))
  vectors.forEach((vector, i) => (u32[(sources >>> 2) + i] = vector === undefined ? 0 : vector.kind === 'bytes' ? vector.refs : vector.values))
  exports.mergeGather8(winners, count, sources, values)
  let nulls: Pointer = 0
  if (vectors.some((vector) => vector !== undefined && vector.nulls !== 0)) {
    const bits = arena.allocate(bitmapBytes(count))
    vectors.forEach((vector, i) => (u32[(sources >>> 2) + i] = vector?.nulls ?? 0))
    if (exports.mergeGatherBits(winners, count, sources, bits) !== 0) nulls = bits
  }
  return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
}

/** Of the rows that the merge has passed. */
function columnOf({ context, of, keys, position }: Lane, ordinal: number, arena: Arena): Vector | undefined {
  const { kernel, shape } = context
  if (position === 0) return undefined
  if (ordinal === shape.directOrdinal) return shape.form === 'i64' ? { kind: 'i64', values: keys, nulls: 0 } : { kind: 'bytes', refs: keys, nulls: 0 }
  if ('reader' in of) {
    const chunk = of.reader.chunk(of.rowGroup, ordinal)!
    notePartRead(context, of, chunk, ordinal, position)
    return decodeColumn(context, chunk, ordinal, 0, position, arena, of.base)
  }
  return shape.valueIndexes[ordinal]! < 0 ? keyColumnVector(kernel, shape, ordinal, of.keyRefs, position, arena) : valueColumnVector(context, of.rows, position, ordinal, arena)
}

/** Key bytes of a winner. */
function keyAt({ lanes, kernel: { memory } }: Short, winner: Pointer): Uint8Array {
  const { u32, view } = memory
  const { keys, context: { shape } } = lanes[u32[winner >>> 2]!]!, at = keys + 8 * u32[(winner >>> 2) + 1]!
  if (shape.form !== 'i64') return copyOut(memory, u32[at >>> 2]!, u32[(at >>> 2) + 1]!)
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE((view.getUint32(at + 4, true) ^ 0x8000_0000) >>> 0, 0)
  key.writeUInt32BE(view.getUint32(at, true), 4)
  return key
}
