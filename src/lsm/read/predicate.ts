/**
 * A scan's predicate: terms, and conditions of any form after them; evaluated on zone maps, on encoded chunks and on
 * vectors. A predicate may be evaluated below a merge nowhere: it could drop a newer row and bring back an older one.
 */
import type { Pointer } from '../../kernel/linear-memory.ts'
import { bitsOperator } from '../../kernel/vector.ts'
import { createArena } from '../state/arena.ts'
import type { Arena } from '../state/arena.ts'
import type { ScanRequest } from '../tree.ts'
import { createEvaluator } from '../vector/evaluator.ts'
import type { FilterRows } from '../vector/evaluator.ts'
import { columnsOf } from '../vector/expression.ts'
import type { VectorRows } from '../vector/node.ts'
import { createPruning } from '../vector/prune.ts'
import type { PruneRowGroups } from '../vector/prune.ts'
import { createTerm, filterTerm } from '../vector/term.ts'
import type { Term } from '../vector/term.ts'
import type { ReadContext } from './read-context.ts'

export interface Predicate {
  readonly terms: readonly Term[]
  readonly conditions: readonly FilterRows[]
  /** Whether it holds for every row. */
  readonly isEmpty: boolean
  /** Ordinals it reads, each once. */
  readonly ordinals: readonly number[]
  /** What zone maps say of each row group: 0 no row matches, 1 some may, 2 all do. */
  readonly prune: PruneRowGroups
  free(): void
}

/** Ordinals that a request's predicate reads, each once. */
export function predicateOrdinals({ predicate, conditions = [] }: ScanRequest): readonly number[] {
  return [...new Set([...predicate.map(({ ordinal }) => ordinal), ...columnsOf(...conditions)])]
}

export function createPredicate({ kernel, shape }: ReadContext, request: ScanRequest): Predicate {
  const { predicate, conditions = [] } = request, { columns } = shape.layout
  const arena = createArena(kernel.heap, 512)
  const terms = predicate.map((term) => createTerm(kernel, columns, term, arena.allocate))
  const evaluator = createEvaluator(kernel, columns, conditions, [])
  return {
    terms,
    conditions: evaluator.conditions,
    isEmpty: terms.length === 0 && conditions.length === 0,
    ordinals: predicateOrdinals(request),
    prune: createPruning(kernel, shape, terms, conditions, arena.allocate),
    free() {
      arena.free()
      evaluator.free()
    },
  }
}

/** ANDs the predicate into a selection of `selectedCount` rows, which is written to; returns how many stay. */
export function filterRows({ kernel }: ReadContext, { terms, conditions }: Predicate, rows: VectorRows, selection: Pointer, selectedCount: number, arena: Arena): number {
  const { rowCount } = rows
  let count = selectedCount
  for (const term of terms) {
    if (count === 0) return 0
    count = filterTerm(kernel, term, rows, selection, arena.allocate)
  }
  for (const condition of conditions) {
    if (count === 0) return 0
    count = kernel.exports.vectorBits(bitsOperator.and, selection, condition(rows, selection, arena), rowCount, selection)
  }
  return count
}
