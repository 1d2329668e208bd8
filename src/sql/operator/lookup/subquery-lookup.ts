/**
 * Subqueries whose equalities with rows further out cover the primary key of their table, or its first columns: while few
 * rows ask, their partners are read by key instead of reading all rows that any row could ask for.
 */
import type { EngineRow } from '../../../engine/engine.ts'
import { accessOf, inKeyOrder } from '../../execute/access.ts'
import type { Bound, OuterUse, QueryByKey } from '../../expression/bound.ts'
import { mapBound } from '../../expression/bound.ts'
import { compile } from '../../expression/compile.ts'
import type { Values } from '../../value/values.ts'
import type { QueryNode, ScanNode } from '../node.ts'
import type { Batch, Prepare, QueryRun, Stream } from '../query-run.ts'
import { columnOf, distinctKeys, isOfKey } from './keyed-side.ts'
import { keysAlways, lookupsMax } from './lookup-cost.ts'

export interface KeyedSubquery {
  readonly scan: ScanNode
  /** What the first columns of the key must equal, over rows further out. */
  readonly keys: readonly Bound[]
}

/** undefined when the subquery is over anything but one table, or does not fix the first column of its key. */
export function keyedSubquery({ plan, keys }: QueryByKey, outer: readonly OuterUse[], values: Values): KeyedSubquery | undefined {
  const found = keyColumns(plan as QueryNode)
  if (found === undefined) return undefined
  const { scan, ordinals } = found
  const { table } = scan
  if (table.hiddenKey || accessOf(table, scan.terms, scan.hints, values).kind !== 'ranges') return undefined
  const parts: Bound[] = []
  for (const ordinal of table.primaryKey) {
    const index = ordinals.findIndex((each, position) => each === ordinal && isOfKey(table.columns[ordinal]!.type, keys[position]!.type))
    if (index < 0) break
    parts.push(overRow(keys[index]!, outer))
  }
  return parts.length === 0 ? undefined : { scan, keys: parts }
}

/** The scan below, and which of its table's columns the subquery gives behind its value. */
function keyColumns(plan: QueryNode): { readonly scan: ScanNode; readonly ordinals: readonly number[] } | undefined {
  if (plan.kind === 'scan') return { scan: plan, ordinals: plan.columns.slice(1) }
  if (plan.kind !== 'project') return undefined
  const given = plan.expressions.slice(1)
  const { input } = plan
  if (input.kind !== 'group') return overScan(input, given)
  const keys = given.map((bound) => (bound.kind === 'column' ? input.keys[bound.place.index] : undefined))
  return keys.includes(undefined) ? undefined : overScan(input.input, keys as readonly Bound[])
}

function overScan(node: QueryNode, expressions: readonly Bound[]): ReturnType<typeof keyColumns> {
  const scan = node.kind === 'filter' ? node.input : node
  return scan.kind === 'scan' ? { scan, ordinals: expressions.map((bound) => scan.columns[columnOf(bound)] ?? -1) } : undefined
}

/** Columns of the row at hand as such, and not by way of what subqueries see of it. */
function overRow(bound: Bound, outer: readonly OuterUse[]): Bound {
  return mapBound(bound, (part) => {
    const use = part.kind === 'outer' ? outer.find(({ reference, local }) => local && reference === part.reference) : undefined
    return use && { kind: 'column', place: use.place ?? use.reference.place, name: use.reference.name, type: part.type, at: -1 }
  })
}

export interface SubqueryLookup {
  /** The subquery's rows that belong to the keys of rows at hand; undefined from when reading all of its rows costs less. */
  partnersOf(rows: Batch): Promise<Stream | undefined>
}

/** Rows are asked for so many times at most: each time operators are made anew. */
const timesMax = 64

export function subqueryLookup(byKey: QueryByKey, { scan, keys }: KeyedSubquery, run: QueryRun, prepare: Prepare): SubqueryLookup {
  const { table } = scan
  const parts = keys.map((key) => compile(key, run))
  const types = parts.map((_, position) => table.columns[table.primaryKey[position]!]!.type)
  const isWhole = parts.length === table.primaryKey.length
  let asked = 0
  let times = 0
  let max: number | undefined
  return {
    async partnersOf(rows) {
      const wanted = distinctKeys(parts, types, rows)
      asked += wanted.length
      // A range of rows for each key costs more than a row.
      if (asked > keysAlways) max ??= isWhole ? await lookupsMax(scan, run) : 0
      if (++times > timesMax || asked > Math.max(keysAlways, max ?? 0)) return undefined
      return opened(byKey, scan, inKeyOrder(table, wanted), run, prepare)
    },
  }
}

/** Operators look at how a scan finds its rows when they are made. */
function opened({ plan }: QueryByKey, scan: ScanNode, keys: readonly EngineRow[], run: QueryRun, prepare: Prepare): Stream {
  run.lookups.set(scan, keys)
  try {
    return prepare(plan, undefined, false)
  } finally {
    run.lookups.delete(scan)
  }
}
