/** AND, OR, NOT and null tests in three-valued logic. An item is evaluated for the rows that the ones before leave open. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import { bothOf, eitherOf, isEmpty, noBits, without } from './node.ts'
import type { Frame, Truth, TruthNode, VectorNode } from './node.ts'

/** A node of which true rows are no cheaper to tell than all. */
export function truthNode(canFail: boolean, evaluate: TruthNode['evaluate']): TruthNode {
  return { kind: 'boolean', canFail, evaluate, trues: (frame, selection) => evaluate(frame, selection).trues }
}

/** Rows stay in it until they are false; null is not, so that what follows may still fail for them. */
export function andNode(items: readonly TruthNode[]): TruthNode {
  const canFail = items.some((item) => item.canFail)
  const isFree = !items.slice(1).some((item) => item.canFail)
  const evaluate = (frame: Frame, selection: Pointer): Truth => {
    let rest = selection, nulls: Pointer = 0
    for (const item of items) {
      if (isEmpty(frame, rest)) break
      const truth = item.evaluate(frame, rest)
      const itemNulls = truth.nulls === 0 ? 0 : bothOf(frame, truth.nulls, rest)
      rest = eitherOf(frame, truth.trues, itemNulls)
      nulls = eitherOf(frame, nulls, itemNulls)
    }
    return { trues: without(frame, rest, nulls), nulls: nulls === 0 ? 0 : bothOf(frame, nulls, rest) }
  }
  return {
    kind: 'boolean',
    canFail,
    evaluate,
    trues(frame, selection) {
      if (!isFree) return evaluate(frame, selection).trues
      let rest = selection
      for (const item of items) {
        if (isEmpty(frame, rest)) break
        rest = item.trues(frame, rest)
      }
      return rest
    },
  }
}

export function orNode(items: readonly TruthNode[]): TruthNode {
  return {
    kind: 'boolean',
    canFail: items.some((item) => item.canFail),
    evaluate(frame, selection) {
      let rest = selection, trues = noBits(frame), nulls: Pointer = 0
      for (const item of items) {
        if (isEmpty(frame, rest)) break
        const truth = item.evaluate(frame, rest)
        if (truth.nulls !== 0) nulls = eitherOf(frame, nulls, bothOf(frame, truth.nulls, rest))
        trues = eitherOf(frame, trues, truth.trues)
        rest = without(frame, rest, truth.trues)
      }
      return { trues, nulls: nulls === 0 ? 0 : without(frame, nulls, trues) }
    },
    trues(frame, selection) {
      let rest = selection, trues = noBits(frame)
      for (const item of items) {
        if (isEmpty(frame, rest)) break
        const found = item.trues(frame, rest)
        trues = eitherOf(frame, trues, found)
        rest = without(frame, rest, found)
      }
      return trues
    },
  }
}

export function notNode(operand: TruthNode): TruthNode {
  return truthNode(operand.canFail, (frame, selection) => {
    const { trues, nulls } = operand.evaluate(frame, selection)
    return { trues: without(frame, without(frame, selection, trues), nulls), nulls }
  })
}

export function isNullNode(operand: VectorNode, negated: boolean): TruthNode {
  return truthNode(operand.canFail, (frame, selection) => {
    const { nulls } = operand.evaluate(frame, selection)
    if (negated) return { trues: without(frame, selection, nulls), nulls: 0 }
    return { trues: nulls === 0 ? noBits(frame) : bothOf(frame, nulls, selection), nulls: 0 }
  })
}

/** A truth that does not depend on rows; null when undefined. */
export function fixedTruth(value: boolean | undefined): TruthNode {
  return truthNode(false, (frame, selection) => ({ trues: value === true ? selection : noBits(frame), nulls: value === undefined ? selection : 0 }))
}
