/** Random INSERT: of plain values, of computed ones, over rows that are there. */
import { joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import { aliased, randomCondition } from './expression.ts'
import type { Generator, Scope } from './expression.ts'
import { chance, insertRows, literal, pick, randomRow, randomValue } from './schema.ts'
import type { Column, Table, Value } from './schema.ts'
import { fieldsOf, returning, rowScope, setClauses, valueScope } from './write-values.ts'

const isKeyed = (table: Table): boolean => table.key.length > 0

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

export function insert(generator: Generator, table: Table): Text {
  const rows = newRows(generator, table)
  const text = insertSome(generator, table, chance(generator.random, 70) && isKeyed(table) ? distinctKeys(table, rows) : rows)
  return sql`${text}${returning(generator, table)}`
}

export function insertOrIgnore(generator: Generator, table: Table): Text {
  return sql`${insertSome(generator, table, distinctKeys(table, newRows(generator, table)))} ON CONFLICT DO NOTHING${returning(generator, table)}`
}

export function insertOrUpdate(generator: Generator, table: Table): Text {
  const keys = table.key.map((position) => table.columns[position]!.name).join(', ')
  const into = insertSome(generator, table, distinctKeys(table, newRows(generator, table)))
  return sql`${into} ON CONFLICT (${keys}) DO UPDATE SET ${conflictSets(generator, table)}${returning(generator, table)}`
}

function conflictSets(generator: Generator, table: Table): Text {
  const { random } = generator
  if (generator.features.has('conflictExpression') && chance(random, 60)) {
    const scope = rowScope(generator, table, fieldsOf(table, 'excluded'))
    const where = chance(random, 40) ? sql` WHERE ${randomCondition(valueScope(scope, table), 1)}` : sql``
    return sql`${setClauses(valueScope(scope, table), table)}${where}`
  }
  const columns = table.columns.slice(table.key.length)
  const sets = columns.filter(() => chance(random, 70)).map(({ name }) => `${name} = excluded.${name}`)
  return sql`${sets.length === 0 ? `${columns[0]!.name} = excluded.${columns[0]!.name}` : sets.join(', ')}`
}

/** Rows with expressions among their values, but for keys. */
function insertSome(generator: Generator, table: Table, rows: readonly (readonly Value[])[]): Text {
  const { random } = generator
  if (!generator.features.has('insertExpression') || chance(random, 50)) return insertRows(table, rows)
  const tuples = rows.map((row) => sql`(${joined(row.map((value, position) => (position < table.key.length || chance(random, 50) ? literal(value) : computed(generator, table, table.columns[position]!))), ', ')})`)
  return sql`INSERT INTO ${table.name} VALUES ${joined(tuples, ', ')}`
}

function computed(generator: Generator, table: Table, column: Column): Text {
  const { random } = generator
  const plain = (): Text => literal(randomValue(random, column))
  // 'Infinity' is a text unless something says otherwise.
  const value = (): Text => (column.kind === 'double' ? sql`CAST(${plain()} AS DOUBLE PRECISION)` : plain())
  const queried = chance(random, 50) ? queriedValue(generator, table, column) : undefined
  if (queried !== undefined) return queried
  if (column.kind === 'text' && chance(random, 40)) return sql`SUBSTR(${value()} || UPPER(${value()}), 1, 12)`
  if (column.kind === 'int' && !column.wild && chance(random, 40)) return sql`(${value()} + ${value()} * 3) % 1000`
  return pick(random, [() => sql`COALESCE(NULL, ${value()})`, () => sql`CASE WHEN 1 > 2 THEN ${value()} ELSE ${value()} END`, () => sql`NULLIF(${value()}, ${value()})`])()
}

/** A least or greatest value of another table, since SQLite may see rows of the statement in this one. */
function queriedValue(generator: Generator, table: Table, column: Column): Text | undefined {
  const { random, features } = generator
  const tables = generator.tables.filter((each) => each !== table)
  if (!features.has('writeQueries') || tables.length === 0 || column.kind === 'bool') return undefined
  const { text, fields } = aliased(generator, pick(random, tables))
  const fitting = fields.filter(({ kind, wild }) => kind === column.kind && wild === column.wild)
  if (fitting.length === 0) return undefined
  const scope: Scope = { generator: { ...generator, tables }, fields, queryDepth: 1, subqueries: true }
  return sql`(SELECT ${pick(random, ['MIN', 'MAX'])}(${pick(random, fitting).text}) FROM ${text} WHERE ${randomCondition(scope, 1)})`
}
