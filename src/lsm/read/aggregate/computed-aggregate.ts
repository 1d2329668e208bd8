/**
 * Aggregates of computed columns. Mostly no column needs to be computed for them: those of a CASE are those of its results over
 * the rows that take each, which may be encoded chunks and constants; those of an integer column plus or times a constant
 * follow from those of the column.
 */
import { invariant } from '../../../errors.ts'
import { bitsOperator } from '../../../kernel/vector.ts'
import { mergePartials } from '../../aggregate.ts'
import type { PhysicalKind } from '../../layout.ts'
import type { AggregatePartial } from '../../tree.ts'
import { createEvaluator } from '../../vector/evaluator.ts'
import type { FilterRows } from '../../vector/evaluator.ts'
import { canFail, kindOfExpression } from '../../vector/expression.ts'
import type { VectorExpression } from '../../vector/expression.ts'
import { storedKind } from '../../vector/scan-columns.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { storedAggregate, vectorAggregate } from './column-aggregate.ts'
import type { ColumnAggregate } from './column-aggregate.ts'
import { constantAggregate } from './constant-aggregate.ts'
import { lineAggregate, lineOf } from './line-aggregate.ts'

type CaseExpression = Extract<VectorExpression, { readonly kind: 'case' }>

export function computedAggregate(context: ReadContext, expression: VectorExpression): ColumnAggregate {
  if (expression.kind === 'column') return storedAggregate(context, expression.ordinal)
  const { columns } = context.shape.layout, kind = kindOfExpression(columns, expression)
  if (expression.kind === 'case' && kind !== 'boolean' && failsOnce(expression)) return caseAggregate(context, expression)
  const line = lineOf(columns, expression)
  if (line !== undefined) return lineAggregate(storedAggregate(context, line.ordinal), line)
  return (expression.kind === 'constant' ? constantAggregate(expression) : undefined) ?? evaluatedAggregate(context, storedKind(kind), expression)
}

/** Whether only one part of it can fail: of several, that of the first row has to be told. */
function failsOnce({ branches, otherwise }: CaseExpression): boolean {
  const parts = [...branches.flatMap(({ when, result }) => [when, result]), ...(otherwise === undefined ? [] : [otherwise])]
  return parts.filter(canFail).length <= 1
}

function evaluatedAggregate(context: ReadContext, kind: PhysicalKind, expression: VectorExpression): ColumnAggregate {
  const evaluator = createEvaluator(context.kernel, context.shape.layout.columns, [], [expression])
  const inner = vectorAggregate(context, kind, evaluator.computed[0]!)
  return {
    ...inner,
    free() {
      inner.free()
      evaluator.free()
    },
  }
}

/** The first branch's rows, and the others, which may be a CASE again. */
function caseAggregate(context: ReadContext, { branches: [first, ...branches], otherwise }: CaseExpression): ColumnAggregate {
  invariant(first !== undefined, 'a CASE has no branch')
  const evaluator = createEvaluator(context.kernel, context.shape.layout.columns, [first.when], [])
  const rest = branches.length > 0 ? ({ kind: 'case', branches, otherwise } as const) : otherwise
  return eitherAggregate(context, evaluator.conditions[0]!, computedAggregate(context, first.result), rest === undefined ? undefined : computedAggregate(context, rest), evaluator.free)
}

/** Over the rows for which `when` holds, and over the others. */
function eitherAggregate({ kernel: { exports } }: ReadContext, when: FilterRows, taken: ColumnAggregate, others: ColumnAggregate | undefined, free: () => void): ColumnAggregate {
  return {
    add(rows, selection, selectedCount, arena) {
      const { rowCount } = rows, byteLength = bitmapBytes(rowCount)
      const all = selection === 0 ? arena.allocate(byteLength) : selection
      if (selection === 0) exports.scanSelectAll(all, rowCount)
      const trues = when(rows, all, arena), count = exports.scanSelectedCount(trues, rowCount)
      if (count > 0) taken.add(rows, count === rowCount ? 0 : trues, count, arena)
      if (others === undefined || count === selectedCount) return
      const rest = arena.allocate(byteLength)
      exports.vectorBits(bitsOperator.andNot, all, trues, rowCount, rest)
      others.add(rows, selectedCount - count === rowCount ? 0 : rest, selectedCount - count, arena)
    },
    canAddZone: () => false,
    addZone: () => invariant(false, 'a CASE has no zone maps'),
    partial: (wanted): AggregatePartial => (others === undefined ? taken.partial(wanted) : mergePartials(taken.partial(wanted), others.partial(wanted))),
    free() {
      taken.free()
      others?.free()
      free()
    },
  }
}
