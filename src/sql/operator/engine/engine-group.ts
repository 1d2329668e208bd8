/**
 * Groupings that the engine does by itself, from zone maps, dictionaries and kernels: keys, arguments and conditions are
 * columns of one scan, or expressions that the engine computes. Any other makes rows in JavaScript instead.
 */
import type { ComputedColumn, DerivedGroupValue, EngineExpression, EngineGroupedAggregate } from '../../../engine/engine.ts'
import type { Bound, BoundAggregate } from '../../expression/bound.ts'
import type { Run } from '../../expression/compile.ts'
import { splitCondition } from '../../vector/filter.ts'
import { lowerExpression } from '../../vector/lower.ts'
import type { Lowering } from '../../vector/lowered.ts'
import { averageOf } from '../aggregate.ts'
import type { GateNode, GroupNode, ScanNode } from '../node.ts'

export interface EngineGroup {
  readonly scan: ScanNode
  /** A condition on no row, without which nothing is read. */
  readonly gate: GateNode | undefined
  readonly conditions: readonly EngineExpression[]
  /** Columns beside those of the table. */
  readonly computed: readonly ComputedColumn[]
  /** Ordinals in the scan. */
  readonly keys: readonly number[]
  /** What the engine is asked for; AVG is a sum and a count. */
  readonly requests: readonly EngineGroupedAggregate[]
  /** By aggregate of the node. */
  readonly values: readonly GroupValue[]
}

/** Where an aggregate stands in a row of keys and requests, or how it is made of such a row. */
export type GroupValue = number | DerivedGroupValue

/** undefined for a grouping of another form. */
export function engineGroup({ input: below, keys, aggregates }: GroupNode, run: Run): EngineGroup | undefined {
  const gate = below.kind === 'gate' ? below : undefined
  const input = gate === undefined ? below : gate.input
  const scan = input.kind === 'filter' ? input.input : input
  if (scan.kind !== 'scan') return undefined
  const lowering: Lowering = { table: scan.table, columns: scan.columns, run, wide: true }
  const { pushed, rest } = splitCondition(lowering, input.kind === 'filter' ? input.condition : undefined, false)
  if (rest !== undefined) return undefined
  const columns = columnsOf(lowering)
  const ordinals = keys.map((key) => columns.ordinalOf(key))
  const requests: EngineGroupedAggregate[] = []
  const place = (request: EngineGroupedAggregate): number => {
    const known = requests.findIndex((each) => each.function === request.function && each.ordinal === request.ordinal && each.distinct === request.distinct)
    return keys.length + (known >= 0 ? known : requests.push(request) - 1)
  }
  const values = aggregates.map((aggregate) => valueOf(aggregate, columns, place))
  if (!isWhole(ordinals) || !isWhole(values)) return undefined
  return { scan, gate, conditions: pushed, computed: columns.computed, keys: ordinals, requests, values }
}

function isWhole<T>(items: readonly (T | undefined)[]): items is readonly T[] {
  return !items.includes(undefined)
}

interface Columns {
  readonly computed: readonly ComputedColumn[]
  /** undefined where the engine has no form for the expression. */
  ordinalOf(bound: Bound): number | undefined
}

/** Plain columns keep their ordinals, equal expressions share one. */
function columnsOf(lowering: Lowering): Columns {
  const computed: ComputedColumn[] = [], names: string[] = []
  const { table, columns } = lowering
  return {
    computed,
    ordinalOf(bound) {
      if (bound.kind === 'column') return columns[bound.place.index]
      const { type } = bound
      const expression = type.kind === 'unknown' || type.kind === 'interval' ? undefined : lowerExpression(lowering, bound)
      if (expression === undefined) return undefined
      const name = JSON.stringify([type, expression], (key, value: unknown) => (key === 'position' ? undefined : typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))
      const known = names.indexOf(name)
      if (known >= 0) return table.columns.length + known
      computed.push({ expression, type: type as ComputedColumn['type'] })
      return table.columns.length + names.push(name) - 1
    },
  }
}

function valueOf(aggregate: BoundAggregate, columns: Columns, place: (request: EngineGroupedAggregate) => number): GroupValue | undefined {
  const { function: name, distinct, argument } = aggregate
  if (argument === undefined) {
    return name === 'count' ? place({ function: 'count' }) : undefined
  }
  const ordinal = columns.ordinalOf(argument)
  if (ordinal === undefined) return undefined
  const of = (asked: EngineGroupedAggregate['function']): EngineGroupedAggregate => ({ function: asked, ordinal, distinct: distinct || undefined })
  switch (name) {
    case 'count':
    case 'min':
    case 'max':
    case 'sum':
      return place(of(name))
    case 'avg': {
      const sum = place(of('sum')), count = place(of('count'))
      const average = averageOf(argument.type, aggregate.type)
      return { columns: [sum, count], of: (row) => (row[count] === 0 ? null : average(row[sum]!, row[count] as number)) }
    }
    case 'bool_and':
    case 'every':
    case 'bool_or':
      return place(of(name === 'bool_or' ? 'max' : 'min'))
    default:
      return undefined
  }
}
