/** `column <comparison> constant`, its constant carried into linear memory once: over encoded chunks and over vectors. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { comparison } from '../../kernel/zone-map.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import { checkDecoded } from '../read/row-group-columns.ts'
import type { PhysicalValue, PredicateTerm } from '../tree.ts'
import { putConstant } from './constant.ts'
import type { Allocate } from './constant.ts'
import type { VectorRows } from './node.ts'

export interface Term {
  readonly ordinal: number
  readonly kind: PhysicalKind
  readonly comparison: number
  /** 8-byte value, or text. */
  readonly constant: Pointer
  readonly constantBytes: number
  readonly value: PhysicalValue | undefined
}

export function createTerm(kernel: Kernel, columns: readonly PhysicalKind[], { ordinal, comparison: name, value }: PredicateTerm, allocate: Allocate): Term {
  const kind = columns[ordinal]
  if (kind === undefined) throw new LsmtError('XX000', `internal error: a predicate reads column ${ordinal} of ${columns.length}`)
  checkValue(kind, name, value)
  const { constant, constantBytes } = putConstant(kernel, kind, value ?? 0, allocate)
  return { ordinal, kind, comparison: comparison[name], constant, constantBytes, value }
}

function checkValue(kind: PhysicalKind, name: string, value: PhysicalValue | undefined): void {
  const isNullTest = name === 'isNull' || name === 'isNotNull'
  const fits = isNullTest || (kind === 'bytes' ? value instanceof Uint8Array : kind === 'f64' ? typeof value === 'number' : typeof value === 'bigint' || Number.isSafeInteger(value))
  if (!fits) throw new LsmtError('XX000', `internal error: a predicate compares ${kind} with ${typeof value}`)
}

/** ANDs one term into a selection, over the column's chunk where there is one; returns how many rows stay. */
export function filterTerm(kernel: Kernel, term: Term, rows: VectorRows, selection: Pointer, scratch: Allocate): number {
  const chunk = rows.chunk(term.ordinal)
  return chunk === 0 ? filterVector(kernel, term, rows.vector(term.ordinal), rows.rowCount, selection) : filterChunk(kernel, term, chunk, selection, scratch)
}

function filterChunk({ exports }: Kernel, term: Term, chunk: Pointer, selection: Pointer, scratch: Allocate): number {
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
export function filterVector({ exports }: Kernel, term: Term, vector: Vector, count: number, selection: Pointer): number {
  if (vector.kind === 'bytes') return exports.scanFilterBytes(vector.refs, vector.nulls, count, term.comparison, term.constant, term.constantBytes, selection)
  const filter = vector.kind === 'i64' ? exports.scanFilterI64 : exports.scanFilterF64
  return filter(vector.values, vector.nulls, count, term.comparison, term.constant, selection)
}
