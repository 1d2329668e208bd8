/**
 * A scan's predicate, its constants carried into linear memory once: evaluated on zone maps, on encoded chunks and on
 * vectors. A predicate may be evaluated below a merge nowhere: it could drop a newer row and bring back an older one.
 */
import { LsmtError } from '../../errors.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { comparison, textPrefix } from '../../kernel/zone-map.ts'
import { createArena } from '../state/arena.ts'
import { physicalKindNumber } from '../layout.ts'
import type { PhysicalKind, TableLayout } from '../layout.ts'
import type { Vector } from '../page.ts'
import type { TableReader } from '../table/table.ts'
import type { PhysicalValue, PredicateTerm } from '../tree.ts'
import { bitmapBytes } from './read-context.ts'
import type { ReadContext } from './read-context.ts'
import { checkDecoded } from './row-group-columns.ts'

export interface Predicate {
  readonly terms: readonly Term[]
  /** Ordinals it reads, each once. */
  readonly ordinals: readonly number[]
  free(): void
}

interface Term {
  readonly ordinal: number
  readonly kind: PhysicalKind
  readonly comparison: number
  /** 8-byte value, or text. */
  readonly constant: Pointer
  readonly constantBytes: number
  readonly value: PhysicalValue | undefined
}

export function createPredicate({ kernel, shape }: ReadContext, terms: readonly PredicateTerm[]): Predicate {
  const arena = createArena(kernel.heap, 512)
  const { memory } = kernel
  const putConstant = (kind: PhysicalKind, value: PhysicalValue | undefined): { constant: Pointer; constantBytes: number } => {
    const constant = arena.allocate(Math.max(8, value instanceof Uint8Array ? value.length : 8))
    if (value instanceof Uint8Array) memory.u8.set(value, constant)
    else if (kind === 'f64') memory.f64[constant >>> 3] = Number(value ?? 0)
    else memory.i64[constant >>> 3] = BigInt(value ?? 0)
    return { constant, constantBytes: value instanceof Uint8Array ? value.length : 8 }
  }
  const compiled = terms.map(({ ordinal, comparison: name, value }): Term => {
    const kind = kindOf(shape.layout, ordinal)
    checkValue(kind, name, value)
    return { ordinal, kind, comparison: comparison[name], value, ...putConstant(kind, value) }
  })
  return { terms: compiled, ordinals: [...new Set(terms.map(({ ordinal }) => ordinal))], free: arena.free }
}

export function kindOf(layout: TableLayout, ordinal: number): PhysicalKind {
  const kind = layout.columns[ordinal]
  if (kind === undefined) throw new LsmtError('XX000', `internal error: table ${layout.tableId} has no column ${ordinal}`)
  return kind
}

function checkValue(kind: PhysicalKind, name: string, value: PhysicalValue | undefined): void {
  const isNullTest = name === 'isNull' || name === 'isNotNull'
  const fits = isNullTest || (kind === 'bytes' ? value instanceof Uint8Array : kind === 'f64' ? typeof value === 'number' : typeof value === 'bigint' || Number.isSafeInteger(value))
  if (!fits) throw new LsmtError('XX000', `internal error: a predicate compares ${kind} with ${typeof value}`)
}

const zoneTermBytes = 32

/** What zone maps say of each row group: 0 no row matches, 1 some may, 2 all do. */
export function pruneRowGroups({ kernel }: ReadContext, { terms }: Predicate, reader: TableReader): Uint8Array {
  const { memory, heap, exports } = kernel
  const { rowGroupCount } = reader.meta
  const known = terms.filter(({ ordinal }) => reader.zoneMap(ordinal) !== 0)
  // A column that the file is older than is null in every row.
  const allNull = terms.filter(({ ordinal }) => reader.zoneMap(ordinal) === 0)
  if (allNull.some((term) => term.comparison !== comparison.isNull)) return new Uint8Array(rowGroupCount)
  if (known.length === 0) return new Uint8Array(rowGroupCount).fill(2)
  const records = heap.allocate(zoneTermBytes * known.length), out = heap.allocate(rowGroupCount)
  memory.u8.fill(0, records, records + zoneTermBytes * known.length)
  known.forEach((term, i) => {
    const record = records + zoneTermBytes * i
    memory.u32[record >>> 2] = reader.zoneMap(term.ordinal)
    memory.u32[(record >>> 2) + 1] = physicalKindNumber[term.kind]
    memory.u32[(record >>> 2) + 2] = term.comparison
    memory.u32[(record >>> 2) + 3] = term.kind === 'bytes' && term.constantBytes > 8 ? 1 : 0
    memory.u64[(record + 16) >>> 3] = term.value instanceof Uint8Array ? textPrefix(term.value) : memory.u64[term.constant >>> 3]!
  })
  exports.zoneMapPrune(records, known.length, reader.liveRowCounts, rowGroupCount, out)
  const answers = memory.u8.slice(out, out + rowGroupCount)
  heap.free(records)
  heap.free(out)
  return answers
}

/** ANDs one term over a whole chunk into a selection; returns how many rows stay. `chunk` 0: the column is null in every row. */
export function filterChunk(context: ReadContext, term: Term, chunk: Pointer, rowCount: number, selection: Pointer, scratch: (byteLength: number) => Pointer): number {
  const { exports, memory } = context.kernel
  if (chunk === 0) {
    if (term.comparison === comparison.isNull) return exports.scanSelectedCount(selection, rowCount)
    memory.u8.fill(0, selection, selection + bitmapBytes(rowCount))
    return 0
  }
  const scratchAt = scratch(exports.scanScratchBytes(chunk))
  switch (term.kind) {
    case 'i64':
      return checkDecoded(exports.scanFilterChunkI64(chunk, term.comparison, term.constant, selection, scratchAt), term.kind)
    case 'f64':
      return checkDecoded(exports.scanFilterChunkF64(chunk, term.comparison, term.constant, selection, scratchAt), term.kind)
    case 'bytes':
      return checkDecoded(exports.scanFilterChunkBytes(chunk, term.comparison, term.constant, term.constantBytes, selection, scratchAt), term.kind)
  }
}

/** The same over a vector. */
export function filterVector({ kernel: { exports } }: ReadContext, term: Term, vector: Vector, count: number, selection: Pointer): number {
  if (vector.kind === 'bytes') return exports.scanFilterBytes(vector.refs, vector.nulls, count, term.comparison, term.constant, term.constantBytes, selection)
  const filter = vector.kind === 'i64' ? exports.scanFilterI64 : exports.scanFilterF64
  return filter(vector.values, vector.nulls, count, term.comparison, term.constant, selection)
}
