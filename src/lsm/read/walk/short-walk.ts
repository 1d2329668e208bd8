/**
 * The first rows of a walk of which few are wanted, where all they need is in memory. Such a read spends its time on what is
 * made for each run before a row is given: so nothing is. The runs of a view are a record that is made once; the kernel finds those that
 * reach into the range, searches, reads and merges all of them by one call, and asks where it does not know where a file's chunks are.
 * What is rare, the merge of sources reads.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { laneAsks, laneBytes, laneColumnBytes, laneKinds, laneRowsBytes, laneRunBytes, laneScratchOffset, walkBytes, walkPartBytes } from '../../../kernel/merge.ts'
import { tableIdBytes } from '../../batch.ts'
import { copyOut, firstBoundary } from '../../keys/key-bytes.ts'
import { keyColumnVector } from '../../keys/key-columns.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import { physicalKindNumber } from '../../layout.ts'
import type { Vector } from '../../page.ts'
import type { Arena } from '../../state/arena.ts'
import type { TableReader } from '../../table/table.ts'
import type { WalkedRows, WalkPart, WalkRequest } from '../../tree.ts'
import { notePartRead } from '../merge/loaded-rows.ts'
import type { TableRuns } from '../point/table-runs.ts'
import { bitmapBytes } from '../read-context.ts'

/** More are not read so, nor what would take more room at once. */
const shortRowsMax = 256, shortBytesMax = 2 * 1024 * 1024

export interface ShortRows extends WalkedRows {
  /** No row follows. */
  readonly isEnd: boolean
  /** Key bytes of the last row; to be asked for while the rows are good. */
  readonly lastKey: () => Uint8Array
}

interface Short {
  readonly kernel: Kernel
  readonly shape: RowLayout
  readonly request: WalkRequest
  readonly arena: Arena
  readonly lower: Uint8Array
  readonly wanted: number
  readonly parts: readonly WalkPart[]
  /** By part. */
  readonly runs: readonly TableRuns[]
  /** Memtables and runs of files of all parts. */
  readonly runCount: number
  /** Ordinals that are read by row; keys are always read. */
  readonly stored: readonly number[]
}

/** undefined: these rows are to be had by a merge of sources. What it gives is valid until the caller's next await. */
export function readShort(kernel: Kernel, parts: readonly WalkPart[], request: WalkRequest, lower: Uint8Array, wanted: number, arena: Arena): ShortRows | undefined {
  if (request.reverse === true || wanted > shortRowsMax) return undefined
  const { shape } = parts[0]!, stored: number[] = []
  for (const ordinal of request.columns) if (shape.valueIndexes[ordinal]! >= 0 && !stored.includes(ordinal)) stored.push(ordinal)
  const runs = runsOf(parts, stored)
  if (runs === undefined) return undefined
  let runCount = 0
  for (const each of runs) runCount += each.runCount
  const short: Short = { kernel, shape, request, arena, lower, wanted, parts, runs, runCount, stored }
  if (runCount * laneRowsBytes(capacityFor(wanted), stored.length + 1) > shortBytesMax) return undefined
  const places = placeRecords(short)
  writeRecords(short, places)
  return findRows(short, places) ? shownRows(short, places) : undefined
}

/** undefined where a merge of sources has to read. */
function runsOf(parts: readonly WalkPart[], stored: readonly number[]): readonly TableRuns[] | undefined {
  const all: TableRuns[] = []
  for (const part of parts) {
    const runs = part.runs()
    if (runs === undefined || runs.address === 0 || hasDefaults(part, stored)) return undefined
    all.push(runs)
  }
  return all
}

/** Rows of memtables that are older than a column have its default. */
function hasDefaults({ view, shape: { missing } }: WalkPart, stored: readonly number[]): boolean {
  for (const ordinal of stored) if (missing.cell(ordinal) !== undefined && !view.memtables.every(({ isEmpty }) => isEmpty)) return true
  return false
}

/** Addresses of what the kernel is given, in one piece of the arena. */
interface Places {
  readonly walk: Pointer
  readonly parts: Pointer
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

/** All rows may be of one lane, which brings some more. */
const capacityFor = (wanted: number): number => (wanted + 64 + 63) & ~63

function placeRecords({ arena, lower, wanted, runs: { length: partCount }, runCount, stored, request: { upper = firstBoundary } }: Short): Places {
  const columnCount = stored.length + 1, capacity = capacityFor(wanted), rowsBytes = laneRowsBytes(capacity, columnCount)
  const columns = walkBytes, parts = columns + columnCount * laneColumnBytes, lanes = parts + partCount * walkPartBytes, runs = lanes + runCount * laneBytes, work = runs + runCount * laneRunBytes
  const winners = work + ((Math.max(8, 4 * runCount) + 7) & ~7), values = winners + 8 * wanted, nulls = values + columnCount * 8 * wanted
  const bounds = nulls + columnCount * bitmapBytes(wanted), rows = (bounds + 2 * tableIdBytes + lower.length + upper.length + 7) & ~7
  const walk = arena.allocate(rows + runCount * rowsBytes)
  return { walk, columns: walk + columns, parts: walk + parts, lanes: walk + lanes, runs: walk + runs, work: walk + work, winners: walk + winners, values: walk + values, nulls: walk + nulls, bounds: walk + bounds, rows: walk + rows, rowsBytes, capacity }
}

/** As src/kernel/merge.ts draws them. */
function writeRecords(short: Short, places: Places): void {
  const { kernel: { memory: { u8, u32, f64 } }, shape, lower, wanted, parts, runs, stored, request: { tableId, upper } } = short
  const { walk, bounds } = places, upperAt = bounds + tableIdBytes + lower.length
  u8.fill(0, walk, places.parts)
  putBound(short.kernel.memory, bounds, tableId, lower)
  putBound(short.kernel.memory, upperAt, upper === undefined ? tableId + 1 : tableId, upper ?? firstBoundary)
  const word = walk >>> 2
  u32[word] = places.parts
  u32[word + 1] = parts.length
  u32[word + 2] = places.lanes
  u32[word + 3] = places.runs
  u32[word + 4] = places.winners
  u32[word + 5] = wanted
  u32[word + 6] = places.capacity
  u32[word + 7] = shape.form === 'i64' ? physicalKindNumber.i64 : physicalKindNumber.bytes
  u32[word + 8] = bounds
  u32[word + 9] = tableIdBytes + lower.length
  u32[word + 10] = upperAt
  u32[word + 11] = tableIdBytes + (upper?.length ?? 0)
  u32[word + 12] = upper === undefined ? 0 : 1
  u32[word + 13] = places.columns
  u32[word + 14] = stored.length + 1
  u32[word + 15] = shape.descriptor
  u32[word + 16] = places.work
  u32[word + 17] = places.rows
  for (let i = 0, part = places.parts; i < parts.length; i++, part += walkPartBytes) {
    f64[part >>> 3] = parts[i]!.sequence
    u32[(part >>> 2) + 2] = runs[i]!.address
  }
  for (let i = 0; i <= stored.length; i++) writeColumn(short, places, i)
}

function putBound({ u8, view }: LinearMemory, address: Pointer, tableId: number, bound: Uint8Array): void {
  view.setUint32(address, tableId)
  for (let i = 0, at = address + tableIdBytes; i < bound.length; i++) u8[at + i] = bound[i]!
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

const wordAt = ({ kernel: { memory: { u32 } } }: Short, { walk }: Places, offset: number): number => u32[(walk + offset) >>> 2]!
const hasLanesOffset = 72, laneCountOffset = 76, foundOffset = 80, isEndOffset = 84, askedPartOffset = 88, askedFileOffset = 92, askedOffset = 96, askedLaneOffset = 100

/** So often it is begun again: each time a file is told of that was not, or a chunk is kept in another form. Where chunks push each other out there is no end. */
const begunAgainMax = 32

/** false where the kernel asks for what cannot be given, or finds nothing although there may be more. */
function findRows(short: Short, places: Places): boolean {
  const { kernel: { exports, memory: { u32 } } } = short
  for (let begun = 1; ;) {
    const outcome = exports.mergeLanes(places.walk)
    if (outcome >= 0) return outcome > 0
    const given = outcome === laneAsks.refused ? 'nothing' : give(short, places, outcome)
    if (given === 'nothing' || (given === 'elsewhere' && begun++ === begunAgainMax)) return false
    if (given === 'elsewhere') u32[(places.walk + hasLanesOffset) >>> 2] = u32[(places.walk + foundOffset) >>> 2] = 0
  }
}

/** 'elsewhere': chunks that the kernel has addresses of may have left, so that it has to begin again. */
type Given = 'given' | 'elsewhere' | 'nothing'

function give(short: Short, places: Places, outcome: number): Given {
  const file = wordAt(short, places, askedFileOffset), asked = wordAt(short, places, askedOffset), runs = short.runs[wordAt(short, places, askedPartOffset)]!, { reader } = runs.files[file]!
  if (outcome === laneAsks.rowGroup) return reader.noteWalkGroup(asked, short.stored) ? 'given' : 'nothing'
  if (outcome === laneAsks.scratch) return giveScratch(short, places, reader, asked)
  const isKnown = reader.record !== 0
  if (reader.walkRecord() === 0) return 'nothing'
  runs.noteFile(file)
  return isKnown ? 'given' : 'elsewhere'
}

/** For a chunk of compressed text, in the row group where the lane is. One that is read so often is kept expanded: then it needs none. */
function giveScratch(short: Short, places: Places, reader: TableReader, column: number): Given {
  const { kernel, kernel: { memory: { u32 }, exports }, arena, stored, wanted } = short, index = wordAt(short, places, askedLaneOffset), ordinal = stored[column - 1]!
  const before = versions(short, places)
  reader.quicken()
  const rowGroup = u32[((places.lanes + index * laneBytes) >>> 2) + 6]!, chunk = reader.chunk(rowGroup, ordinal)
  if (chunk === undefined || chunk === 0) return 'nothing'
  notePartRead({ kernel }, { reader, rowGroup }, chunk, ordinal, Math.ceil(wanted / wordAt(short, places, laneCountOffset)))
  u32[(places.rows + index * places.rowsBytes + laneScratchOffset(places.capacity, column)) >>> 2] = arena.allocate(exports.columnDecodeScratchBytes(chunk))
  return versions(short, places).every((version, i) => version === before[i]) ? 'given' : 'elsewhere'
}

/** Of what is told of the lanes' files: it changes when something of a file moves. */
function versions(short: Short, places: Places): readonly number[] {
  const { memory: { u32, f64 } } = short.kernel
  return Array.from({ length: wordAt(short, places, laneCountOffset) }, (_, i) => {
    const lane = (places.lanes + i * laneBytes) >>> 2, record = u32[lane + 3] === laneKinds.file ? u32[lane + 2]! : 0
    return record === 0 ? 0 : f64[record >>> 3]!
  })
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
