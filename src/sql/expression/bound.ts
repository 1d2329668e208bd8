/**
 * Expressions with names and types resolved: what plans hold and what evaluators are made of. A literal keeps its slot,
 * so that one plan serves every statement of the shape whose literals have the same types.
 */
import type { EngineValue } from '../../engine/engine.ts'
import type { Operand } from '../operand.ts'
import type { ValueType } from './type.ts'

/** Where a value stands in a row; the position is known when the operator below is complete. */
export interface Place {
  index: number
}

/** A column of a row further out, as a subquery sees it. `place` is in the rows of the query it belongs to. */
export interface OuterReference {
  place: Place
  readonly name: string
}

/** Makes a value of the arguments' values; not called with a null when the call is strict. */
export type Apply = (...values: EngineValue[]) => EngineValue

export interface BoundCall {
  readonly kind: 'call'
  /** Says with the arguments what is computed: calls of equal names and arguments are equal. */
  readonly name: string
  readonly args: readonly Bound[]
  readonly type: ValueType
  readonly apply: Apply
  /** null when any argument is null. */
  readonly strict: boolean
  /** Where it stands in the statement, for errors while it runs. */
  readonly at?: number
}

export interface BoundAggregate {
  readonly function: string
  readonly distinct: boolean
  readonly argument: Bound | undefined
  readonly type: ValueType
}

/** A comparison with ANY, but for equality: 1 or 0 for values that are not null, and the order of such values. */
export interface AnyComparison {
  readonly compare: Apply
  readonly isLess: Apply
}

/** A subquery whose plan is opaque here; what it is asked for is computed before the expression. */
export interface BoundSubquery {
  readonly test: 'scalar' | 'exists' | 'in' | 'any'
  /** The left side of IN or of a comparison with ANY. */
  readonly operand: Bound | undefined
  readonly comparison?: AnyComparison
  readonly plan: unknown
  readonly outer: readonly OuterUse[]
  readonly byKey?: QueryByKey | undefined
}

/** A column of a row further out that a subquery uses. */
export interface OuterUse {
  readonly reference: OuterReference
  /** It is a column of the rows the subquery is computed for: in the reference's place, unless another is named. */
  readonly local: boolean
  readonly place?: Place
}

/** A query that depends on rows further out by equalities alone, in a form that is run once for all of them. */
export interface QueryByKey {
  /** Rows of a value and of what must equal `keys`; opaque here. */
  readonly plan: unknown
  /** Of the row further out. */
  readonly keys: readonly Bound[]
  /** An aggregate's plan over no rows: its value where no row has the key. */
  readonly empty: unknown
}

export type Bound =
  | { readonly kind: 'column'; readonly place: Place; readonly name: string; readonly type: ValueType; readonly at: number }
  | { readonly kind: 'outer'; readonly reference: OuterReference; readonly type: ValueType }
  | { readonly kind: 'literal'; readonly operand: Operand; readonly type: ValueType }
  | { readonly kind: 'constant'; readonly value: EngineValue; readonly type: ValueType }
  | { readonly kind: 'now'; readonly type: ValueType }
  | BoundCall
  | { readonly kind: 'and' | 'or'; readonly items: readonly Bound[]; readonly type: ValueType }
  | { readonly kind: 'case'; readonly branches: readonly { readonly when: Bound; readonly result: Bound }[]; readonly otherwise: Bound | undefined; readonly type: ValueType }
  | { readonly kind: 'coalesce'; readonly items: readonly Bound[]; readonly type: ValueType }
  | { readonly kind: 'in'; readonly operand: Bound; readonly items: readonly Bound[]; readonly type: ValueType }
  | { readonly kind: 'aggregate'; readonly aggregate: BoundAggregate; readonly type: ValueType; readonly at: number }
  | { readonly kind: 'subquery'; readonly subquery: BoundSubquery; readonly type: ValueType }

/**
 * Null where null stands among the arguments: the others are then not computed, and raise no error, as in PostgreSQL.
 * An aggregate stays, since it is what makes one row of all.
 */
export function strictCall(name: string, args: readonly Bound[], type: ValueType, apply: Apply): Bound {
  if (args.some((arg) => arg.kind === 'constant' && arg.value === null) && !args.some(isAggregated)) return { kind: 'constant', value: null, type }
  return { kind: 'call', name, args, type, apply, strict: true }
}

export function looseCall(name: string, args: readonly Bound[], type: ValueType, apply: Apply): BoundCall {
  return { kind: 'call', name, args, type, apply, strict: false }
}

/** The same expression with other parts: `change` gives a part's replacement, or undefined to look inside of it. */
export function mapBound(bound: Bound, change: (part: Bound) => Bound | undefined): Bound {
  const changed = change(bound)
  if (changed !== undefined) return changed
  const map = (part: Bound): Bound => mapBound(part, change)
  switch (bound.kind) {
    case 'column':
    case 'outer':
    case 'literal':
    case 'constant':
    case 'now':
      return bound
    case 'call':
      return { ...bound, args: bound.args.map(map) }
    case 'and':
    case 'or':
    case 'coalesce':
      return { ...bound, items: bound.items.map(map) }
    case 'case':
      return { ...bound, branches: bound.branches.map(({ when, result }) => ({ when: map(when), result: map(result) })), otherwise: bound.otherwise === undefined ? undefined : map(bound.otherwise) }
    case 'in':
      return { ...bound, operand: map(bound.operand), items: bound.items.map(map) }
    case 'aggregate': {
      const { aggregate } = bound
      return { ...bound, aggregate: { ...aggregate, argument: aggregate.argument === undefined ? undefined : map(aggregate.argument) } }
    }
    case 'subquery': {
      const { subquery } = bound
      return { ...bound, subquery: { ...subquery, operand: subquery.operand === undefined ? undefined : map(subquery.operand) } }
    }
  }
}

/** Calls `visit` with the expression and everything in it. */
export function visitBound(bound: Bound, visit: (part: Bound) => void): void {
  mapBound(bound, (part) => {
    visit(part)
    return undefined
  })
}

/** Whether two expressions compute the same; `sameLiteral` compares slots by their values. */
export function equalBound(a: Bound, b: Bound, sameLiteral: (a: Operand, b: Operand) => boolean): boolean {
  const all = (as: readonly Bound[], bs: readonly Bound[]): boolean => as.length === bs.length && as.every((item, index) => equalBound(item, bs[index]!, sameLiteral))
  const maybe = (x: Bound | undefined, y: Bound | undefined): boolean => (x === undefined || y === undefined ? x === y : equalBound(x, y, sameLiteral))
  if (a === b) return true
  if (a.type.kind !== b.type.kind) return false
  switch (a.kind) {
    case 'column':
      return b.kind === 'column' && a.place === b.place
    case 'outer':
      return b.kind === 'outer' && a.reference.place === b.reference.place
    case 'literal':
      return b.kind === 'literal' && sameLiteral(a.operand, b.operand)
    case 'constant':
      return b.kind === 'constant' && a.value === b.value
    case 'now':
      return b.kind === 'now'
    case 'call':
      return b.kind === 'call' && a.name === b.name && all(a.args, b.args)
    case 'and':
    case 'or':
    case 'coalesce':
      return b.kind === a.kind && all(a.items, b.items)
    case 'case':
      return b.kind === 'case' && all(a.branches.flatMap(({ when, result }) => [when, result]), b.branches.flatMap(({ when, result }) => [when, result])) && maybe(a.otherwise, b.otherwise)
    case 'in':
      return b.kind === 'in' && equalBound(a.operand, b.operand, sameLiteral) && all(a.items, b.items)
    case 'aggregate':
      return b.kind === 'aggregate' && a.aggregate.function === b.aggregate.function && a.aggregate.distinct === b.aggregate.distinct && maybe(a.aggregate.argument, b.aggregate.argument)
    case 'subquery':
      return false
  }
}

export function isAggregated(bound: Bound): boolean {
  let found = false
  visitBound(bound, (part) => {
    if (part.kind === 'aggregate') found = true
  })
  return found
}
