/** Queries with their result's columns, and small changes to them. */
import type { Bound, BoundSubquery, QueryByKey } from '../expression/bound.ts'
import { coerce, settled } from '../expression/coerce.ts'
import type { ValueType } from '../expression/type.ts'
import type { QueryNode, Window } from '../operator/node.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { Name } from '../syntax/names.ts'

export interface OutputColumn {
  readonly name: string
  readonly type: ValueType
}

export interface BoundQuery {
  readonly node: QueryNode
  readonly output: readonly OutputColumn[]
  /** Columns of blocks around the query that it uses. */
  readonly outer: BoundSubquery['outer']
  readonly byKey?: ByKey | undefined
}

/** The query without the equalities with rows further out; see `QueryByKey`. */
export interface ByKey {
  readonly node: QueryNode
  /** The value, then the keys. */
  readonly types: readonly ValueType[]
  readonly keys: readonly Bound[]
  readonly empty: QueryNode | undefined
}

/** `AS t (a, b)` renames columns from the left. */
export function renamed<T extends { readonly name: string }>(origin: Origin, columns: readonly T[], names: readonly Name[] | undefined): readonly T[] {
  if (names === undefined) return columns
  if (names.length > columns.length) throw errorAt(origin, names[columns.length]!.tokenIndex, '42P10', `there are ${columns.length} columns but ${names.length} names for them`)
  return columns.map((column, index) => ({ ...column, name: names[index]?.name ?? column.name }))
}

/** For a subquery whose value is taken at a type. */
export function queryByKey(byKey: ByKey | undefined, type: ValueType | undefined): QueryByKey | undefined {
  if (byKey === undefined) return undefined
  const output = byKey.types.map((each) => ({ name: '', type: each }))
  const plan = type === undefined ? byKey.node : converted({ node: byKey.node, output, outer: [] }, [type, ...byKey.types.slice(1)])
  return { plan, keys: byKey.keys, empty: byKey.empty }
}

export function windowed(node: QueryNode, window: Window | undefined): QueryNode {
  return window === undefined ? node : { kind: 'limit', input: node, window }
}

/** The query's rows with columns of other types. */
export function converted({ node, output }: BoundQuery, types: readonly ValueType[]): QueryNode {
  const columns = output.map(({ name, type }, index): Bound => ({ kind: 'column', place: { index }, name, type, at: -1 }))
  const expressions = columns.map((column, index) => settled(coerce(column, types[index]!)))
  return expressions.every((expression, index) => expression === columns[index]) ? node : { kind: 'project', input: node, expressions }
}
