/** Random changes of tables that hold rows: columns added with and without default, dropped, renamed; tables emptied. */
import type { Random } from '../../../src/runtime/random.ts'
import { differing, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import type { Features } from './features.ts'
import { chance, literal, pick, randomValue, typeNames } from './schema.ts'
import type { Column, Kind, Table } from './schema.ts'

export interface Alteration {
  readonly text: Text
  /** The table as it is afterwards. */
  readonly table: Table
}

const kinds: readonly Kind[] = ['int', 'double', 'text', 'bool']
const valueColumnsMin = 2

export function randomAlteration(random: Random, features: Features, table: Table): Alteration | undefined {
  const makers: (() => Alteration)[] = []
  if (features.has('addColumn')) makers.push(() => addColumn(random, features, table), () => addColumn(random, features, table))
  if (features.has('renameColumn')) makers.push(() => renameColumn(random, table))
  if (features.has('dropColumn') && table.columns.length - table.key.length > valueColumnsMin) makers.push(() => dropColumn(random, table), () => dropColumn(random, table))
  if (features.has('truncate') && chance(random, 20)) makers.push(() => ({ text: differing(`TRUNCATE TABLE ${table.name}`, `DELETE FROM ${table.name}`), table }))
  return makers.length === 0 ? undefined : pick(random, makers)()
}

/** Names are never used again, as are none of those that a table begins with. */
const freshName = (random: Random): string => `n${random.nextU32()}`

function addColumn(random: Random, features: Features, table: Table): Alteration {
  const hasDefault = features.has('addColumnDefault') && chance(random, 50)
  const column: Column = { name: freshName(random), kind: pick(random, kinds), wild: chance(random, 30), notNull: hasDefault && chance(random, 30) }
  const value = hasDefault ? sql`${column.notNull ? ' NOT NULL' : ''} DEFAULT ${literal(randomValue(random, column))}` : ''
  return { text: sql`ALTER TABLE ${table.name} ADD COLUMN ${column.name} ${typeNames[column.kind]}${value}`, table: { ...table, columns: [...table.columns, column] } }
}

function dropColumn(random: Random, table: Table): Alteration {
  const dropped = pick(random, table.columns.slice(table.key.length))
  return { text: sql`ALTER TABLE ${table.name} DROP COLUMN ${dropped.name}`, table: { ...table, columns: table.columns.filter((column) => column !== dropped) } }
}

function renameColumn(random: Random, table: Table): Alteration {
  const renamed = pick(random, table.columns)
  const name = freshName(random)
  return { text: sql`ALTER TABLE ${table.name} RENAME COLUMN ${renamed.name} TO ${name}`, table: { ...table, columns: table.columns.map((column) => (column === renamed ? { ...column, name } : column)) } }
}
