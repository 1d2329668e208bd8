/** Comparisons, membership and LIKE. Columns compared with constants are compared as they are encoded. */
import { invariant } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { comparison } from '../../kernel/zone-map.ts'
import { bitmapBytes } from '../read/read-context.ts'
import { truthNode } from './logic.ts'
import { materialized } from './numbers.ts'
import { bothOf, eitherOf, without } from './node.ts'
import type { Frame, TruthNode, ValueNode, VectorNode } from './node.ts'
import { filterTerm } from './term.ts'
import type { Term } from './term.ts'

/** Whether a column compares so with a constant; `nullTest` is the term that says which rows are null there. */
export function termNode(term: Term, nullTest: Term): TruthNode {
  const isNullTest = term.comparison === comparison.isNull || term.comparison === comparison.isNotNull
  const trues = (frame: Frame, selection: Pointer): Pointer => filtered(frame, term, selection)
  return {
    kind: 'boolean',
    canFail: false,
    trues,
    evaluate: (frame, selection) => ({ trues: trues(frame, selection), nulls: isNullTest || !mayBeNull(frame, term.ordinal) ? 0 : filtered(frame, nullTest, selection) }),
  }
}

function mayBeNull({ kernel: { exports }, rows }: Frame, ordinal: number): boolean {
  const chunk = rows.chunk(ordinal)
  return chunk === 0 ? rows.vector(ordinal).nulls !== 0 : exports.columnHasNulls(chunk) !== 0
}

function filtered(frame: Frame, term: Term, selection: Pointer): Pointer {
  const out = bothOf(frame, selection, selection)
  filterTerm(frame.kernel, term, frame.rows, out, frame.arena.allocate)
  return out
}

export function compareNode({ exports }: Kernel, op: number, left: VectorNode, right: VectorNode): TruthNode {
  invariant(left.kind !== 'boolean' && left.kind === right.kind, `an expression compares ${left.kind} with ${right.kind}`)
  const { kind } = left
  return truthNode(left.canFail || right.canFail, (frame, selection) => {
    const { rows: { rowCount } } = frame
    const a = left.evaluate(frame, selection)
    const b = right.evaluate(frame, right.canFail ? without(frame, selection, a.nulls) : selection)
    const nulls = eitherOf(frame, a.nulls, b.nulls)
    const active = without(frame, selection, nulls), values = materialized(frame, a, selection)
    const out = frame.arena.allocate(bitmapBytes(rowCount))
    if (kind === 'bytes') exports.vectorCompareBytes(values, b.values, b.step, active, rowCount, op, out)
    else (kind === 'i64' ? exports.vectorCompareI64 : exports.vectorCompareF64)(values, b.values, b.step, rowCount, op, out)
    return { trues: kind === 'bytes' ? out : bothOf(frame, out, active), nulls }
  })
}

/** Writes at `out` which of the active rows pass. */
export type ValueTest = (frame: Frame, values: Pointer, active: Pointer, out: Pointer) => void

/** `elseNull`: what does not pass is null. */
export function testNode(operand: ValueNode, test: ValueTest, elseNull: boolean): TruthNode {
  return truthNode(operand.canFail, (frame, selection) => {
    const given = operand.evaluate(frame, selection)
    const trues = frame.arena.allocate(bitmapBytes(frame.rows.rowCount))
    test(frame, materialized(frame, given, selection), without(frame, selection, given.nulls), trues)
    return { trues, nulls: elseNull ? without(frame, selection, trues) : given.nulls }
  })
}

