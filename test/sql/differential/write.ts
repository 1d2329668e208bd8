/** Random INSERT, UPDATE and DELETE; both databases change the same number of rows, or both refuse. */
import { joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import { randomCondition, randomExpression } from './expression.ts'
import type { Generator, Scope } from './expression.ts'
import type { Features } from './features.ts'
import { chance, insertRows, literal, pick, randomRow, randomValue } from './schema.ts'
import type { Column, Table, Value } from './schema.ts'

const isKeyed = (table: Table): boolean => table.key.length > 0

export function randomWrite(generator: Generator): Text {
  const { random, features } = generator
  const table = pick(random, generator.tables)
  const makers: ((table: Table) => Text)[] = [(into) => insert(generator, into)]
  if (isKeyed(table)) makers.push((of) => updateByKey(generator, of), (of) => sql`DELETE FROM ${of.name} WHERE ${keyEquals(generator, of)}`)
  if (features.has('updateWhere')) makers.push((of) => updateWhere(generator, of), (of) => updateWhere(generator, of))
  if (features.has('deleteWhere')) makers.push((of) => sql`DELETE FROM ${of.name} WHERE ${condition(generator, of)} AND ${condition(generator, of)}`)
  if (isKeyed(table) && features.has('conflictNothing')) makers.push((into) => sql`${insertRows(into, distinctKeys(into, newRows(generator, into)))} ON CONFLICT DO NOTHING`)
  if (isKeyed(table) && features.has('conflictUpdate')) makers.push((into) => insertOrUpdate(generator, into))
  return pick(random, makers)(table)
}

/** Rows of which some have the key of a row that is there, or was. */
function newRows(generator: Generator, table: Table): readonly (readonly Value[])[] {
  const { random } = generator
  const keyLength = table.key.length
  return Array.from({ length: 1 + random.below(4) }, () => {
    const row = randomRow(random, table.columns, keyLength)
    const other = table.rows.length > 0 && chance(random, 30) ? pick(random, table.rows) : row
    return row.map((value, position) => (position < keyLength ? other[position]! : value))
  })
}

function distinctKeys(table: Table, rows: readonly (readonly Value[])[]): readonly (readonly Value[])[] {
  const keyed = new Map(rows.map((row) => [row.slice(0, table.key.length).join('\u0000'), row]))
  return [...keyed.values()]
}

function insert(generator: Generator, table: Table): Text {
  const rows = newRows(generator, table)
  return insertRows(table, chance(generator.random, 70) && isKeyed(table) ? distinctKeys(table, rows) : rows)
}

function insertOrUpdate(generator: Generator, table: Table): Text {
  const { random } = generator
  const columns = table.columns.slice(table.key.length)
  const sets = columns.filter(() => chance(random, 70)).map(({ name }) => `${name} = excluded.${name}`)
  const changes = sets.length === 0 ? [`${columns[0]!.name} = excluded.${columns[0]!.name}`] : sets
  const keys = table.key.map((position) => table.columns[position]!.name).join(', ')
  return sql`${insertRows(table, distinctKeys(table, newRows(generator, table)))} ON CONFLICT (${keys}) DO UPDATE SET ${changes.join(', ')}`
}

/** The key of a row that is there, or was; or of none. */
function keyEquals(generator: Generator, table: Table): Text {
  const { random } = generator
  const row = table.rows.length > 0 && chance(random, 85) ? pick(random, table.rows) : randomRow(random, table.columns, table.key.length)
  return joined(table.key.map((position) => sql`${table.columns[position]!.name} = ${literal(row[position]!)}`), ' AND ')
}

function updateByKey(generator: Generator, table: Table): Text {
  const columns = changedColumns(generator, table)
  return sql`UPDATE ${table.name} SET ${joined(columns.map((column) => sql`${column.name} = ${newValue(generator, column)}`), ', ')} WHERE ${keyEquals(generator, table)}`
}

function updateWhere(generator: Generator, table: Table): Text {
  const { random, features } = generator
  const sets = changedColumns(generator, table).map((column) => {
    const computed = features.has('updateExpression') && !column.wild && chance(random, 50)
    return sql`${column.name} = ${computed ? computedValue(generator, table, column) : newValue(generator, column)}`
  })
  const where = chance(random, 90) ? sql` WHERE ${condition(generator, table)}` : sql``
  return sql`UPDATE ${table.name} SET ${joined(sets, ', ')}${where}`
}

function changedColumns({ random }: Generator, table: Table): readonly Column[] {
  const columns = table.columns.slice(table.key.length)
  const chosen = columns.filter(() => chance(random, 50))
  return chosen.length === 0 ? [pick(random, columns)] : chosen
}

const newValue = ({ random }: Generator, column: Column): Text => literal(chance(random, 12) ? null : randomValue(random, column))

/** Kept as tame as the column is, however often it is applied. */
function computedValue(generator: Generator, table: Table, column: Column): Text {
  const scope = scopeOf(generator, table)
  const { text } = randomExpression(scope, column.kind, 1, false)
  if (column.kind === 'int' && generator.features.has('division')) return sql`(${text}) % 1000`
  return column.kind === 'bool' ? text : newValue(generator, column)
}

const condition = (generator: Generator, table: Table): Text => randomCondition(scopeOf(generator, table), 1)

/** What WHERE of UPDATE and DELETE took before it took every expression. */
const plainConditions: Features = new Set(['between'])

function scopeOf(generator: Generator, table: Table): Scope {
  const features = generator.features.has('writeConditions') ? generator.features : plainConditions
  return { generator: { ...generator, features }, fields: table.columns.map(({ name, kind, wild }) => ({ text: sql`${name}`, kind, wild })), queryDepth: 0, subqueries: false }
}
