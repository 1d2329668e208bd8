/** date_trunc to units of a fixed length, as multiples of it. */
import type { Bound, BoundCall } from '../expression/bound.ts'
import type { Run } from '../expression/compile.ts'
import { integers } from './arithmetic.ts'
import { fixedValue } from './fixed-value.ts'
import { everyInteger, integer } from './lowered.ts'
import type { Lowered, Range } from './lowered.ts'

const micros: Readonly<Record<string, bigint>> = { microsecond: 1n, microseconds: 1n, millisecond: 1_000n, milliseconds: 1_000n, second: 1_000_000n, minute: 60_000_000n, hour: 3_600_000_000n, day: 86_400_000_000n, week: 604_800_000_000n }
const daysMax = 100_000_000n

/** Moments that src/sql/expression/value/calendar.ts knows. */
const moments: Range = { low: -daysMax * micros['day']!, high: (daysMax + 1n) * micros['day']! - 1n, message: 'timestamp out of range' }

/** The day of 1970 that a week begins with is 3 days before the first. */
const weekShift = 3n * micros['day']!

export function lowerDateTrunc(run: Run, { args }: BoundCall, lower: (part: Bound) => Lowered | undefined): Lowered | undefined {
  const [unit, time] = args as readonly [Bound, Bound]
  const given = fixedValue(run, unit)
  const name = typeof given === 'string' ? given.toLowerCase() : ''
  const length = micros[name]
  const moment = length === undefined ? undefined : lower(time)
  if (length === undefined || moment === undefined) return undefined
  const constant = (value: bigint): Lowered => ({ expression: integer(value), limit: value })
  const shift = constant(name === 'week' ? weekShift : 0n)
  const known = integers('add', moment, constant(0n), moments)
  const count = integers('floorQuotient', integers('add', known, shift, everyInteger), constant(length), everyInteger)
  // The beginning of the unit that the first moment is in may lie before that, but within 64 bits.
  return integers('subtract', integers('multiply', { ...count, limit: moments.high / length + 1n }, constant(length), everyInteger), shift, everyInteger)
}
