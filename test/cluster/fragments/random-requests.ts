/** Random reads of the tables that trees of the tests have. */
import type { ColumnType, TableSchema } from '../../../src/engine/schema.ts'
import type { PhysicalKind, TableLayout } from '../../../src/lsm/layout.ts'
import type { AggregateRequest, GroupedAggregateRequest, PredicateTerm, ScanRequest } from '../../../src/lsm/tree.ts'
import { scanKinds } from '../../../src/lsm/vector/scan-columns.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { randomExpression } from '../../engine/random-expression.ts'
import { encodeKey, randomRow, randomValue } from '../../lsm/tree/tree-rows.ts'
import { keySpread } from './remote-pair.ts'

const types: Readonly<Record<PhysicalKind, ColumnType>> = { i64: { kind: 'bigint' }, f64: { kind: 'double' }, bytes: { kind: 'text' } }

/** As far as expressions look at it. */
function schemaOf({ tableId, columns }: TableLayout): TableSchema {
  return { tableId, name: 't', columns: columns.map((kind, ordinal) => ({ name: `c${ordinal}`, type: types[kind], notNull: false })) } as unknown as TableSchema
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random.below(items.length)]!

export function randomScan(random: Random, layout: TableLayout, canFail = random.below(4) === 0): ScanRequest {
  const schema = schemaOf(layout)
  const computed = random.below(3) === 0 ? Array.from({ length: 1 + random.below(2) }, () => randomExpression(random, schema, pick(random, ['i64', 'f64', 'boolean', 'bytes'] as const), canFail)) : []
  const conditions = random.below(3) === 0 ? [randomExpression(random, schema, 'boolean', canFail)] : []
  const kinds = scanKinds(layout.columns, computed)
  const bounds = [encodeKey(layout, randomRow(random, layout, keySpread)), encodeKey(layout, randomRow(random, layout, keySpread))].sort(Buffer.compare)
  return {
    tableId: layout.tableId,
    columns: kinds.map((_, ordinal) => ordinal).filter(() => random.below(3) > 0),
    predicate: Array.from({ length: random.below(3) }, () => randomTerm(random, layout)),
    ...(random.below(3) === 0 && { lower: bounds[0]! }),
    ...(random.below(3) === 0 && { upper: bounds[1]! }),
    ...(random.below(2) === 0 && { reverse: random.below(2) === 0 }),
    ...(random.below(3) === 0 && { startsSmall: true as const }),
    ...(conditions.length > 0 && { conditions }),
    ...(computed.length > 0 && { computed }),
  }
}

function randomTerm(random: Random, { columns }: TableLayout): PredicateTerm {
  const ordinal = random.below(columns.length)
  const comparison = pick(random, ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'isNull', 'isNotNull'] as const)
  return comparison === 'isNull' || comparison === 'isNotNull' ? { ordinal, comparison } : { ordinal, comparison, value: randomValue(random, columns[ordinal]!, 20) }
}

export function randomAggregates(random: Random, kinds: readonly PhysicalKind[]): readonly AggregateRequest[] {
  return Array.from({ length: 1 + random.below(5) }, () => randomAggregate(random, kinds))
}

export function randomGroupedAggregates(random: Random, kinds: readonly PhysicalKind[]): readonly GroupedAggregateRequest[] {
  return randomAggregates(random, kinds).map((each) => (each.ordinal !== undefined && random.below(3) === 0 ? { ...each, distinct: true } : each))
}

function randomAggregate(random: Random, kinds: readonly PhysicalKind[]): AggregateRequest {
  if (random.below(5) === 0) return { function: 'count' }
  const ordinal = random.below(kinds.length)
  return { function: pick(random, kinds[ordinal] === 'bytes' ? (['count', 'min', 'max'] as const) : (['count', 'min', 'max', 'sum'] as const)), ordinal }
}

