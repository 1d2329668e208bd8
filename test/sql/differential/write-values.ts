/** Values that random writes compute, kept as tame as their columns are, however often they are applied. */
import { joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import { randomExpression } from './expression.ts'
import type { Field, Generator, Scope } from './expression.ts'
import type { Features } from './features.ts'
import { chance, literal, pick, randomValue } from './schema.ts'
import type { Column, Table } from './schema.ts'

/** What WHERE of UPDATE and DELETE took before it took every expression. */
const plainConditions: Features = new Set(['between'])

/** The table's columns, qualified: a subquery's columns may have the same names. */
export function rowScope(generator: Generator, table: Table, more: readonly Field[] = []): Scope {
  const features = generator.features.has('writeConditions') ? generator.features : plainConditions
  return { generator: { ...generator, features }, fields: [...fieldsOf(table, table.name), ...more], queryDepth: 0, subqueries: generator.features.has('writeQueries') }
}

export function fieldsOf(table: Table, alias: string): readonly Field[] {
  return table.columns.map(({ name, kind, wild }) => ({ text: sql`${alias}.${name}`, kind, wild }))
}

/**
 * The same without subqueries over the table itself: SQLite computes the values of a row when rows before it are changed
 * already.
 */
export function valueScope(scope: Scope, table: Table): Scope {
  const tables = scope.generator.tables.filter((each) => each !== table)
  return { ...scope, generator: { ...scope.generator, tables }, subqueries: scope.subqueries && tables.length > 0 }
}

export const newValue = ({ random }: Generator, column: Column): Text => literal(chance(random, 12) ? null : randomValue(random, column))

export function computedValue(scope: Scope, column: Column): Text {
  const compute = (kind: Column['kind'], wild: boolean): Text => randomExpression(scope, kind, 1, wild).text
  if (column.wild) return compute(column.kind, true)
  switch (column.kind) {
    case 'int':
      return sql`(${compute('int', false)}) % 1000`
    case 'double':
      return sql`CAST((${compute('int', false)}) % 100 AS DOUBLE PRECISION) / 8.0`
    case 'text':
      return sql`SUBSTR(${compute('text', true)}, 1, 12)`
    case 'bool':
      return compute('bool', false)
  }
}

export function changedColumns({ random }: Generator, table: Table): readonly Column[] {
  const columns = table.columns.slice(table.key.length)
  const chosen = columns.filter(() => chance(random, 50))
  return chosen.length === 0 ? [pick(random, columns)] : chosen
}

/** SET of some columns: plain values and, where the features have them, computed ones. */
export function setClauses(scope: Scope, table: Table): Text {
  const { generator } = scope
  const computes = generator.features.has('updateExpression') && generator.features.has('division')
  return joined(changedColumns(generator, table).map((column) => sql`${column.name} = ${computes && chance(generator.random, 60) ? computedValue(scope, column) : newValue(generator, column)}`), ', ')
}

/** Now and then a RETURNING of expressions; `''` without one. */
export function returning(generator: Generator, table: Table): Text {
  const { random, features } = generator
  if (!features.has('returning') || chance(random, 55)) return sql``
  if (chance(random, 25)) return sql` RETURNING *`
  const scope: Scope = { ...rowScope(generator, table), subqueries: false }
  const kinds = ['int', 'double', 'text', 'bool'] as const
  return sql` RETURNING ${joined(Array.from({ length: 1 + random.below(3) }, () => randomExpression(scope, pick(random, kinds), 2, true).text), ', ')}`
}
