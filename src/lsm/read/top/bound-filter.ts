/**
 * Drops the rows of a row group or of merged rows that cannot be among the first any more, by the first column of the
 * order: the last of the best rows so far bounds it, and a filter kernel compares with that bound, on encoded chunks too.
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
  narrow(rows: VectorRows, from: Selected, arena: Arena): Selected
  free(): void
}

export function createBoundFilter({ kernel, shape }: ReadContext, top: TopRows): BoundFilter {
  const { exports, memory } = kernel
  const { ordinal } = top.keys[0]!
  const constants = createArena(kernel.heap, 512)
  let bound: RankValue | undefined
  let terms: readonly Term[] | undefined

  /** Of which a row must satisfy one; undefined: all rows may still come first. */
  function alternatives(): readonly Term[] | undefined {
    const last = top.best.bound?.keys[0]
    if (Object.is(last, bound)) return terms
    constants.reset()
    bound = last
    terms = last === undefined ? undefined : comparisonsBefore(top, last)?.map((comparison) => createTerm(kernel, shape.layout.columns, { ordinal, comparison, ...(last !== null && { value: last }) }, constants.allocate))
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

/** What the first column's value must be to come before a row that has `bound` there; with further columns equal will do. */
function comparisonsBefore({ keys }: TopRows, bound: RankValue): readonly Comparison[] | undefined {
  const { descending, nullsFirst } = keys[0]!
  const isOnly = keys.length === 1
  if (bound === null) {
    if (nullsFirst) return isOnly ? [] : ['isNull']
    return isOnly ? ['isNotNull'] : undefined
  }
  const before = descending ? (isOnly ? 'gt' : 'ge') : isOnly ? 'lt' : 'le'
  return nullsFirst ? [before, 'isNull'] : [before]
}
