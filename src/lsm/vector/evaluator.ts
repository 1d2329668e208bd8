/**
 * The conditions and computed columns of one scan, over the rows of a page. When an operation fails at a row, the rows
 * before it are evaluated once more, since another may have failed earlier: the error is that of the first row, as if rows
 * were taken one by one.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import { setBits } from '../read/merge/run-page.ts'
import { bitmapBytes } from '../read/read-context.ts'
import { createArena } from '../state/arena.ts'
import type { Arena } from '../state/arena.ts'
import { compileTruth, compileValue } from './compile.ts'
import type { Compiler } from './compile.ts'
import type { VectorExpression } from './expression.ts'
import { bothOf, noBits, RowFailure } from './node.ts'
import type { Frame, VectorRows } from './node.ts'
import { materialized } from './numbers.ts'

/** Keeps the selected rows for which a condition is true: a new bitmap, of the arena. */
export type FilterRows = (rows: VectorRows, selection: Pointer, arena: Arena) => Pointer

/** A computed column for the selected rows (0 = all); other rows mean nothing. */
export type ComputeRows = (rows: VectorRows, selection: Pointer, arena: Arena) => Vector

export interface Evaluator {
  readonly conditions: readonly FilterRows[]
  readonly computed: readonly ComputeRows[]
  free(): void
}

const constantBytes = 512

export function createEvaluator(kernel: Kernel, columns: readonly PhysicalKind[], conditions: readonly VectorExpression[], computed: readonly VectorExpression[]): Evaluator {
  const constants = createArena(kernel.heap, constantBytes)
  const compiler: Compiler = { kernel, columns, allocate: constants.allocate }
  try {
    return {
      conditions: conditions.map((expression) => filterRows(compiler, expression)),
      computed: computed.map((expression) => computeRows(compiler, expression)),
      free: constants.free,
    }
  } catch (error) {
    constants.free()
    throw error
  }
}

function filterRows(compiler: Compiler, expression: VectorExpression): FilterRows {
  const { kernel } = compiler, node = compileTruth(compiler, expression)
  return (rows, selection, arena) => {
    const frame: Frame = { kernel, rows, arena }
    return untilFailure(frame, selection, (selected) => node.trues(frame, selected))
  }
}

function computeRows(compiler: Compiler, expression: VectorExpression): ComputeRows {
  const { kernel } = compiler, node = compileValue(compiler, expression)
  return (rows, selection, arena) => {
    const frame: Frame = { kernel, rows, arena }
    const { kind } = node
    const { values, nulls } = untilFailure(frame, selection === 0 ? allRows(frame) : selection, (selected) => {
      const given = node.evaluate(frame, selected)
      return { ...given, values: materialized(frame, given, selected) }
    })
    return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
  }
}

function allRows({ kernel: { exports }, rows, arena }: Frame): Pointer {
  const all = arena.allocate(bitmapBytes(rows.rowCount))
  exports.scanSelectAll(all, rows.rowCount)
  return all
}

function untilFailure<T>(frame: Frame, selection: Pointer, evaluate: (selection: Pointer) => T): T {
  try {
    return evaluate(selection)
  } catch (error) {
    if (!(error instanceof RowFailure)) throw error
    untilFailure(frame, rowsBefore(frame, selection, error.row), evaluate)
    throw error.reason
  }
}

function rowsBefore(frame: Frame, selection: Pointer, row: number): Pointer {
  const before = noBits(frame)
  setBits(frame.kernel.memory.u8, before, 0, row)
  return bothOf(frame, before, selection)
}
