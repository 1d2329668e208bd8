/** Columns that a scan may name: those of the table, and after them the computed ones of the request. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import type { ColumnSource } from '../read/row-group-columns.ts'
import type { Arena } from '../state/arena.ts'
import { createEvaluator } from './evaluator.ts'
import type { Evaluator } from './evaluator.ts'
import { columnsOf, kindOfExpression } from './expression.ts'
import type { VectorExpression } from './expression.ts'
import type { VectorRows } from './node.ts'
import { createSteps } from './steps/steps.ts'
import type { StepsOf } from './steps/steps.ts'
import type { Steps } from './steps/step-visitor.ts'

export interface ScanColumns {
  /** By ordinal. */
  readonly kinds: readonly PhysicalKind[]
  /** A source of all columns of some rows; computed ones mean something for the selected rows (0: all) only. */
  of(rows: VectorRows, selection: Pointer, arena: Arena): ColumnSource
  /** A computed column as steps, where it goes in some. */
  steps(ordinal: number, rows: VectorRows, selection: Pointer, arena: Arena): Steps | undefined
  free(): void
}

export function createScanColumns(kernel: Kernel, columns: readonly PhysicalKind[], computed: readonly VectorExpression[] = []): ScanColumns {
  // Who only aggregates computed columns may do without.
  let evaluator: Evaluator | undefined
  const evaluated = (): Evaluator => (evaluator ??= createEvaluator(kernel, columns, [], computed))
  const steps = computed.map((expression, i) => onceMade(() => createSteps(kernel, columns, expression, evaluated().computed[i]!)))
  return {
    kinds: scanKinds(columns, computed),
    of: (rows, selection, arena) => (ordinal) => (ordinal < columns.length ? rows.vector(ordinal) : evaluated().computed[ordinal - columns.length]!(rows, selection, arena)),
    steps: (ordinal, rows, selection, arena) => steps[ordinal - columns.length]?.()?.(rows, selection, arena),
    free: () => evaluator?.free(),
  }
}

function onceMade(make: () => StepsOf | undefined): () => StepsOf | undefined {
  let made: { readonly steps: StepsOf | undefined } | undefined
  return () => (made ??= { steps: make() }).steps
}

/** Physical kinds by ordinal. */
export function scanKinds(columns: readonly PhysicalKind[], computed: readonly VectorExpression[] = []): readonly PhysicalKind[] {
  return [...columns, ...computed.map((expression) => storedKind(kindOfExpression(columns, expression)))]
}

export const storedKind = (kind: ReturnType<typeof kindOfExpression>): PhysicalKind => (kind === 'boolean' ? 'i64' : kind)

/** The table's columns that the given ones are made of, each once. */
export function storedOrdinals(columnCount: number, computed: readonly VectorExpression[] | undefined, ordinals: readonly number[]): readonly number[] {
  const stored = new Set<number>()
  for (const ordinal of ordinals) {
    if (ordinal < columnCount) stored.add(ordinal)
    else for (const each of columnsOf(computed![ordinal - columnCount]!)) stored.add(each)
  }
  return [...stored]
}
