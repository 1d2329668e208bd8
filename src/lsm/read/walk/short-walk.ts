/**
 * The first rows of a walk of which few are wanted, where all they need is in memory. Such a read spends its time on what is
 * made for each run before a row is given: so nothing is. A run is a record of the kernel, which searches, reads and merges all of
 * them by one call; it asks where it does not know where a row group's chunks are. What is rare, the merge of sources reads.
 */
import { invariant } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { laneAsks, laneBytes, laneColumnBytes, laneKinds, laneRowsBytes, laneScratchOffset, walkBytes } from '../../../kernel/merge.ts'
import { tableIdBytes } from '../../batch.ts'
import { copyOut, firstBoundary } from '../../keys/key-bytes.ts'
import { keyColumnVector } from '../../keys/key-columns.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import { physicalKindNumber } from '../../layout.ts'
import type { Vector } from '../../page.ts'
import type { Arena } from '../../state/arena.ts'
import type { Memtable } from '../../state/memtable.ts'
import type { TableFile } from '../../state/version.ts'
import type { TableReader } from '../../table/table.ts'
import type { WalkedRows, WalkPart, WalkRequest } from '../../tree.ts'
import { notePartRead } from '../merge/loaded-rows.ts'
import { bitmapBytes } from '../read-context.ts'
import { runsOf } from '../scan-sources.ts'

/** More are not read so, nor what would take more room at once. */
const shortRowsMax = 256, shortBytesMax = 2 * 1024 * 1024

export interface ShortRows extends WalkedRows {
  /** No row follows. */
  readonly isEnd: boolean
  /** Key bytes of the last row; to be asked for while the rows are good. */
  readonly lastKey: () => Uint8Array
}

/** One run: a memtable as of a sequence, or the file in which the range begins. */
type Lane = MemtableLane | FileLane

interface MemtableLane {
  readonly memtable: Memtable
  readonly sequence: number
  readonly entryCount: number
}

interface FileLane {
  /** Of its run, about. */
  readonly entryCount: number
  readonly reader: TableReader
  /** What is told of the file. */
  readonly record: Pointer
  /** The run has no other file in the range. */
  readonly isLast: boolean
}

interface Short {
  readonly kernel: Kernel
  readonly shape: RowLayout
  readonly request: WalkRequest
  readonly arena: Arena
  readonly lower: Uint8Array
  readonly wanted: number
  readonly lanes: readonly Lane[]
  /** Ordinals that are read by row; keys are always read. */
  readonly stored: readonly number[]
}

/** undefined: these rows are to be had by a merge of sources. What it gives is valid until the caller's next await. */
export function readShort(kernel: Kernel, parts: readonly WalkPart[], request: WalkRequest, lower: Uint8Array, wanted: number, arena: Arena): ShortRows | undefined {
  if (request.reverse === true || wanted > shortRowsMax) return undefined
  const { shape } = parts[0]!, stored: number[] = []
  for (const ordinal of request.columns) if (shape.valueIndexes[ordinal]! >= 0 && !stored.includes(ordinal)) stored.push(ordinal)
  const lanes = openLanes(parts, request, lower, stored)
  if (lanes === undefined || lanes.length === 0) return undefined
  const short: Short = { kernel, shape, request, arena, lower, wanted, lanes, stored }
  if (lanes.length * laneRowsBytes(capacityFor(wanted), stored.length + 1) > shortBytesMax) return undefined
  const places = placeRecords(short)
  writeRecords(short, places)
  return findRows(short, places) ? shownRows(short, places) : undefined
}

/** undefined where a merge of sources has to read. */
function openLanes(parts: readonly WalkPart[], { tableId, upper }: WalkRequest, lower: Uint8Array, stored: readonly number[]): readonly Lane[] | undefined {
  const lanes: Lane[] = []
  for (const { view, sequence, shape } of parts) {
    if (view.version.withRangeTombstones.length > 0) return undefined
    for (const memtable of view.memtables) {
      if (memtable.isEmpty) continue
      // Rows that are older than a column have its default.
      if (memtable.rangeCount() > 0 || stored.some((ordinal) => shape.missing.cell(ordinal) !== undefined)) return undefined
      lanes.push({ memtable, sequence: memtable.bound(sequence), entryCount: memtable.entryCount() })
    }
    for (const run of runsOf(view, tableId, lower, upper)) {
      const lane = fileLane(run)
      if (lane === undefined) return undefined
      lanes.push(lane)
    }
  }
  return lanes
}

function fileLane(run: readonly TableFile[]): FileLane | undefined {
  const { reader } = run[0]!
  reader.quicken()
  const record = reader.walkRecord()
  return record === 0 ? undefined : { entryCount: reader.meta.rowCount * run.length, reader, record, isLast: run.length === 1 }
}

/** Addresses of what the kernel is given, in one piece of the arena. */
interface Places {
  readonly walk: Pointer
  readonly lanes: Pointer
  readonly runs: Pointer
  readonly columns: Pointer
  readonly work: Pointer
  readonly winners: Pointer
  /** Of the keys first, then of each stored column. */
  readonly values: Pointer
  readonly nulls: Pointer
  readonly bounds: Pointer
  /** Of each lane. */
  readonly rows: Pointer
  readonly rowsBytes: number
  readonly capacity: number
}

const runBytes = 32

/** All rows may be of one lane, which brings some more. */
const capacityFor = (wanted: number): number => (wanted + 64 + 63) & ~63

function placeRecords({ arena, lower, wanted, lanes: { length: laneCount }, stored, request: { upper = firstBoundary } }: Short): Places {
  const columnCount = stored.length + 1, capacity = capacityFor(wanted), rowsBytes = laneRowsBytes(capacity, columnCount)
  const lanes = walkBytes, runs = lanes + laneCount * laneBytes, columns = runs + laneCount * runBytes, work = columns + columnCount * laneColumnBytes
  const winners = work + ((Math.max(8, 4 * laneCount) + 7) & ~7), values = winners + 8 * wanted, nulls = values + columnCount * 8 * wanted
  const bounds = nulls + columnCount * bitmapBytes(wanted), rows = (bounds + 2 * tableIdBytes + lower.length + upper.length + 7) & ~7
  const walk = arena.allocate(rows + laneCount * rowsBytes)
  return { walk, lanes: walk + lanes, runs: walk + runs, columns: walk + columns, work: walk + work, winners: walk + winners, values: walk + values, nulls: walk + nulls, bounds: walk + bounds, rows: walk + rows, rowsBytes, capacity }
}

/** As src/kernel/merge.ts draws them. */
function writeRecords(short: Short, places: Places): void {
  const { kernel: { memory: { u8, u32 } }, shape, lower, wanted, lanes, stored, request: { tableId, upper } } = short
  const { walk, work, bounds } = places, upperAt = bounds + tableIdBytes + lower.length
  u8.fill(0, walk, work)
  putBound(short.kernel.memory, bounds, tableId, lower)
  putBound(short.kernel.memory, upperAt, upper === undefined ? tableId + 1 : tableId, upper ?? firstBoundary)
  const word = walk >>> 2
  u32[word] = places.lanes
  u32[word + 1] = lanes.length
  u32[word + 2] = places.runs
  u32[word + 3] = places.winners
  u32[word + 4] = wanted
  u32[word + 5] = places.capacity
  u32[word + 6] = shape.form === 'i64' ? physicalKindNumber.i64 : physicalKindNumber.bytes
  u32[word + 8] = bounds
  u32[word + 9] = tableIdBytes + lower.length
  u32[word + 10] = upperAt
  u32[word + 11] = tableIdBytes + (upper?.length ?? 0)
  u32[word + 12] = upper === undefined ? 0 : 1
  u32[word + 13] = places.columns
  u32[word + 14] = stored.length + 1
  u32[word + 15] = shape.descriptor
  u32[word + 16] = work
  for (let i = 0; i <= stored.length; i++) writeColumn(short, places, i)
  let entryCount = 0
  for (let i = 0; i < lanes.length; i++) entryCount += lanes[i]!.entryCount
  for (let i = 0; i < lanes.length; i++) writeLane(short, places, i, pageRows(wanted * lanes[i]!.entryCount / entryCount))
}

/** As many as a run has among those wanted, if they lie evenly, and some more, since they do not quite: nothing depends on it but time. */
const pageRows = (expected: number): number => Math.max(8, Math.round((expected + Math.sqrt(expected)) / 8) * 8)

function putBound({ u8, view }: LinearMemory, address: Pointer, tableId: number, bound: Uint8Array): void {
  view.setUint32(address, tableId)
  u8.set(bound, address + tableIdBytes)
}

/** The keys are column 0. */
function writeColumn({ kernel: { memory: { u32, i32 } }, shape, wanted, stored }: Short, { columns, values, nulls }: Places, index: number): void {
  const word = (columns + index * laneColumnBytes) >>> 2, ordinal = index === 0 ? 0 : stored[index - 1]!
  u32[word] = ordinal
  i32[word + 1] = index === 0 ? -1 : shape.valueIndexes[ordinal]!
  u32[word + 2] = physicalKindNumber[shape.layout.columns[ordinal]!]
  u32[word + 3] = values + index * 8 * wanted
  u32[word + 4] = nulls + index * bitmapBytes(wanted)
}

function writeLane({ kernel: { memory: { u32, f64 } }, lanes }: Short, { lanes: records, rows, rowsBytes }: Places, index: number, rowsAtFirst: number): void {
  const lane = lanes[index]!, at = records + index * laneBytes, word = at >>> 2, isMemtable = 'memtable' in lane
  if (isMemtable) f64[at >>> 3] = lane.sequence
  u32[word + 2] = isMemtable ? lane.memtable.handle : lane.record
  u32[word + 3] = isMemtable ? laneKinds.memtable : lane.isLast ? laneKinds.lastFile : laneKinds.file
  u32[word + 4] = rows + index * rowsBytes
  u32[word + 10] = rowsAtFirst
}

const wordAt = ({ kernel: { memory: { u32 } } }: Short, { walk }: Places, offset: number): number => u32[(walk + offset) >>> 2]!
const foundOffset = 68, askedLaneOffset = 72, askedOffset = 76, isEndOffset = 80

/** false where the kernel asks for what cannot be given, or finds nothing although there may be more. */
function findRows(short: Short, places: Places): boolean {
  const { kernel: { exports } } = short
  for (;;) {
    const outcome = exports.mergeLanes(places.walk)
    if (outcome >= 0) return outcome > 0
    if (outcome === laneAsks.refused) return false
    const index = wordAt(short, places, askedLaneOffset), lane = short.lanes[index]!, asked = wordAt(short, places, askedOffset)
    invariant('reader' in lane, 'only files are asked about')
    const isGiven = outcome === laneAsks.rowGroup ? lane.reader.noteWalkGroup(asked, short.stored) : giveScratch(short, places, lane.reader, index, asked)
    if (!isGiven) return false
  }
}

/** For a chunk of compressed text, in the row group where the lane is. false where room for it made something leave that the kernel has addresses of. */
function giveScratch({ kernel, arena, stored, wanted, lanes: given }: Short, { rows, rowsBytes, capacity, lanes }: Places, reader: TableReader, lane: number, column: number): boolean {
  const { memory: { u32, f64 }, exports } = kernel, ordinal = stored[column - 1]!
  const rowGroup = u32[((lanes + lane * laneBytes) >>> 2) + 6]!, chunk = reader.chunk(rowGroup, ordinal)
  if (chunk === undefined || chunk === 0) return false
  notePartRead({ kernel }, { reader, rowGroup }, chunk, ordinal, Math.ceil(wanted / given.length))
  const versions = (): readonly number[] => given.map((each) => ('record' in each ? f64[each.record >>> 3]! : 0)), before = versions()
  u32[(rows + lane * rowsBytes + laneScratchOffset(capacity, column)) >>> 2] = arena.allocate(exports.columnDecodeScratchBytes(chunk))
  return versions().every((version, i) => version === before[i])
}

function shownRows(short: Short, places: Places): ShortRows {
  const { kernel, shape, arena, stored, request: { columns } } = short, rowCount = wordAt(short, places, foundOffset)
  const vectors: (Vector | undefined)[] = []
  for (const ordinal of columns) {
    const index = stored.indexOf(ordinal)
    vectors[ordinal] ??= index >= 0 ? storedVector(short, places, ordinal, index + 1) : shape.form === 'i64' ? { kind: 'i64', values: places.values, nulls: 0 } : keyColumnVector(kernel, shape, ordinal, places.values, rowCount, arena)
  }
  return { rowCount, vectors, isEnd: wordAt(short, places, isEndOffset) !== 0, lastKey: () => keyAt(short, places.values + 8 * (rowCount - 1)) }
}

function storedVector({ kernel: { memory: { u32 } }, shape: { layout }, wanted }: Short, places: Places, ordinal: number, index: number): Vector {
  const kind = layout.columns[ordinal]!, values = places.values + index * 8 * wanted
  const nulls = u32[((places.columns + index * laneColumnBytes) >>> 2) + 5] === 0 ? 0 : places.nulls + index * bitmapBytes(wanted)
  return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
}

/** Key bytes of a row. */
function keyAt({ kernel: { memory }, shape }: Short, at: Pointer): Uint8Array {
  const { u32, view } = memory
  if (shape.form !== 'i64') return copyOut(memory, u32[at >>> 2]!, u32[(at >>> 2) + 1]!)
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE((view.getUint32(at + 4, true) ^ 0x8000_0000) >>> 0, 0)
  key.writeUInt32BE(view.getUint32(at, true), 4)
  return key
}
