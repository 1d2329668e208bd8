/**
 * Drops the rows of a row group or of merged rows that cannot be among the first any more: the last of the best rows so far
 * bounds the first column of the order, and where that column's values can only be equal to the bound, the second one as
 * well. Filter kernels compare with the bounds, on encoded chunks too.
 */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { Comparison } from '../../../kernel/zone-map.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import type { RankValue } from '../../top/rank.ts'
import type { TopRows } from '../../top/top-rows.ts'
import type { VectorRows } from '../../vector/node.ts'
import { createTerm, filterTerm } from '../../vector/term.ts'
import type { Term } from '../../vector/term.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'

/** A selection (0 = all rows) and how many rows it holds. */
export interface Selected {
  readonly selection: Pointer
  readonly selectedCount: number
}

export interface BoundFilter {
  /** `isTied`: no row's value in the first column comes before the bound's. */
  narrow(rows: VectorRows, from: Selected, arena: Arena, isTied: boolean): Selected
  free(): void
}

export function createBoundFilter(context: ReadContext, top: TopRows): BoundFilter {
  const first = keyFilter(context, top, 0), second = top.keys.length > 1 ? keyFilter(context, top, 1) : undefined
  return {
    narrow(rows, from, arena, isTied) {
      const narrowed = first.narrow(rows, from, arena)
      return isTied && second !== undefined && narrowed.selectedCount > 0 ? second.narrow(rows, narrowed, arena) : narrowed
    },
    free() {
      first.free()
      second?.free()
    },
  }
}

interface KeyFilter {
  /** Leaves the rows whose value does not come after the bound's. */
  narrow(rows: VectorRows, from: Selected, arena: Arena): Selected
  free(): void
}

/** By one of the order's columns. */
function keyFilter({ kernel, shape }: ReadContext, top: TopRows, key: number): KeyFilter {
  const { exports, memory } = kernel
  const { ordinal } = top.keys[key]!
  const constants = createArena(kernel.heap, 512)
  let bound: RankValue | undefined
  let terms: readonly Term[] | undefined

  /** Of which a row must satisfy one; undefined: all rows may still come first. */
  function alternatives(): readonly Term[] | undefined {
    const last = top.best.bound?.keys[key]
    if (Object.is(last, bound)) return terms
    constants.reset()
    bound = last
    terms = last === undefined ? undefined : comparisonsBefore(top, key, last)?.map((comparison) => createTerm(kernel, shape.layout.columns, { ordinal, comparison, ...(last !== null && { value: last }) }, constants.allocate))
    return terms
  }

  function narrowBy(term: Term, rows: VectorRows, from: Selected, arena: Arena): Selected {
    const selection = arena.allocate(bitmapBytes(rows.rowCount))
    if (from.selection === 0) exports.scanSelectAll(selection, rows.rowCount)
    else memory.u8.copyWithin(selection, from.selection, from.selection + bitmapBytes(rows.rowCount))
    return { selection, selectedCount: filterTerm(kernel, term, rows, selection, arena.allocate) }
  }

  return {
    narrow(rows, from, arena) {
      const asked = alternatives()
      if (asked === undefined) return from
      const [first, second] = asked
      if (first === undefined) return { selection: 0, selectedCount: 0 }
      const narrowed = narrowBy(first, rows, from, arena)
      if (second === undefined || !hasNulls(exports.columnHasNulls, rows, ordinal)) return narrowed
      const others = narrowBy(second, rows, from, arena)
      for (let word = 0; word < bitmapBytes(rows.rowCount) >>> 2; word++) memory.u32[(narrowed.selection >>> 2) + word]! |= memory.u32[(others.selection >>> 2) + word]!
      return { selection: narrowed.selection, selectedCount: narrowed.selectedCount + others.selectedCount }
    },
    free: constants.free,
  }
}

function hasNulls(columnHasNulls: (chunk: Pointer) => number, rows: VectorRows, ordinal: number): boolean {
  const chunk = rows.chunk(ordinal)
  return chunk === 0 ? rows.vector(ordinal).nulls !== 0 : columnHasNulls(chunk) !== 0
}

/** What a column's value must be for a row that is equal in those before it to come before one that has `bound` there; with further columns equal will do. */
function comparisonsBefore({ keys }: TopRows, key: number, bound: RankValue): readonly Comparison[] | undefined {
  const { descending, nullsFirst } = keys[key]!
  const isLast = key === keys.length - 1
  if (bound === null) {
    if (nullsFirst) return isLast ? [] : ['isNull']
    return isLast ? ['isNotNull'] : undefined
  }
  const before = descending ? (isLast ? 'gt' : 'ge') : isLast ? 'lt' : 'le'
  return nullsFirst ? [before, 'isNull'] : [before]
}
