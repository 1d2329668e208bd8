/** Sides of joins whose rows can be read by their whole primary keys, since the join makes each of its columns equal to something. */
import { fitsInteger, isWellFormed } from '../../../engine/check-value.ts'
import type { EnginePredicateTerm, EngineRow, EngineValue } from '../../../engine/engine.ts'
import type { ColumnType } from '../../../engine/schema.ts'
import { inKeyOrder } from '../../execute/access.ts'
import { keyText } from '../../execute/keys.ts'
import type { Bound } from '../../expression/bound.ts'
import { compile } from '../../expression/compile.ts'
import type { Evaluate } from '../../expression/compile.ts'
import { isInteger } from '../../expression/type.ts'
import type { ValueType } from '../../expression/type.ts'
import { isLongerThan } from '../../value/compare.ts'
import type { JoinNode, QueryNode, ScanNode } from '../node.ts'
import type { Batch, QueryRun, Stream } from '../query-run.ts'
import { filtered } from '../set.ts'
import { readKeys } from './key-read.ts'

export interface KeyedSide {
  readonly scan: ScanNode
  /** What is checked of its rows above the scan. */
  readonly filter: Extract<QueryNode, { kind: 'filter' }> | undefined
  /** What each column of the key must equal, over rows of the other side. */
  readonly keys: readonly Bound[]
}

/** undefined when the side is no plain scan, or its key is not wholly among what the join makes equal. */
export function keyedSide(node: JoinNode, side: 'left' | 'right'): KeyedSide | undefined {
  const other = side === 'left' ? 'right' : 'left'
  const filter = node[side].kind === 'filter' ? node[side] : undefined
  const scan = filter === undefined ? node[side] : filter.input
  if (scan.kind !== 'scan' || scan.table.hiddenKey) return undefined
  const { primaryKey, columns } = scan.table
  const keys = primaryKey.map((ordinal) => node.keys.find((pair) => scan.columns[columnOf(pair[side])] === ordinal && isOfKey(columns[ordinal]!.type, pair[other].type))?.[other])
  return keys.includes(undefined) ? undefined : { scan, filter, keys: keys as readonly Bound[] }
}

/** The place of the column that the expression is; integers of different widths compare as they are. */
export function columnOf(bound: Bound): number {
  if (bound.kind === 'column') return bound.place.index
  const [of] = bound.kind === 'call' && bound.name.startsWith('cast ') ? bound.args : []
  return of !== undefined && isInteger(bound.type) && isInteger(of.type) ? columnOf(of) : -1
}

/** Whether equal values have equal keys: of floating point, 0 and -0 do not. */
export function isOfKey(key: ColumnType, type: ValueType): boolean {
  if (isInteger(key)) return isInteger(type)
  if (key.kind === 'numeric') return type.kind === 'numeric' && type.scale === key.scale
  return key.kind === type.kind && key.kind !== 'double'
}

/** Whether the column can hold the value: what it cannot is the key of no row. */
function canHold(type: ColumnType, value: EngineValue): boolean {
  if (typeof value === 'string') return isWellFormed(value) && !isLongerThan(type, value)
  return typeof value !== 'number' && typeof value !== 'bigint' ? value !== null : fitsInteger(type, value)
}

/** Makes streams of the side's rows that have partners among given rows of the other, in key order. */
export function keyedReader({ scan, filter, keys }: KeyedSide, predicate: readonly EnginePredicateTerm[], run: QueryRun, watch: (node: QueryNode, rows: Stream) => Stream): (others: Batch) => Stream {
  const { table } = scan
  const types = table.primaryKey.map((ordinal) => table.columns[ordinal]!.type)
  const parts = keys.map((key) => compile(key, run))
  const holds = filter && compile(filter.condition, run)
  return (others) => {
    const rows = watch(scan, () => readKeys(scan, { kind: 'keys', keys: inKeyOrder(table, distinctKeys(parts, types, others)), predicate }, run))
    return holds === undefined ? rows : watch(filter!, filtered(rows, run, (row) => holds(row) === 1))
  }
}

/** The keys of the rows, each once, without those that no row can have. */
export function distinctKeys(parts: readonly Evaluate[], types: readonly ColumnType[], rows: Batch): readonly EngineRow[] {
  const keys = new Map<string, EngineRow>()
  for (const row of rows) {
    const key = parts.map((part) => part(row))
    if (key.every((value, i) => canHold(types[i]!, value))) keys.set(keyText(key), key)
  }
  return [...keys.values()]
}
