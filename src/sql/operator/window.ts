/** LIMIT and OFFSET: their values, and rows cut to them. */
import { LsmtError } from '../../errors.ts'
import { floorDecimal } from '../../engine/decimal.ts'
import { slotKind } from '../slot.ts'
import type { SlotValue, SqlValue } from '../slot.ts'
import type { Operand } from '../operand.ts'
import { decimalOf, integerText, storedInteger } from '../value/assign.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import type { Window } from './node.ts'
import { pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'

export interface RowWindow {
  readonly offset: number
  /** Rows after the offset; undefined: all. */
  readonly limit: number | undefined
}

export function rowWindow({ limit, offset }: Window, values: Values): RowWindow {
  return { offset: countOperand(values, offset, 'OFFSET') ?? 0, limit: countOperand(values, limit, 'LIMIT') }
}

function countOperand(values: Values, operand: Operand | undefined, clause: string): number | undefined {
  if (operand === undefined) return undefined
  return atOperand(values, operand, (value) => rowCount(value, clause))
}

const bigint = { kind: 'bigint' } as const

/** Counts beyond what a number holds exactly, such as the greatest BIGINT that some clients send for "all", are as good as that: no table has so many rows. */
function rowCount({ kind, value }: SqlValue, clause: string): number | undefined {
  if (kind === slotKind.null) return undefined
  const count = Number(storedInteger(bigint, wholeNumber(kind, value, clause)))
  if (count < 0) throw new LsmtError('22023', `${clause} must not be negative`)
  return Math.min(count, Number.MAX_SAFE_INTEGER)
}

function wholeNumber(kind: number, value: SlotValue, clause: string): bigint {
  if (kind === slotKind.text) return integerText(bigint, value as string)
  const decimal = decimalOf(bigint, kind, value)
  const whole = decimal && floorDecimal(decimal, 0)
  if (whole?.exact !== true) throw new LsmtError('42804', `${clause} must be a whole number`)
  return whole.floor
}

export function limited(window: RowWindow, input: Stream, run: QueryRun): Stream {
  return () => windowRows(window, input, run)
}

async function* windowRows({ offset, limit }: RowWindow, input: Stream, run: QueryRun): AsyncGenerator<Batch> {
  let skip = offset
  let left = limit ?? Number.POSITIVE_INFINITY
  if (left === 0) return
  for await (const batch of input()) {
    await pace(run, batch.length)
    const rows = skip === 0 && batch.length <= left ? batch : batch.slice(skip, skip + left)
    skip -= Math.min(skip, batch.length)
    left -= rows.length
    if (rows.length > 0) yield rows
    if (left === 0) return
  }
}
