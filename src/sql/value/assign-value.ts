/** Values that queries compute on their way into a column, by the rules of assign.ts: numbers meet numbers, dates meet timestamps, nothing else is cast. */
import { LsmtError } from '../../errors.ts'
import { formatDecimal } from '../../engine/decimal.ts'
import type { EngineValue } from '../../engine/engine.ts'
import { typeName } from '../../engine/schema.ts'
import type { ColumnSchema, ColumnType } from '../../engine/schema.ts'
import { slotKind } from '../slot.ts'
import { assignTo, roundedToEven, storedInteger } from './assign.ts'

export type AssignValue = (value: EngineValue) => EngineValue

const numbers: ReadonlySet<ColumnType['kind']> = new Set(['smallint', 'integer', 'bigint', 'numeric', 'double'])
const integers: ReadonlySet<ColumnType['kind']> = new Set(['smallint', 'integer', 'bigint'])
const microsPerDay = 86_400_000_000n

/** How values of type `from` are assigned; undefined where there is no silent cast. Ranges and lengths are the engine's checks. */
export function assignValueTo(column: ColumnSchema, from: ColumnType): AssignValue | undefined {
  const { type } = column
  if (numbers.has(from.kind) && numbers.has(type.kind)) return typeName(from) === typeName(type) ? identity : numberTo(column, from)
  if (from.kind === type.kind) return identity
  if (from.kind === 'date' && type.kind === 'timestamp') return (value) => (value === null ? null : shortest(BigInt(value as number | bigint) * microsPerDay))
  if (from.kind === 'timestamp' && type.kind === 'date') return (value) => (value === null ? null : shortest(floorDays(BigInt(value as number | bigint))))
  return undefined
}

function identity(value: EngineValue): EngineValue {
  return value
}

function numberTo(column: ColumnSchema, from: ColumnType): AssignValue {
  const assign = assignTo(column)
  const { type } = column
  if (from.kind === 'double' && integers.has(type.kind)) return (value) => (value === null ? null : doubleToInteger(type, value as number))
  if (from.kind === 'double') return (value) => (value === null ? null : assign(slotKind.double, value))
  const scale = from.kind === 'numeric' ? from.scale : 0
  return (value) => (value === null ? null : assign(slotKind.digits, formatDecimal(BigInt(value as number | bigint), scale)))
}

/** As an explicit cast rounds. */
function doubleToInteger(type: ColumnType, value: number): EngineValue {
  const rounded = roundedToEven(value)
  if (rounded === undefined || Math.abs(value) > 2 ** 63) throw new LsmtError('22003', `${value} is out of range for type ${typeName(type)}`)
  return storedInteger(type, BigInt(rounded))
}

function floorDays(micros: bigint): bigint {
  const rest = ((micros % microsPerDay) + microsPerDay) % microsPerDay
  return (micros - rest) / microsPerDay
}

function shortest(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
