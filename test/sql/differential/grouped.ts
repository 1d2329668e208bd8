/** The engine's grouped aggregates, asked directly, so that every grouping of columns is met whatever the plans of SQL use. */
import type { Engine, EngineGroupedAggregate, EnginePredicateTerm, EngineValue } from '../../../src/engine/engine.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { groupAll } from '../../engine/engine-fixtures.ts'
import { joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import type { ReferenceValue } from './reference.ts'
import { chance, literal, pick, randomValue } from './schema.ts'
import type { Column, Kind, Table, Value } from './schema.ts'

const comparisons = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

interface Aggregate {
  readonly text: Text
  readonly function: 'count' | 'sum' | 'min' | 'max'
  readonly position: number | undefined
  readonly distinct: boolean
  readonly kind: Kind
}

export interface GroupedRead {
  readonly text: Text
  /** The groups as SQLite holds them. */
  run(engine: Engine): Promise<readonly (readonly ReferenceValue[])[]>
}

export function randomGroupedRead(random: Random, table: Table): GroupedRead {
  const { columns } = table
  const groupBy = Array.from({ length: random.below(4) }, () => random.below(columns.length)).filter((position, i, all) => all.indexOf(position) === i)
  const aggregates = Array.from({ length: (groupBy.length === 0 ? 1 : 0) + random.below(4) }, () => randomAggregate(random, columns))
  const terms = Array.from({ length: pick(random, [0, 0, 1, 2]) }, () => randomTerm(random, columns))
  const kinds = [...groupBy.map((position) => columns[position]!.kind), ...aggregates.map(({ kind }) => kind)]
  const items = [...groupBy.map((position) => columns[position]!.name), ...aggregates.map(({ text }) => text)]
  const where = terms.length === 0 ? '' : sql` WHERE ${joined(terms.map(({ text }) => text), ' AND ')}`
  const by = groupBy.length === 0 ? '' : ` GROUP BY ${groupBy.map((position) => columns[position]!.name).join(', ')}`
  return {
    text: sql`SELECT ${joined(items, ', ')} FROM ${table.name}${where}${by}`,
    async run(engine) {
      const schema = engine.table(table.name)!
      const ordinalOf = (position: number): number => schema.columns.findIndex(({ name }) => name === columns[position]!.name)
      const predicate = terms.map(({ position, comparison, value }): EnginePredicateTerm => ({ ordinal: ordinalOf(position), comparison, ...(value !== undefined && { value }) }))
      const asked = aggregates.map((aggregate): EngineGroupedAggregate => ({ function: aggregate.function, ...(aggregate.position !== undefined && { ordinal: ordinalOf(aggregate.position) }), ...(aggregate.distinct && { distinct: true }) }))
      const rows = await groupAll(engine, schema, groupBy.map(ordinalOf), asked, { predicate })
      return rows.map((row) => row.map((value, i) => referenceValue(value, kinds[i]!)))
    },
  }
}

function randomAggregate(random: Random, columns: readonly Column[]): Aggregate {
  const position = random.below(columns.length)
  const { name, kind, wild } = columns[position]!
  const distinct = chance(random, 30)
  const isTame = !wild && (kind === 'int' || kind === 'double')
  switch (random.below(4)) {
    case 0:
      return { text: sql`COUNT(*)`, function: 'count', position: undefined, distinct: false, kind: 'int' }
    case 1:
      if (isTame) return { text: sql`SUM(${distinct ? 'DISTINCT ' : ''}${name})`, function: 'sum', position, distinct, kind }
      break
    case 2:
      if (kind !== 'bool') return chance(random, 50) ? { text: sql`MIN(${name})`, function: 'min', position, distinct: false, kind } : { text: sql`MAX(${name})`, function: 'max', position, distinct: false, kind }
  }
  return { text: sql`COUNT(${distinct ? 'DISTINCT ' : ''}${name})`, function: 'count', position, distinct, kind: 'int' }
}

interface Term {
  readonly text: Text
  readonly position: number
  readonly comparison: EnginePredicateTerm['comparison']
  readonly value?: EngineValue
}

function randomTerm(random: Random, columns: readonly Column[]): Term {
  const position = random.below(columns.length)
  const column = columns[position]!
  if (chance(random, 20)) return chance(random, 50) ? { text: sql`${column.name} IS NULL`, position, comparison: 'isNull' } : { text: sql`${column.name} IS NOT NULL`, position, comparison: 'isNotNull' }
  const comparison = pick(random, ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)
  const value = randomValue(random, column)
  return { text: sql`${column.name} ${comparisons[comparison]} ${literal(value)}`, position, comparison, value: engineValue(value) }
}

function engineValue(value: Exclude<Value, null>): EngineValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function referenceValue(value: EngineValue, kind: Kind): ReferenceValue {
  if (value === null) return null
  return kind === 'int' || kind === 'bool' ? BigInt(value as number | bigint) : (value as number | string)
}
