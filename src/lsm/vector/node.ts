/**
 * Expressions made ready for one scan: functions over the rows of a page. What they allocate is the arena's; bitmaps and
 * vectors are never written to again once they were given out, so that one may stand for another.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { bitsOperator } from '../../kernel/vector.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import { bitmapBytes } from '../read/read-context.ts'
import type { Arena } from '../state/arena.ts'

/** Rows as expressions read them: encoded where a chunk is over just these rows, otherwise decoded. */
export interface VectorRows {
  readonly rowCount: number
  vector(ordinal: number): Vector
  /** 0 where there is none. */
  chunk(ordinal: number): Pointer
}

export interface Frame {
  readonly kernel: Kernel
  readonly rows: VectorRows
  readonly arena: Arena
}

/** 8 bytes a row, or one constant (`step` 0). Rows that are not selected mean nothing, in `nulls` (0: none) as well. */
export interface Values {
  readonly values: Pointer
  readonly step: number
  readonly nulls: Pointer
}

/** `trues` holds selected rows only; `nulls` (0: none) means something for selected rows only. */
export interface Truth {
  readonly trues: Pointer
  readonly nulls: Pointer
}

/** All are given the rows to evaluate as a bitmap that is never 0. */
export interface ValueNode {
  readonly kind: PhysicalKind
  readonly canFail: boolean
  evaluate(frame: Frame, selection: Pointer): Values
}

export interface TruthNode {
  readonly kind: 'boolean'
  readonly canFail: boolean
  evaluate(frame: Frame, selection: Pointer): Truth
  /** The rows for which it is true, where nobody needs to tell false from null. */
  trues(frame: Frame, selection: Pointer): Pointer
}

export type VectorNode = ValueNode | TruthNode

/** An operation failed at a row. Rows before it may fail as well, at another operation. */
export class RowFailure extends Error {
  readonly row: number
  readonly reason: Error

  constructor(row: number, reason: Error) {
    super(reason.message)
    this.row = row
    this.reason = reason
  }
}

function combined({ kernel, rows, arena }: Frame, operator: keyof typeof bitsOperator, a: Pointer, b: Pointer): Pointer {
  const out = arena.allocate(bitmapBytes(rows.rowCount))
  kernel.exports.vectorBits(bitsOperator[operator], a, b, rows.rowCount, out)
  return out
}

export const bothOf = (frame: Frame, a: Pointer, b: Pointer): Pointer => combined(frame, 'and', a, b)

/** `bits` without those of `others`, which may be 0. */
export const without = (frame: Frame, bits: Pointer, others: Pointer): Pointer => (others === 0 ? bits : combined(frame, 'andNot', bits, others))

/** Either may be 0, which has no bits. */
export function eitherOf(frame: Frame, a: Pointer, b: Pointer): Pointer {
  if (a === 0 || b === 0) return a === 0 ? b : a
  return combined(frame, 'or', a, b)
}

export function noBits({ kernel, rows, arena }: Frame): Pointer {
  const byteLength = bitmapBytes(rows.rowCount), out = arena.allocate(byteLength)
  kernel.memory.u8.fill(0, out, out + byteLength)
  return out
}

export const isEmpty = ({ kernel, rows }: Frame, bits: Pointer): boolean => kernel.exports.scanSelectedCount(bits, rows.rowCount) === 0
