/** Bound expressions to closures over rows, made once for each run of a plan: literals are converted here. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { invariant } from '../../errors.ts'
import { withPosition } from '../position.ts'
import type { Values } from '../value/values.ts'
import type { Bound, BoundCall, OuterReference } from './bound.ts'
import { literalValue } from './literal.ts'
import { keyOf } from './value/order.ts'

export type Evaluate = (row: EngineRow) => EngineValue

/** A value of a row further out, set before a subquery runs. */
export interface Cell {
  value: EngineValue
}

/** What one run of a plan computes with. */
export interface Run {
  readonly values: Values
  /** Microseconds since 1970, one for the whole statement. */
  readonly nowMicros: number
  readonly cells: Map<OuterReference, Cell>
}

export function cellOf(run: Run, reference: OuterReference): Cell {
  let cell = run.cells.get(reference)
  if (cell === undefined) {
    cell = { value: null }
    run.cells.set(reference, cell)
  }
  return cell
}

export function compile(bound: Bound, run: Run): Evaluate {
  switch (bound.kind) {
    case 'column': {
      const { index } = bound.place
      return (row) => row[index]!
    }
    case 'outer': {
      const cell = cellOf(run, bound.reference)
      return () => cell.value
    }
    case 'literal': {
      const value = literalValue(run.values, bound.operand, bound.type)
      return () => value
    }
    case 'constant': {
      const { value } = bound
      return () => value
    }
    case 'now':
      return () => run.nowMicros
    case 'call':
      return compileCall(bound, run)
    case 'and':
      return compileAnd(bound.items.map((item) => compile(item, run)))
    case 'or':
      return compileOr(bound.items.map((item) => compile(item, run)))
    case 'case':
      return compileCase(bound, run)
    case 'coalesce':
      return compileCoalesce(bound.items.map((item) => compile(item, run)))
    case 'in':
      return compileIn(bound, run)
    case 'aggregate':
    case 'subquery':
      invariant(false, `an expression of the kind ${bound.kind} is left in a plan`)
  }
}

/** A call whose arguments are known is computed when it is first needed, so that an error in a branch not taken stays away. */
function compileCall(call: BoundCall, run: Run): Evaluate {
  const args = call.args.map((arg) => compile(arg, run))
  const evaluate = call.strict ? compileStrict(call, args, run) : compileLoose(call, args, run)
  if (args.length === 0 || !call.args.every(isFixed)) return evaluate
  let known: EngineValue | undefined
  return (row) => (known === undefined ? (known = evaluate(row)) : known)
}

export function isFixed(bound: Bound): boolean {
  return bound.kind === 'literal' || bound.kind === 'constant' || (bound.kind === 'call' && bound.args.length > 0 && bound.args.every(isFixed))
}

function compileStrict(call: BoundCall, args: readonly Evaluate[], run: Run): Evaluate {
  const { apply } = call
  const [first, second] = args
  if (args.length === 1) {
    return (row) => {
      const value = first!(row)
      try {
        return value === null ? null : apply(value)
      } catch (error) {
        throw located(error, call, run)
      }
    }
  }
  if (args.length === 2) {
    return (row) => {
      const a = first!(row)
      if (a === null) return null
      const b = second!(row)
      try {
        return b === null ? null : apply(a, b)
      } catch (error) {
        throw located(error, call, run)
      }
    }
  }
  return (row) => {
    const values = args.map((arg) => arg(row))
    try {
      return values.includes(null) ? null : apply(...values)
    } catch (error) {
      throw located(error, call, run)
    }
  }
}

function compileLoose(call: BoundCall, args: readonly Evaluate[], run: Run): Evaluate {
  const { apply } = call
  const [first] = args
  if (args.length === 1) return (row) => apply(first!(row))
  return (row) => {
    const values = args.map((arg) => arg(row))
    try {
      return apply(...values)
    } catch (error) {
      throw located(error, call, run)
    }
  }
}

/** The error with the place of the call, which the statement at hand has for the shape's token. */
function located(error: unknown, { at = -1 }: BoundCall, { values: { text, statement } }: Run): unknown {
  return withPosition(error, text, statement.tokenStarts[at] ?? -1)
}

function compileAnd(items: readonly Evaluate[]): Evaluate {
  return (row) => {
    let result: EngineValue = 1
    for (const item of items) {
      const value = item(row)
      if (value === 0) return 0
      if (value === null) result = null
    }
    return result
  }
}

function compileOr(items: readonly Evaluate[]): Evaluate {
  return (row) => {
    let result: EngineValue = 0
    for (const item of items) {
      const value = item(row)
      if (value === 1) return 1
      if (value === null) result = null
    }
    return result
  }
}

function compileCase(bound: Extract<Bound, { kind: 'case' }>, run: Run): Evaluate {
  const branches = bound.branches.map(({ when, result }) => ({ when: compile(when, run), result: compile(result, run) }))
  const otherwise = bound.otherwise === undefined ? () => null : compile(bound.otherwise, run)
  return (row) => {
    for (const { when, result } of branches) if (when(row) === 1) return result(row)
    return otherwise(row)
  }
}

function compileCoalesce(items: readonly Evaluate[]): Evaluate {
  return (row) => {
    for (const item of items) {
      const value = item(row)
      if (value !== null) return value
    }
    return null
  }
}

/** A list of fixed values is a set. */
function compileIn(bound: Extract<Bound, { kind: 'in' }>, run: Run): Evaluate {
  const operand = compile(bound.operand, run)
  const items = bound.items.map((item) => compile(item, run))
  if (items.length === 0) return () => 0
  const member = bound.items.every(isFixed) ? fixedMember(items) : anyMember(items)
  return (row) => {
    const value = operand(row)
    return value === null ? null : member(keyOf(value), row)
  }
}

type Member = (key: EngineValue, row: EngineRow) => EngineValue

function fixedMember(items: readonly Evaluate[]): Member {
  let known: Set<EngineValue> | undefined
  return (key) => {
    known ??= new Set(items.map((item) => keyOf(item([]))))
    return known.has(key) ? 1 : known.has(null) ? null : 0
  }
}

function anyMember(items: readonly Evaluate[]): Member {
  return (key, row) => {
    let result: EngineValue = 0
    for (const item of items) {
      const value = item(row)
      if (value === null) result = null
      else if (Object.is(keyOf(value), key) || keyOf(value) === key) return 1
    }
    return result
  }
}
