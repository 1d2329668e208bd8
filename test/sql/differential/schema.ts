/**
 * Random tables and rows. A column is tame (small numbers, of which sums and products are exact in both databases) or
 * wild (the ends of the types), so that arithmetic cannot overflow and comparisons still meet every value.
 */
import type { Random } from '../../../src/runtime/random.ts'
import { differing, joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'

export type Kind = 'int' | 'double' | 'text' | 'bool'
export type Value = null | bigint | number | string | boolean

export interface Column {
  readonly name: string
  readonly kind: Kind
  readonly wild: boolean
  readonly notNull: boolean
}

export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** Positions of the primary key's columns; none when the table has no key. */
  readonly key: readonly number[]
  readonly rows: readonly (readonly Value[])[]
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)]!
}

export const chance = (random: Random, percent: number): boolean => random.below(100) < percent

export const typeNames: Readonly<Record<Kind, string>> = { int: 'BIGINT', double: 'DOUBLE PRECISION', text: 'TEXT', bool: 'BOOLEAN' }
const kinds: readonly Kind[] = ['int', 'int', 'double', 'text', 'text', 'bool']

const bigintMax = 2n ** 63n - 1n
const wildInts: readonly bigint[] = [bigintMax, -bigintMax - 1n, bigintMax - 1n, -bigintMax, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n - 1n, -(2n ** 53n) - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 255n, 256n, -1n, 0n, 1n]
const wildDoubles: readonly number[] = [1e308, -1e308, 5e-324, 1e-300, -1e-300, 0.1, -0.1, 0, 1, 1e15, 123456789.125, -2.5, Infinity, -Infinity, 9007199254740992]
const texts: readonly string[] = ['', ' ', 'a', 'A', 'ab', 'abc', 'abcd', 'Ab', 'aB', 'b', 'zebra', "it's", '50%', '_', 'a_c', 'é', 'É', 'ß', 'Ärger', '日本', '日本語', '😀', 'a😀b', '10', '9', '-1', 'NULL', 'x y', 'customer/0001/', 'customer/0001/orders', 'customer/0001/orders/17', 'customer/0002/']

export function randomValue(random: Random, column: Pick<Column, 'kind' | 'wild'>): Exclude<Value, null> {
  switch (column.kind) {
    case 'int':
      if (column.wild) return pick(random, wildInts)
      return BigInt(chance(random, 80) ? random.below(21) - 10 : random.below(2001) - 1000)
    case 'double':
      return column.wild ? pick(random, wildDoubles) : (random.below(161) - 80) / 8
    case 'text':
      return chance(random, 85) ? pick(random, texts) : `customer/${String(random.below(40)).padStart(4, '0')}/${pick(random, texts)}`
    case 'bool':
      return chance(random, 50)
  }
}

/** Key columns take more values, or tables would stay small. */
function randomKeyValue(random: Random, column: Column): Exclude<Value, null> {
  if (column.kind === 'int' && chance(random, 70)) return BigInt(random.below(1000) - 500)
  if (column.kind === 'text' && chance(random, 70)) return `${pick(random, texts)}${random.below(100)}`
  return randomValue(random, column)
}

export function randomTable(random: Random, name: string, rowCountMax: number): Table {
  const columns: Column[] = []
  const keyLength = pick(random, [0, 1, 1, 1, 2, 3])
  for (let i = 0; i < keyLength; i++) columns.push({ name: `k${i}`, kind: pick(random, i === 0 ? ['int', 'text'] : ['int', 'text', 'text', 'bool', 'double']), wild: chance(random, 30), notNull: true })
  const valueCount = 2 + random.below(4)
  for (let i = 0; i < valueCount; i++) {
    const kind = pick(random, kinds)
    columns.push({ name: `${kind[0]!}${i}`, kind, wild: chance(random, 25), notNull: chance(random, 20) })
  }
  const key = columns.slice(0, keyLength).map((_, position) => position)
  return { name, columns, key: chance(random, 30) ? key.toReversed() : key, rows: randomRows(random, columns, keyLength, rowCountMax) }
}

function randomRows(random: Random, columns: readonly Column[], keyLength: number, rowCountMax: number): Value[][] {
  const rows: Value[][] = []
  const keys = new Set<string>()
  for (let left = rowCountMax; left > 0; left--) {
    const row = randomRow(random, columns, keyLength)
    const key = row.slice(0, keyLength).join('\u0000')
    if (keyLength > 0 && keys.has(key)) continue
    keys.add(key)
    rows.push(row)
  }
  return rows
}

export function randomRow(random: Random, columns: readonly Column[], keyLength: number): Value[] {
  return columns.map((column, position) => {
    if (position < keyLength) return randomKeyValue(random, column)
    return !column.notNull && chance(random, 18) ? null : randomValue(random, column)
  })
}

/** A value as SQL text. */
export function literal(value: Value): Text {
  if (value === null) return sql`NULL`
  if (typeof value === 'boolean') return sql`${value ? 'TRUE' : 'FALSE'}`
  if (typeof value === 'string') return sql`'${value.replaceAll("'", "''")}'`
  if (value === Infinity) return differing("'Infinity'", '9e999')
  if (value === -Infinity) return differing("'-Infinity'", '-9e999')
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e15 ? sql`${value}.0` : sql`${String(value)}`
}

export function createTable(table: Table): Text {
  const columns = table.columns.map(({ name, kind, notNull }) => `${name} ${typeNames[kind]}${notNull ? ' NOT NULL' : ''}`)
  const key = table.key.length === 0 ? [] : [`PRIMARY KEY (${table.key.map((position) => table.columns[position]!.name).join(', ')})`]
  return sql`CREATE TABLE ${table.name} (${[...columns, ...key].join(', ')})`
}

export function insertRows(table: Table, rows: readonly (readonly Value[])[]): Text {
  return sql`INSERT INTO ${table.name} VALUES ${joined(rows.map((row) => sql`(${joined(row.map(literal), ', ')})`), ', ')}`
}
