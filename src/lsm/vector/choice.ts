/** CASE and COALESCE: each branch is evaluated for the rows that take it. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import { truthNode } from './logic.ts'
import { bothOf, eitherOf, isEmpty, noBits, without } from './node.ts'
import type { Frame, TruthNode, ValueNode, Values } from './node.ts'

export interface Branch<Node> {
  /** The rows among those still open that take it; undefined: those that are not null there. */
  readonly when: TruthNode | undefined
  readonly result: Node
}

/** Branches of a COALESCE have no `when`; rows that take none are null. */
export function chooseValue(kind: PhysicalKind, branches: readonly Branch<ValueNode>[]): ValueNode {
  return {
    kind,
    canFail: anyFails(branches),
    evaluate(frame, selection) {
      const { kernel: { exports }, rows: { rowCount }, arena } = frame
      const values = arena.allocate(8 * rowCount)
      const nulls = eachTaken(frame, branches, selection, (result, rows) => {
        const given = result.evaluate(frame, rows)
        exports.vectorSelect(given.values, given.step, rows, rowCount, values)
        return given.nulls
      })
      return { values, step: 8, nulls }
    },
  }
}

export function chooseTruth(branches: readonly Branch<TruthNode>[]): TruthNode {
  return truthNode(anyFails(branches), (frame, selection) => {
    let trues = noBits(frame)
    const nulls = eachTaken(frame, branches, selection, (result, rows) => {
      const truth = result.evaluate(frame, rows)
      trues = eitherOf(frame, trues, truth.trues)
      return truth.nulls
    })
    return { trues, nulls }
  })
}

function anyFails(branches: readonly Branch<ValueNode | TruthNode>[]): boolean {
  return branches.some(({ when, result }) => when?.canFail === true || result.canFail)
}

/** Calls with the rows of each branch; `take` returns the nulls among them. Returns all rows that are null in the end. */
function eachTaken<Node>(frame: Frame, branches: readonly Branch<Node>[], selection: Pointer, take: (result: Node, rows: Pointer) => Pointer): Pointer {
  let open = selection, nulls: Pointer = 0
  for (const { when, result } of branches) {
    if (isEmpty(frame, open)) return nulls
    const rows = when === undefined ? open : when.trues(frame, open)
    const given = isEmpty(frame, rows) ? 0 : take(result, rows)
    const isNull = given === 0 ? 0 : bothOf(frame, given, rows)
    open = when === undefined ? isNull : without(frame, open, rows)
    if (open === 0) return nulls
    if (when !== undefined) nulls = eitherOf(frame, nulls, isNull)
  }
  return isEmpty(frame, open) ? nulls : eitherOf(frame, nulls, open)
}

/** 0 and 1 of a truth. */
export function numberOfTruth(operand: TruthNode): ValueNode {
  return {
    kind: 'i64',
    canFail: operand.canFail,
    evaluate(frame, selection): Values {
      const { trues, nulls } = operand.evaluate(frame, selection)
      const values = frame.arena.allocate(8 * frame.rows.rowCount)
      frame.kernel.exports.vectorFromBits(trues, frame.rows.rowCount, values)
      return { values, step: 8, nulls }
    },
  }
}
