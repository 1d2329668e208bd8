/** A memtable as a run of pages; pages grow, so that a scan that stops early reads little. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import { tableIdBytes } from '../../batch.ts'
import { tableKey } from '../../batch-builder.ts'
import { copyOut, firstBoundary } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import { keyColumnVector } from '../../keys/key-columns.ts'
import type { Vector } from '../../page.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { onceEach } from '../row-group-columns.ts'
import { coveredBits } from './run-page.ts'
import type { RunPage, RunSource } from './run-page.ts'

const firstPageRowsDefault = 128, pageRowsMax = 4096
/** Of a place in a memtable. */
export const cursorBytes = 32

export interface MemtableSource extends RunSource {
  /** First key at or after `boundary` (backwards: the last before it), tombstones included; undefined when there is none. */
  peek(boundary: Boundary): Uint8Array | undefined
}

interface Bounds {
  readonly lower: Uint8Array
  readonly upper: Boundary
}

export interface MemtableSourceOptions {
  readonly firstPageRows?: number
  /** Has what lasts as long as the source, and its first page, so that a short read of many memtables allocates once. Not reset before the source is closed. */
  readonly shared?: Arena
}

interface SourceState {
  readonly context: ReadContext
  readonly handle: Pointer
  readonly sequence: number
  readonly cover: RangeCover
  readonly options: MemtableSourceOptions
  readonly firstPageRows: number
  readonly cursor: Pointer
  readonly pageArena: Arena
  readonly boundArena: Arena
  bounds: Bounds
  bound: Pointer
  boundBytes: number
  pageRows: number
  ended: boolean
}

/** `cover` is that of newer runs; the memtable's own range tombstones are applied inside. */
export function createMemtableSource(context: ReadContext, handle: Pointer, sequence: number, cover: RangeCover, options: MemtableSourceOptions = {}): MemtableSource {
  const { heap } = context.kernel
  const { shared, firstPageRows = firstPageRowsDefault } = options
  const state: SourceState = {
    context, handle, sequence, cover, options, firstPageRows,
    cursor: shared === undefined ? heap.allocate(cursorBytes) : shared.allocate(cursorBytes),
    pageArena: createArena(heap),
    boundArena: shared ?? createArena(heap, 512),
    bounds: { lower: firstBoundary, upper: undefined },
    bound: 0, boundBytes: 0, pageRows: firstPageRows, ended: true,
  }
  return {
    open: (lower, upper) => openStretch(state, lower, upper),
    next: () => nextPage(state),
    peek: (boundary) => peek(state, boundary),
    close() {
      state.pageArena.free()
      if (shared !== undefined) return
      heap.free(state.cursor)
      state.boundArena.free()
    },
  }
}

function openStretch(state: SourceState, lower: Uint8Array, upper: Boundary): void {
  const { reverse } = state.context
  state.bounds = { lower, upper }
  if (state.options.shared === undefined) state.boundArena.reset()
  seek(state, reverse ? upper : lower)
  const far = putBoundary(state, reverse ? lower : upper)
  state.bound = far.address
  state.boundBytes = far.byteLength
  state.pageRows = state.firstPageRows
  state.ended = false
}

function seek(state: SourceState, boundary: Boundary): void {
  const { context: { kernel, reverse }, handle, cursor } = state
  const { address, byteLength } = putBoundary(state, boundary)
  kernel.exports.skiplistSeek(handle, address, byteLength, reverse ? 1 : 0, cursor)
}

/** A boundary among the table's keys, with the table id, in linear memory. */
function putBoundary({ context: { kernel: { memory }, shape }, boundArena }: SourceState, boundary: Boundary): { readonly address: Pointer; readonly byteLength: number } {
  const { tableId } = shape.layout
  const prefix = tableKey(boundary === undefined ? tableId + 1 : tableId)
  const byteLength = prefix.length + (boundary?.length ?? 0)
  const address = boundArena.allocate(byteLength)
  memory.u8.set(prefix, address)
  if (boundary !== undefined) memory.u8.set(boundary, address + prefix.length)
  return { address, byteLength }
}

function peek(state: SourceState, boundary: Boundary): Uint8Array | undefined {
  const { context: { kernel: { memory, exports }, reverse }, handle, sequence, cursor, boundArena, options } = state
  if (options.shared === undefined) boundArena.reset()
  seek(state, boundary)
  const far = putBoundary(state, reverse ? firstBoundary : undefined)
  const refs = boundArena.allocate(16)
  const count = exports.skiplistRead(handle, cursor, sequence, far.address, far.byteLength, tableIdBytes, refs, refs + 8, 1)
  if (count === 0) return undefined
  const address = memory.u32[refs >>> 2]!
  return copyOut(memory, address, memory.u32[(refs >>> 2) + 1]!)
}

function nextPage(state: SourceState): RunPage | undefined {
  if (state.ended) return undefined
  const { context, handle, sequence, cursor, bound, boundBytes, pageRows, options, firstPageRows } = state
  const { kernel: { exports }, shape } = context
  const arena = pageRows === firstPageRows && options.shared !== undefined ? options.shared : state.pageArena
  if (arena === state.pageArena) arena.reset()
  const keyRefs = arena.allocate(8 * pageRows), rows = arena.allocate(8 * pageRows)
  const count = exports.skiplistRead(handle, cursor, sequence, bound, boundBytes, tableIdBytes, keyRefs, rows, pageRows)
  state.ended = count < pageRows
  state.pageRows = Math.min(pageRowsMax, 2 * pageRows)
  if (count === 0) return undefined
  let keys = keyRefs
  if (shape.form === 'i64') {
    keys = arena.allocate(8 * count)
    exports.rowKeysToI64(keyRefs, count, keys)
  }
  return memtablePage(context, { keys, refs: keyRefs, rows, count }, { from: 0, to: count, last: state.ended }, state.cover, state.bounds, arena)
}

/** Rows of a memtable, ascending or descending by key. */
export interface MemtableRows {
  /** As runs have them, and as refs to their bytes. */
  readonly keys: Pointer
  readonly refs: Pointer
  /** Refs, empty ones of tombstones. */
  readonly rows: Pointer
  readonly count: number
}

/** A page of them, `arena` for what it needs. (Spreading one object into another would leave a kilobyte to the next full collection.) */
export function memtablePage(context: ReadContext, read: MemtableRows, { from, to, last }: Pick<RunPage, 'from' | 'to' | 'last'>, cover: RangeCover, bounds: Bounds, arena: Arena): RunPage {
  const { keys, rows, count } = read
  return {
    rowCount: count,
    keys,
    from,
    to,
    last,
    tombstones: tombstoneBits(context, rows, count, arena),
    covered: coveredBits(context, cover, keys, count, bounds, arena),
    flipped: false,
    rows,
    column: onceEach((ordinal) => columnVector(context, read, ordinal, arena)),
  }
}

function columnVector(context: ReadContext, { refs, rows, count }: MemtableRows, ordinal: number, arena: Arena): Vector {
  const { kernel, shape } = context
  if (shape.valueIndexes[ordinal]! < 0) return keyColumnVector(kernel, shape, ordinal, refs, count, arena)
  return valueColumnVector(context, rows, count, ordinal, arena)
}

/** A column that is not of the key, out of rows as memtables hold them. */
export function valueColumnVector({ kernel, shape }: ReadContext, rows: Pointer, count: number, ordinal: number, arena: Arena): Vector {
  const valueIndex = shape.valueIndexes[ordinal]!
  const out = arena.allocate(8 * count), bits = arena.allocate(bitmapBytes(count))
  const hasNulls = kernel.exports.rowColumnVector(rows, count, shape.descriptor, valueIndex, out, bits) !== 0
  const missing = shape.missing.cell(ordinal)
  if (hasNulls && missing !== undefined) fillMissing(kernel.memory, { rows, count }, valueIndex, missing, out, bits)
  const nulls = hasNulls ? bits : 0
  const kind = shape.layout.columns[ordinal]!
  return kind === 'bytes' ? { kind, refs: out, nulls } : { kind, values: out, nulls }
}

/** Puts a cell where rows are older than the column. Tombstones stay null. */
function fillMissing({ u8, u16, u32 }: LinearMemory, { rows, count }: Pick<MemtableRows, 'rows' | 'count'>, valueIndex: number, cell: Pointer, out: Pointer, nulls: Pointer): void {
  for (let i = 0; i < count; i++) {
    const ref = (rows >>> 2) + 2 * i
    if (u32[ref + 1] === 0 || valueIndex < u16[u32[ref]! >>> 1]!) continue
    u8.copyWithin(out + 8 * i, cell, cell + 8)
    u8[nulls + (i >>> 3)]! &= ~(1 << (i & 7))
  }
}

/** Bitmap of the rows of length 0. */
function tombstoneBits({ kernel: { memory: { u8, u32 } } }: ReadContext, rows: Pointer, count: number, arena: Arena): Pointer {
  let bits: Pointer = 0
  for (let i = 0, length = (rows >>> 2) + 1; i < count; i++, length += 2) {
    if (u32[length] !== 0) continue
    if (bits === 0) {
      bits = arena.allocate(bitmapBytes(count))
      u8.fill(0, bits, bits + bitmapBytes(count))
    }
    u8[bits + (i >>> 3)]! |= 1 << (i & 7)
  }
  return bits
}
