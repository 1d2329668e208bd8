/**
 * Pages out of row groups and merged rows: the predicate's outcome as a selection, the wanted columns as vectors in the
 * order of the scan.
 */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Arena } from '../state/arena.ts'
import { keyPrefixInMemory } from '../keys/key-bytes.ts'
import type { Page, Vector } from '../page.ts'
import type { DirectRowGroup } from './direct/direct-rows.ts'
import type { RowsWithin } from './direct/select-rows.ts'
import type { MergedRows } from './merge/merged-rows.ts'
import { filterRows } from './predicate.ts'
import type { Predicate } from './predicate.ts'
import type { ScanColumns } from '../vector/scan-columns.ts'
import { setBits } from './merge/run-page.ts'
import { bitAt, bitmapBytes } from './read-context.ts'
import type { ReadContext } from './read-context.ts'
import { blockStart, decodeChunk, decodeColumn, fewShare, gatherChunk, keyChunk, onceEach } from './row-group-columns.ts'
import type { ColumnSource } from './row-group-columns.ts'

export interface PageRequest {
  readonly context: ReadContext
  readonly columns: ScanColumns
  /** Ordinals of the columns that pages are to have. */
  readonly wanted: readonly number[]
  readonly predicate: Predicate
  /** For vectors; reset by the caller between pages. */
  readonly arena: Arena
}

/** The predicate over vectors: a selection bitmap (0 = all rows) and how many rows it holds. */
export function selectMerged({ context, predicate, arena }: Pick<PageRequest, 'context' | 'predicate' | 'arena'>, count: number, column: ColumnSource): { readonly selection: Pointer; readonly selectedCount: number } {
  if (predicate.isEmpty) return { selection: 0, selectedCount: count }
  const selection = arena.allocate(bitmapBytes(count))
  context.kernel.exports.scanSelectAll(selection, count)
  const selectedCount = filterRows(context, predicate, { rowCount: count, vector: column, chunk: () => 0 }, selection, count, arena)
  return { selection: selectedCount === count ? 0 : selection, selectedCount }
}

/** The page of merged rows; undefined when no row is selected. */
export function mergedPage(request: PageRequest, rows: MergedRows): Page | undefined {
  const stored = onceEach(rows.column)
  const { selection, selectedCount } = selectMerged(request, rows.count, stored)
  if (selectedCount === 0) return undefined
  const vectors: (Vector | undefined)[] = []
  const column = request.columns.of({ rowCount: rows.count, vector: stored, chunk: () => 0 }, selection, request.arena)
  for (const ordinal of request.wanted) vectors[ordinal] = column(ordinal)
  return { rowCount: rows.count, vectors, selection, selectedCount, ...keysOf(request, rows.keys) }
}

/** The page of a row group. Few selected rows are brought together; otherwise the page has all rows and a selection. */
export function directPage(request: PageRequest, group: DirectRowGroup): Page {
  const { context, columns, wanted, arena } = request
  const order = orderOf(request, group)
  const vectors: (Vector | undefined)[] = []
  // What is computed may look at rows that are not selected.
  const isComputed = wanted.some((ordinal) => ordinal >= context.shape.layout.columns.length)
  const { first, end } = isComputed || group.within === undefined ? { first: 0, end: group.rowCount } : group.within
  const stored = onceEach((ordinal) => decodeColumn(context, group.chunk(ordinal), ordinal, blockStart(first), end, arena))
  const column = columns.of({ rowCount: group.rowCount, vector: stored, chunk: group.chunk }, group.selection, arena)
  for (const ordinal of wanted) vectors[ordinal] = fewRows(request, group, order, ordinal) ?? inOrder(request, order, column(ordinal))
  const keyVector = (): Pointer => {
    const { name, kind } = keyChunk(context)
    const wantedToo = typeof name === 'number' ? (vectors[name] ?? fewRows(request, group, order, name)) : undefined
    return valuesOf(wantedToo ?? inOrder(request, order, decodeChunk(context, group.chunk(name), kind, blockStart(first), end, arena)))
  }
  // Of many row groups each has few rows: to spread parts into the page would cost more than to decode them.
  const { keyAt, keyPrefixAt } = keysOf(request, keyVector)
  return { rowCount: order?.count ?? group.rowCount, vectors, selection: order === undefined ? group.selection : 0, selectedCount: group.selectedCount, keyAt, keyPrefixAt }
}

/** Where the first `rowsMax` selected rows of a row group stand, in the direction of the scan. */
export function firstPart({ context: { kernel: { memory: { u8 } }, reverse } }: PageRequest, { rowCount, selection, selectedCount }: DirectRowGroup, rowsMax: number): RowsWithin {
  const wanted = Math.min(rowsMax, selectedCount)
  let near = 0, far = 0
  for (let found = 0; found < wanted; far++) {
    if (selection !== 0 && !bitAt(u8, selection, reverse ? rowCount - 1 - far : far)) continue
    if (found === 0) near = far
    found++
  }
  return reverse ? { first: rowCount - far, end: rowCount - near } : { first: near, end: far }
}

/** A row group with the selected rows of a part only. */
export function groupWithin({ context: { kernel: { memory: { u8 } } }, arena }: PageRequest, group: DirectRowGroup, within: RowsWithin): DirectRowGroup {
  const { first, end } = within
  const selection = arena.allocate(bitmapBytes(group.rowCount))
  u8.fill(0, selection, selection + bitmapBytes(group.rowCount))
  if (group.selection === 0) {
    setBits(u8, selection, first, end)
    return { ...group, selection, selectedCount: end - first, within }
  }
  let selectedCount = 0
  for (let row = first; row < end; row++) {
    if (!bitAt(u8, group.selection, row)) continue
    u8[selection + (row >>> 3)]! |= 1 << (row & 7)
    selectedCount++
  }
  return { ...group, selection, selectedCount, within }
}

interface RowOrder {
  /** Rows as the winners of a merge of one run: u32 pairs (0, row); made when first asked for. */
  pairs(): Pointer
  /** The rows as u32 where they are few and ascend; otherwise 0. */
  readonly few: Pointer
  readonly count: number
}

/** A stored column of few rows; undefined where it is to be decoded. */
function fewRows({ context, arena }: PageRequest, group: DirectRowGroup, order: RowOrder | undefined, ordinal: number): Vector | undefined {
  const kind = context.shape.layout.columns[ordinal]
  if (order === undefined || order.few === 0 || kind === undefined) return undefined
  const chunk = group.chunk(ordinal)
  return chunk === 0 ? undefined : gatherChunk(context, chunk, kind, order.few, order.count, arena)
}

/** A page keeps its row group's rows and order unless the scan goes backwards or few rows are selected. */
function orderOf({ context: { kernel, reverse }, arena }: PageRequest, { rowCount, selection, selectedCount }: DirectRowGroup): RowOrder | undefined {
  if (!reverse && (selection === 0 || selectedCount * 8 > rowCount)) return undefined
  const { u32 } = kernel.memory
  const rows = selection === 0 ? 0 : arena.allocate(4 * selectedCount)
  if (rows !== 0) kernel.exports.scanSelectedRows(selection, rowCount, rows)
  let pairs: Pointer = 0
  function makePairs(): Pointer {
    const made = arena.allocate(8 * selectedCount)
    for (let i = 0; i < selectedCount; i++) {
      const at = reverse ? selectedCount - 1 - i : i
      u32[(made >>> 2) + 2 * i] = 0
      u32[(made >>> 2) + 2 * i + 1] = rows === 0 ? at : u32[(rows >>> 2) + at]!
    }
    return made
  }
  return { pairs: () => (pairs ||= makePairs()), few: reverse || selectedCount * fewShare > rowCount ? 0 : rows, count: selectedCount }
}

function inOrder({ context: { kernel: { memory: { u32 }, exports } }, arena }: PageRequest, order: RowOrder | undefined, vector: Vector): Vector {
  if (order === undefined) return vector
  const source = arena.allocate(4), values = arena.allocate(8 * order.count)
  u32[source >>> 2] = valuesOf(vector)
  exports.mergeGather8(order.pairs(), order.count, source, values)
  let nulls: Pointer = 0
  if (vector.nulls !== 0) {
    const bits = arena.allocate(bitmapBytes(order.count))
    u32[source >>> 2] = vector.nulls
    if (exports.mergeGatherBits(order.pairs(), order.count, source, bits) !== 0) nulls = bits
  }
  return vector.kind === 'bytes' ? { kind: 'bytes', refs: values, nulls } : { kind: vector.kind, values, nulls }
}

const valuesOf = (vector: Vector): Pointer => (vector.kind === 'bytes' ? vector.refs : vector.values)

/** Of values or refs of keys, which are asked for once, if at all. */
function keysOf(request: PageRequest, keys: () => Pointer): Pick<Page, 'keyAt' | 'keyPrefixAt'> {
  let known: Pointer | undefined
  return {
    keyAt: (row) => keyOf(request, (known ??= keys()), row),
    keyPrefixAt: (row) => keyPrefixOf(request, (known ??= keys()), row),
  }
}

function keyPrefixOf({ context: { kernel: { memory }, shape } }: PageRequest, keys: Pointer, row: number): number {
  const { u32, i32 } = memory
  const element = (keys >>> 2) + 2 * row
  // What the prefix of its key bytes would be.
  if (shape.form === 'i64') return i32[element + 1]! * 0x1_0000_0000 + u32[element]!
  return keyPrefixInMemory(memory, u32[element]!, u32[element + 1]!)
}

/** Key bytes of a row: in place for refs, in 8 bytes of the arena for i64 keys. */
function keyOf({ context: { kernel: { memory: { u32, view } }, shape }, arena }: PageRequest, keys: Pointer, row: number): { readonly address: Pointer; readonly byteLength: number } {
  const element = (keys >>> 2) + 2 * row
  if (shape.form !== 'i64') return { address: u32[element]!, byteLength: u32[element + 1]! }
  const address = arena.allocate(8)
  view.setUint32(address, u32[element + 1]! ^ 0x8000_0000)
  view.setUint32(address + 4, u32[element]!)
  return { address, byteLength: 8 }
}
