/**
 * A piece of linear memory with rows by column, their keys, and the order in which each shard takes its own: what an
 * ingest hands to the thread that writes files.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { LsmtError } from '../../../errors.ts'
import type { IngestRows } from '../../../lsm/compaction/job.ts'
import type { Vector } from '../../../lsm/page.ts'
import type { EngineColumns } from '../../engine.ts'
import { physicalKind } from '../../schema.ts'
import { keyLengthMax } from '../../shards/key-scratch.ts'
import { shardOfHash } from '../../shards/shard-of-hash.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import { writeI64 } from '../../codec/byte-target.ts'
import { fillRows } from '../columns/column-values.ts'
import { scratchKeyBytes } from '../columns/column-scratch.ts'
import type { ColumnScratch } from '../columns/column-scratch.ts'
import type { PackedTexts } from '../columns/row-collector.ts'
import { isPacked } from '../columns/rows-of-columns.ts'
import { columnAt, writePlan } from '../columns/values-plan.ts'
import type { ColumnPlan } from '../columns/values-plan.ts'

/** Rows of the block by shard are ordered by `orderRows`. */
export interface ColumnBlock {
  readonly rowCount: number
  /** By row. */
  readonly shards: Uint16Array
  readonly keys: Pointer
  readonly vectors: IngestRows['vectors']
  /** Room for as many pairs as there are rows. */
  readonly order: Pointer
  free(): void
}

/** Rows that may have more are written by the log: open files of all shards hold some of them at a time. */
const rowTextBytesMax = 64 * 1024

/** Undefined where the rows have to be written otherwise: columns that are not packed, a value that its column refuses, a long row, no memory. */
export function createColumnBlock(scratch: ColumnScratch, access: TableAccess, columns: EngineColumns, firstRowId: number): ColumnBlock | undefined {
  const textBytes = packedTextBytes(columns)
  if (textBytes === undefined || longestTexts(columns) > rowTextBytesMax) return undefined
  const plan = writePlan(scratch, access, { targets: columns.columns.map((_, index) => index + (access.schema.hiddenKey ? 1 : 0)), defaults: access.schema.columns.map(() => null) })
  if (plan === undefined) return undefined
  const places = allocatePlaces(scratch.kernel, access, columns.rowCount, textBytes)
  if (places === undefined) return undefined
  const free = (): void => scratch.kernel.heap.free(places.base)
  const shards = new Uint16Array(columns.rowCount)
  const isTaken = fillRows(scratch.kernel.memory, access.schema, places, columns, 0, columns.rowCount, places.text) && fillKeys({ scratch, access, plan, places, shards, firstRowId })
  if (isTaken) return { rowCount: columns.rowCount, shards, keys: places.keys, vectors: vectorsOf(access, columns, places), order: places.order, free }
  free()
  return undefined
}

/** Undefined when a column came in another form. */
function packedTextBytes({ columns, rowCount }: EngineColumns): number | undefined {
  let bytes = 0
  for (const { values } of columns) {
    if (isPacked(values)) bytes += (values.ends[rowCount - 1] ?? 0) - values.start
    else if (!(values instanceof BigInt64Array || values instanceof Float64Array)) return undefined
  }
  return bytes
}

/** Of all columns together: no row has more. */
function longestTexts({ columns, rowCount }: EngineColumns): number {
  let bytes = 0
  for (const { values } of columns) if (isPacked(values)) bytes += longestText(values, rowCount)
  return bytes
}

function longestText({ ends, start }: PackedTexts, rowCount: number): number {
  let longest = 0
  for (let row = 0, from = start; row < rowCount; row++) {
    const end = ends[row]!
    if (end - from > longest) longest = end - from
    from = end
  }
  return longest
}

interface Places {
  readonly base: Pointer
  /** By ordinal. */
  readonly values: readonly Pointer[]
  readonly nulls: readonly Pointer[]
  readonly text: Pointer
  readonly order: Pointer
  /** The vector of keys, and for composite ones the bytes that it refers to. */
  readonly keys: Pointer
  readonly keyBytes: Pointer
  readonly keyBytesMax: number
}

function allocatePlaces({ heap }: Kernel, { schema, keys: { form } }: TableAccess, rowCount: number, textBytes: number): Places | undefined {
  const vectorBytes = 8 * rowCount, bitmapBytes = ((rowCount + 63) >>> 6) * 8
  const [first] = schema.primaryKey
  // A column of a key takes 8 bytes, or its text with each byte escaped and an end.
  const keyBytesMax = form === 'composite' ? schema.primaryKey.length * vectorBytes + 2 * textBytes : 0
  let byteLength = 0
  const take = (bytes: number): number => {
    const at = byteLength
    byteLength += (bytes + 15) & ~15
    return at
  }
  const values = schema.columns.map(() => take(vectorBytes)), nulls = schema.columns.map(() => take(bitmapBytes))
  const text = take(textBytes), order = take(vectorBytes), keyRefs = take(form === 'composite' ? vectorBytes : 0), keyBytes = take(keyBytesMax)
  const base = allocate(heap, byteLength)
  if (base === 0) return undefined
  const moved = (offsets: readonly number[]): readonly Pointer[] => offsets.map((offset) => base + offset)
  return { base, values: moved(values), nulls: moved(nulls), text: base + text, order: base + order, keys: base + (form === 'composite' ? keyRefs : values[first!]!), keyBytes: base + keyBytes, keyBytesMax }
}

/** 0 when there is no room, though caches gave way. */
function allocate(heap: Kernel['heap'], byteLength: number): Pointer {
  try {
    return heap.allocate(byteLength)
  } catch (error) {
    if (error instanceof LsmtError && error.code === '53200') return 0
    throw error
  }
}

interface Filling {
  readonly scratch: ColumnScratch
  readonly access: TableAccess
  readonly plan: ColumnPlan
  readonly places: Places
  readonly shards: Uint16Array
  readonly firstRowId: number
}

/** Keys and shards of all rows, a chunk after the other; false when a key or a row is too long. */
function fillKeys({ scratch, access, plan, places, shards, firstRowId }: Filling): boolean {
  const { kernel: { exports, memory }, shardCount, hashes } = scratch
  const isComposite = access.keys.form === 'composite'
  for (const ordinal of access.schema.primaryKey) if (access.layout.columns[ordinal] === 'f64') clearZeroSigns(memory, places.values[ordinal]!, shards.length)
  if (access.schema.hiddenKey) for (let row = 0; row < shards.length; row++) writeI64(memory.view, places.values[0]! + 8 * row, firstRowId + row)
  let keyBytes = places.keyBytes
  for (let from = 0; from < shards.length; from += plan.rowsMax) {
    const rows = Math.min(plan.rowsMax, shards.length - from)
    showChunk(memory, scratch, places, from)
    const refs = isComposite ? places.keys + 8 * from : scratch.refs
    const longest = isComposite
      ? exports.valuesKeys(scratch.plan, rows, keyBytes, places.keyBytes + places.keyBytesMax - keyBytes, refs, hashes)
      : exports.valuesKeys(scratch.plan, rows, scratch.keys, scratchKeyBytes, refs, hashes)
    if (longest < 0 || longest > keyLengthMax) return false
    if (isComposite) keyBytes = endOfKeys(memory, refs, rows)
    for (let i = 0; i < rows; i++) shards[from + i] = shardOfHash(memory.u32[(hashes >>> 2) + 2 * i + 1]!, shardCount)
  }
  return true
}

/** Keys know one zero, and files have of key columns what the keys say. */
function clearZeroSigns({ f64 }: LinearMemory, values: Pointer, rowCount: number): void {
  for (let i = values >>> 3; i < (values >>> 3) + rowCount; i++) if (f64[i] === 0) f64[i] = 0
}

/** Lets the plan's columns be those of the block, from a row on that begins a byte of bitmaps. */
function showChunk({ u32 }: LinearMemory, scratch: ColumnScratch, { values, nulls }: Places, from: number): void {
  for (let ordinal = 0; ordinal < values.length; ordinal++) {
    const column = columnAt(scratch, ordinal) >>> 2
    u32[column + 2] = values[ordinal]! + 8 * from
    u32[column + 3] = nulls[ordinal]! + (from >>> 3)
  }
}

function endOfKeys({ u32 }: LinearMemory, refs: Pointer, rows: number): Pointer {
  const last = (refs >>> 2) + 2 * (rows - 1)
  return u32[last]! + u32[last + 1]!
}

/** The column of a direct key is its keys. */
function vectorsOf({ schema, keys: { form } }: TableAccess, { columns }: EngineColumns, { values, nulls }: Places): IngestRows['vectors'] {
  const first = schema.hiddenKey ? 1 : 0
  return schema.columns.map(({ type }, ordinal): Vector | undefined => {
    if (form !== 'composite' && ordinal === schema.primaryKey[0]) return undefined
    const bitmap = columns[ordinal - first]?.nulls === undefined ? 0 : nulls[ordinal]!
    const kind = physicalKind(type)
    return kind === 'bytes' ? { kind, refs: values[ordinal]!, nulls: bitmap } : { kind, values: values[ordinal]!, nulls: bitmap }
  })
}
