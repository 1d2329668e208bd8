/** Predicates from engine values to the physical constants that trees compare with. */
import { LsmtError } from '../../errors.ts'
import type { PhysicalValue, PredicateTerm } from '../../lsm/tree.ts'
import { notUnicode, isWellFormed } from '../check-value.ts'
import type { EnginePredicateTerm, EngineValue } from '../engine.ts'
import { physicalKind, typeName } from '../schema.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'

const i64Min = -(2n ** 63n)
const i64Max = 2n ** 63n - 1n

/** The terms for the trees, or 'none' when no row can satisfy all of them. */
export function physicalPredicate(table: TableSchema, terms: readonly EnginePredicateTerm[]): readonly PredicateTerm[] | 'none' {
  const physical: PredicateTerm[] = []
  for (const term of terms) {
    const converted = physicalTerm(table.columns[term.ordinal]!, term)
    if (converted === 'none') return 'none'
    physical.push(converted)
  }
  return physical
}

function physicalTerm(column: ColumnSchema, term: EnginePredicateTerm): PredicateTerm | 'none' {
  const { ordinal, comparison, value } = term
  if (comparison === 'isNull' || comparison === 'isNotNull') return { ordinal, comparison }
  if (value === null || value === undefined) return 'none'
  const constant = physicalValue(column, value)
  if (typeof constant === 'bigint' && (constant < i64Min || constant > i64Max)) return beyondI64(term, constant > i64Max)
  return { ordinal, comparison, value: constant }
}

/** A comparison with an integer that no column value can reach: true for all that are not null, or for none. */
function beyondI64({ ordinal, comparison }: EnginePredicateTerm, isAbove: boolean): PredicateTerm | 'none' {
  const alwaysTrue = comparison === 'ne' || (isAbove ? comparison === 'lt' || comparison === 'le' : comparison === 'gt' || comparison === 'ge')
  return alwaysTrue ? { ordinal, comparison: 'isNotNull' } : 'none'
}

/** One value in the physical kind of its column. 42804 when it is of another kind. */
export function physicalValue(column: ColumnSchema, value: EngineValue): PhysicalValue {
  switch (physicalKind(column.type)) {
    case 'i64':
      if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return BigInt(value)
      break
    case 'f64':
      if (typeof value === 'number') return value
      break
    case 'bytes':
      if (typeof value === 'string' && column.type.kind === 'text') return textConstant(column, value)
      if (value instanceof Uint8Array && column.type.kind === 'bytea') return value
      break
  }
  throw new LsmtError('42804', `column "${column.name}" of type ${typeName(column.type)} cannot be compared with a ${value instanceof Uint8Array ? 'BYTEA' : typeof value} value`)
}

function textConstant(column: ColumnSchema, text: string): Uint8Array {
  if (!isWellFormed(text)) throw notUnicode(`a comparison with column "${column.name}"`, text)
  return Buffer.from(text)
}

/** A physical value as an engine value of its column. */
export function engineValueOf(column: Pick<ColumnSchema, 'type'>, value: PhysicalValue): EngineValue {
  if (value instanceof Uint8Array) return column.type.kind === 'text' ? Buffer.from(value).toString('utf8') : Uint8Array.from(value)
  if (typeof value === 'number') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
