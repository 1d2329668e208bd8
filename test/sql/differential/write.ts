/** Random INSERT, UPDATE and DELETE; both databases change the same number of rows and return the same, or both refuse. */
import { differing, joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import { aliased, randomCondition } from './expression.ts'
import type { Field, Generator } from './expression.ts'
import { chance, literal, pick, randomRow } from './schema.ts'
import type { Table } from './schema.ts'
import { insert, insertOrIgnore, insertOrUpdate } from './write-insert.ts'
import { changedColumns, newValue, returning, rowScope, setClauses, valueScope } from './write-values.ts'

const isKeyed = (table: Table): boolean => table.key.length > 0

export function randomWrite(generator: Generator): Text {
  const { random, features } = generator
  const table = pick(random, generator.tables)
  const makers: ((table: Table) => Text)[] = [(into) => insert(generator, into)]
  if (isKeyed(table)) makers.push((of) => updateByKey(generator, of), (of) => sql`DELETE FROM ${of.name} WHERE ${keyEquals(generator, of)}${returning(generator, of)}`)
  if (features.has('updateWhere')) makers.push((of) => updateWhere(generator, of), (of) => updateWhere(generator, of))
  if (features.has('deleteWhere')) makers.push((of) => deleteWhere(generator, of))
  if (features.has('updateFrom')) makers.push((of) => updateFrom(generator, of) ?? updateWhere(generator, of), (of) => deleteUsing(generator, of))
  if (isKeyed(table) && features.has('conflictNothing')) makers.push((into) => insertOrIgnore(generator, into))
  if (isKeyed(table) && features.has('conflictUpdate')) makers.push((into) => insertOrUpdate(generator, into))
  return pick(random, makers)(table)
}

/** The key of a row that is there, or was; or of none. */
function keyEquals(generator: Generator, table: Table): Text {
  const { random } = generator
  const row = table.rows.length > 0 && chance(random, 85) ? pick(random, table.rows) : randomRow(random, table.columns, table.key.length)
  const key = joined(table.key.map((position) => sql`${table.columns[position]!.name} = ${literal(row[position]!)}`), ' AND ')
  return chance(random, 75) ? key : sql`${key} AND ${condition(generator, table)}`
}

function updateByKey(generator: Generator, table: Table): Text {
  const columns = changedColumns(generator, table)
  const sets = chance(generator.random, 50) ? joined(columns.map((column) => sql`${column.name} = ${newValue(generator, column)}`), ', ') : setClauses(valueScope(rowScope(generator, table), table), table)
  return sql`UPDATE ${table.name} SET ${sets} WHERE ${keyEquals(generator, table)}${returning(generator, table)}`
}

function updateWhere(generator: Generator, table: Table): Text {
  const where = chance(generator.random, 90) ? sql` WHERE ${condition(generator, table)}` : sql``
  return sql`UPDATE ${table.name} SET ${setClauses(valueScope(rowScope(generator, table), table), table)}${where}${returning(generator, table)}`
}

function deleteWhere(generator: Generator, table: Table): Text {
  return sql`DELETE FROM ${table.name} WHERE ${condition(generator, table)} AND ${condition(generator, table)}${returning(generator, table)}`
}

const condition = (generator: Generator, table: Table): Text => randomCondition(rowScope(generator, table), 1)

/** From a table whose whole key each row names, so that it has one partner at most. */
function updateFrom(generator: Generator, table: Table): Text | undefined {
  const { random } = generator
  const pairs = generator.tables.filter((each) => each !== table && each.key.length === 1).flatMap((other) => {
    const key = other.columns[other.key[0]!]!
    return table.columns.filter(({ kind }) => kind === key.kind && kind !== 'double').map((column) => ({ other, key, column }))
  })
  if (pairs.length === 0) return undefined
  const { other, key, column } = pick(random, pairs)
  const { text, fields } = aliased(generator, other)
  const scope = rowScope(generator, table, fields)
  const more = chance(random, 50) ? sql` AND ${randomCondition(scope, 1)}` : sql``
  const sets = setClauses(valueScope(scope, table), table)
  return sql`UPDATE ${table.name} SET ${sets} FROM ${text} WHERE ${fieldOf(fields, other, key.name)} = ${table.name}.${column.name}${more}`
}

function fieldOf(fields: readonly Field[], table: Table, name: string): Text {
  return fields[table.columns.findIndex((column) => column.name === name)]!.text
}

/** SQLite has no USING. */
function deleteUsing(generator: Generator, table: Table): Text {
  const { text, fields } = aliased(generator, pick(generator.random, generator.tables))
  const scope = rowScope(generator, table, fields)
  const where = sql`${randomCondition(scope, 1)} AND ${randomCondition(scope, 1)}`
  return sql`DELETE FROM ${table.name} ${differing(`USING ${text.lsmt} WHERE ${where.lsmt}`, `WHERE EXISTS (SELECT 1 FROM ${text.sqlite} WHERE ${where.sqlite})`)}`
}
