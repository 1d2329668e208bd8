/** LIMIT and OFFSET: their values, and rows cut to them. */
import { LsmtError } from '../../errors.ts'
import { slotKind } from '../slot.ts'
import type { SqlValue } from '../slot.ts'
import type { Operand } from '../operand.ts'
import { integerText } from '../value/assign.ts'
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

function rowCount({ kind, value }: SqlValue, clause: string): number | undefined {
  if (kind === slotKind.null) return undefined
  const count = kind === slotKind.integer ? (value as number) : kind === slotKind.text ? Number(integerText({ kind: 'bigint' }, value as string)) : Number.NaN
  if (count < 0) throw new LsmtError('22023', `${clause} must not be negative`)
  if (!Number.isSafeInteger(count)) throw new LsmtError('42804', `${clause} must be a whole number`)
  return count
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
