/**
 * Groupings that the engine does by itself, from zone maps, dictionaries and kernels: keys and arguments are plain columns of
 * one scan. An expression among them, or a condition that the scan does not take, makes rows in JavaScript instead.
 */
import type { EngineGroupedAggregate, EngineRow, EngineValue } from '../../engine/engine.ts'
import type { BoundAggregate } from '../expression/bound.ts'
import { averageOf } from './aggregate.ts'
import type { GroupNode, ScanNode } from './node.ts'

export interface PlainGroup {
  readonly scan: ScanNode
  /** Ordinals in the table. */
  readonly keys: readonly number[]
  /** What the engine is asked for; AVG is a sum and a count. */
  readonly requests: readonly EngineGroupedAggregate[]
  /** By aggregate of the node: its value in a row of keys and requests. */
  readonly values: readonly ((row: EngineRow) => EngineValue)[]
}

/** undefined for a grouping that is not plain. */
export function plainGroup({ input, keys, aggregates }: GroupNode): PlainGroup | undefined {
  if (input.kind !== 'scan') return undefined
  const ordinals: number[] = []
  for (const key of keys) {
    const ordinal = key.kind === 'column' ? input.columns[key.place.index] : undefined
    if (ordinal === undefined) return undefined
    ordinals.push(ordinal)
  }
  const requests: EngineGroupedAggregate[] = []
  const place = (request: EngineGroupedAggregate): number => {
    const known = requests.findIndex((each) => each.function === request.function && each.ordinal === request.ordinal && each.distinct === request.distinct)
    return keys.length + (known >= 0 ? known : requests.push(request) - 1)
  }
  const values: PlainGroup['values'][number][] = []
  for (const aggregate of aggregates) {
    const value = plainValue(input, aggregate, place)
    if (value === undefined) return undefined
    values.push(value)
  }
  return { scan: input, keys: ordinals, requests, values }
}

function plainValue(scan: ScanNode, aggregate: BoundAggregate, place: (request: EngineGroupedAggregate) => number): ((row: EngineRow) => EngineValue) | undefined {
  const { function: name, distinct, argument } = aggregate
  if (argument === undefined) {
    if (name !== 'count') return undefined
    const index = place({ function: 'count' })
    return (row) => row[index]!
  }
  const ordinal = argument.kind === 'column' ? scan.columns[argument.place.index] : undefined
  if (ordinal === undefined) return undefined
  const of = { ordinal, ...(distinct && { distinct }) } as const
  switch (name) {
    case 'count':
    case 'min':
    case 'max': {
      const index = place({ function: name, ...of })
      return (row) => row[index]!
    }
    case 'sum': {
      const index = place({ function: 'sum', ...of }), isSingle = argument.type.kind === 'real'
      return (row) => (isSingle && row[index] !== null ? Math.fround(row[index] as number) : row[index]!)
    }
    case 'avg': {
      const sum = place({ function: 'sum', ...of }), count = place({ function: 'count', ...of })
      const average = averageOf(argument.type, aggregate.type)
      return (row) => (row[count] === 0 ? null : average(row[sum]!, row[count] as number))
    }
    default:
      return undefined
  }
}
