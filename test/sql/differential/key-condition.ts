/** Conditions by which rows are found without looking at all: lists of keys, ORs of whole keys, texts that begin alike. */
import { joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import type { Owner, Scope } from './expression.ts'
import { chance, literal, pick, randomValue } from './schema.ts'
import type { Kind, Value } from './schema.ts'

/** Over one of the tables whose columns can be named; undefined when there is none with a key. */
export function keyCondition(scope: Scope): Text | undefined {
  const { random } = scope.generator
  const owners = [...new Set(scope.fields.flatMap(({ owner }) => owner ?? []))].filter(({ table }) => table.key.length > 0 && table.rows.length > 0)
  if (owners.length === 0) return undefined
  const owner = pick(random, owners)
  switch (random.below(4)) {
    case 0:
      return keyList(scope, owner)
    case 1:
      return sql`${keyList(scope, owner)} AND ${keyList(scope, owner)}`
    case 2:
      return wholeKeys(scope, owner)
    default:
      return textPrefix(scope, owner) ?? wholeKeys(scope, owner)
  }
}

const columnText = ({ alias, table }: Owner, position: number): Text => sql`${alias}.${table.columns[position]!.name}`

const types: Readonly<Record<Kind, string>> = { int: 'bigint', double: 'number', text: 'string', bool: 'boolean' }

/** A value of the column as the table was created; ALTER TABLE may have put others there since. */
function givenValue({ generator: { random } }: Scope, { table }: Owner, position: number, row = pick(random, table.rows)): Value {
  const value = row[position]
  const column = table.columns[position]!
  return value === null || (value !== undefined && typeof value === types[column.kind]) ? value : randomValue(random, column)
}

/** Values that are there, and some that are not. */
function someValue(scope: Scope, owner: Owner, position: number): Value {
  const { random } = scope.generator
  return chance(random, 70) ? givenValue(scope, owner, position) : chance(random, 15) ? null : randomValue(random, owner.table.columns[position]!)
}

function keyList(scope: Scope, owner: Owner): Text {
  const { random } = scope.generator
  const position = chance(random, 80) ? pick(random, owner.table.key) : random.below(owner.table.columns.length)
  const items = Array.from({ length: 1 + random.below(12) }, () => literal(someValue(scope, owner, position)))
  const column = columnText(owner, position)
  if (chance(random, 70)) return sql`${column} IN (${joined(items, ', ')})`
  return sql`(${joined(items.map((item) => sql`${column} = ${item}`), ' OR ')})`
}

/** Each branch names all columns of a key, or but for one of them. */
function wholeKeys(scope: Scope, owner: Owner): Text {
  const { random } = scope.generator
  const { table } = owner
  const left = table.key.length > 1 && chance(random, 30) ? pick(random, table.key) : -1
  const branches = Array.from({ length: 2 + random.below(4) }, () => {
    const row = pick(random, table.rows)
    const parts = table.key.filter((position) => position !== left).map((position) => sql`${columnText(owner, position)} = ${literal(chance(random, 85) ? givenValue(scope, owner, position, row) : someValue(scope, owner, position))}`)
    return sql`(${joined(parts, ' AND ')})`
  })
  return sql`(${joined(branches, ' OR ')})`
}

function textPrefix(scope: Scope, owner: Owner): Text | undefined {
  const { random } = scope.generator
  const positions = owner.table.columns.flatMap(({ kind }, position) => (kind === 'text' ? [position] : []))
  if (positions.length === 0) return undefined
  const position = pick(random, positions)
  const characters = Array.from(String(givenValue(scope, owner, position) ?? 'a'))
  return sql`${columnText(owner, position)} LIKE ${literal(`${characters.slice(0, random.below(characters.length + 1)).join('')}${chance(random, 85) ? '%' : ''}`)}`
}
