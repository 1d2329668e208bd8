/** Random SQL expressions of known types over the columns of one table, biased to what scans can evaluate. */
import type { Random } from '../../../src/runtime/random.ts'

export type SqlType = 'smallint' | 'integer' | 'bigint' | 'numeric' | 'double' | 'text' | 'boolean' | 'timestamp' | 'date'

export const columnTypes: readonly (readonly [string, SqlType, string])[] = [
  ['s', 'smallint', 'SMALLINT'], ['i', 'integer', 'INTEGER'], ['b', 'bigint', 'BIGINT'], ['b2', 'bigint', 'BIGINT'], ['n', 'numeric', 'NUMERIC(9,2)'], ['n4', 'numeric', 'NUMERIC(18,4)'],
  ['d', 'double', 'DOUBLE PRECISION'], ['d2', 'double', 'DOUBLE PRECISION'], ['r', 'double', 'REAL'], ['t', 'text', 'TEXT'], ['region', 'text', 'TEXT'], ['f', 'boolean', 'BOOLEAN'], ['ts', 'timestamp', 'TIMESTAMP'], ['day', 'date', 'DATE'],
]

const literals: Readonly<Record<SqlType, readonly string[]>> = {
  smallint: ['0', '1', '-7', '300'],
  integer: ['0', '1', '2', '-3', '100', '2147483647'],
  bigint: ['3', '10', '-1', '3600', '9223372036854775807', '4294967296'],
  numeric: ['0.5', '2.25', '-1.05', '10.00', '0.001', '99999999.99'],
  double: ['1.5e0', '-2e0', '0e0', '1.25::real', '1e308', "'NaN'::double precision", "'-Infinity'::double precision"],
  text: ["'a'", "''", "'region 3'", "'straße'", "'日本'", "'Zz🙂'", "'a%b'"],
  boolean: ['TRUE', 'FALSE', 'NULL::boolean'],
  timestamp: ["TIMESTAMP '2024-02-29 12:30:45.5'", "TIMESTAMP '1969-12-31 23:59:59'"],
  date: ["DATE '2024-02-29'", "DATE '1970-01-01'"],
}
const patterns = ["'%'", "'a%'", "'%3'", "'%e%i%'", "'_egion _'", "'%ß%'", "'%日%'", "'%\\%%'", "'STRA%'", "''", "'%🙂'"]
const units = ['second', 'minute', 'hour', 'day', 'week', 'Week', 'month', 'millisecond']

export function randomSql(random: Random, type: SqlType, depth = 3): string {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const of = (inner: SqlType): string => randomSql(random, inner, depth - 1)
  const columns = columnTypes.flatMap(([name, each]) => (each === type ? [name] : []))
  if (depth <= 0 || random.below(5) === 0) return random.below(10) === 0 ? `NULL::${nameOf(type)}` : random.below(3) === 0 ? pick(literals[type]) : pick(columns)
  if (type === 'boolean') return randomCondition(random, depth)
  switch (random.below(7)) {
    case 0:
      return `CASE WHEN ${of('boolean')} THEN ${of(type)}${random.below(2) === 0 ? ` WHEN ${of('boolean')} THEN ${of(type)}` : ''}${random.below(3) === 0 ? '' : ` ELSE ${of(type)}`} END`
    case 1:
      return `COALESCE(${of(type)}, ${of(type)})`
    case 2:
      return `NULLIF(${of(type)}, ${of(type)})`
  }
  switch (type) {
    case 'text':
      return pick(columns)
    case 'timestamp':
      return `date_trunc('${pick(units)}', ${of('timestamp')})`
    case 'date':
      return random.below(2) === 0 ? `CAST(${of('timestamp')} AS DATE)` : `(${of('date')} + ${of('smallint')})`
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'numeric':
    case 'double':
      return randomNumber(random, type, depth)
  }
}

const nameOf = (type: SqlType): string => (type === 'double' ? 'DOUBLE PRECISION' : type === 'numeric' ? 'NUMERIC(12,3)' : type)

function randomNumber(random: Random, type: Exclude<SqlType, 'boolean' | 'text' | 'timestamp' | 'date'>, depth: number): string {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const of = (inner: SqlType): string => randomSql(random, inner, depth - 1)
  switch (random.below(6)) {
    case 0:
      return `CAST(${of(pick(['smallint', 'integer', 'bigint', 'numeric', 'double'] as const))} AS ${nameOf(type)})`
    case 1:
      return `(- ${of(type)})`
    case 2:
      return random.below(2) === 0 && type !== 'double' && type !== 'smallint' ? `CAST(${of('boolean')} AS INTEGER)` : random.below(2) === 0 ? `abs(${of(type)})` : `${pick(['floor', 'ceil', 'round', 'trunc'])}(${of(type)})`
    default:
      return `(${of(type)} ${pick(['+', '-', '*', '/', '%'])} ${of(type)})`
  }
}

function randomCondition(random: Random, depth: number): string {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const of = (inner: SqlType): string => randomSql(random, inner, depth - 1)
  const type = pick(['smallint', 'integer', 'bigint', 'numeric', 'double', 'text', 'text', 'timestamp', 'date'] as const)
  switch (random.below(12)) {
    case 0:
    case 1:
      return `(${of('boolean')} AND ${of('boolean')})`
    case 2:
    case 3:
      return `(${of('boolean')} OR ${of('boolean')})`
    case 4:
      return `(NOT ${of('boolean')})`
    case 5:
      return `(${of(pick([type, 'boolean'] as const))} IS ${pick(['', 'NOT '])}NULL)`
    case 6:
      return `(${of('boolean')} IS ${pick(['', 'NOT '])}${pick(['TRUE', 'FALSE'])})`
    case 7:
      return `(${of(type)} ${pick(['', 'NOT '])}IN (${Array.from({ length: 1 + random.below(6) }, () => (random.below(5) === 0 ? of(type) : pick(literals[type]))).join(', ')}))`
    case 8:
      return `(${of('text')} ${pick(['', 'NOT '])}${pick(['LIKE', 'LIKE', 'ILIKE'])} ${pick(patterns)})`
    case 9:
      return `(${of(type)} ${pick(['', 'NOT '])}BETWEEN ${of(type)} AND ${of(type)})`
    case 10:
      return `(${of(type)} IS ${pick(['', 'NOT '])}DISTINCT FROM ${of(type)})`
    default: {
      const other = pick(['smallint', 'integer', 'bigint', 'numeric', 'double'] as const)
      const isNumber = type !== 'text' && type !== 'timestamp' && type !== 'date'
      return `(${of(type)} ${pick(['=', '<>', '<', '<=', '>', '>='])} ${of(isNumber && random.below(2) === 0 ? other : type)})`
    }
  }
}
