/**
 * Expressions that scans evaluate: plain data over the columns of a table, in physical kinds. What they mean is what
 * PostgreSQL means: three-valued logic, errors beyond a range and for a division by zero, and an operand is evaluated
 * for those rows only for which it is needed (a branch that is taken, an AND that is not false yet).
 */
import type { vectorOperator, vectorRounding } from '../../kernel/vector.ts'
import { LsmtError } from '../../errors.ts'
import type { PhysicalKind, PhysicalValue } from '../layout.ts'

/** BOOLEAN columns are i64 of 0 and 1; what conditions give is a kind of its own. */
export type VectorKind = PhysicalKind | 'boolean'

export type VectorOperator = keyof typeof vectorOperator

/** Integers from `low` to `high`; beyond them 22003 with `message`. */
export interface IntegerRange {
  readonly low: bigint
  readonly high: bigint
  readonly message: string
}

/** Where in a statement an operation stands that may fail, for its error; 0: nowhere. */
interface Placed {
  readonly position?: number
}

export type VectorExpression =
  | { readonly kind: 'column'; readonly ordinal: number }
  | { readonly kind: 'constant'; readonly of: VectorKind; readonly value: PhysicalValue | boolean | null }
  /** Both sides of one kind. */
  | { readonly kind: 'compare'; readonly comparison: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'; readonly left: VectorExpression; readonly right: VectorExpression }
  | { readonly kind: 'isNull'; readonly operand: VectorExpression; readonly negated: boolean }
  | { readonly kind: 'and' | 'or'; readonly items: readonly VectorExpression[] }
  | { readonly kind: 'not'; readonly operand: VectorExpression }
  /** `hasNull`: NULL is among the values as well. */
  | { readonly kind: 'in'; readonly operand: VectorExpression; readonly values: readonly PhysicalValue[]; readonly hasNull: boolean }
  /** A valid pattern; `escape` is one character, or absent when there is none. */
  | { readonly kind: 'like'; readonly operand: VectorExpression; readonly pattern: string; readonly escape: string | undefined; readonly caseless: boolean }
  /** i64. `safe`: the operands' types are too small for it to fail. */
  | ({ readonly kind: 'integers'; readonly operator: VectorOperator; readonly left: VectorExpression; readonly right: VectorExpression; readonly range: IntegerRange; readonly safe: boolean } & Placed)
  /** f64. */
  | ({ readonly kind: 'doubles'; readonly operator: VectorOperator; readonly left: VectorExpression; readonly right: VectorExpression; readonly message: string } & Placed)
  | { readonly kind: 'toDouble'; readonly operand: VectorExpression }
  | ({ readonly kind: 'toInteger'; readonly operand: VectorExpression; readonly range: IntegerRange } & Placed)
  /** f64 to a whole f64. */
  | { readonly kind: 'rounded'; readonly rounding: keyof typeof vectorRounding; readonly operand: VectorExpression }
  /** boolean to i64. */
  | { readonly kind: 'fromBoolean'; readonly operand: VectorExpression }
  /** Results of one kind; null where no branch is taken and there is nothing otherwise. */
  | { readonly kind: 'case'; readonly branches: readonly { readonly when: VectorExpression; readonly result: VectorExpression }[]; readonly otherwise: VectorExpression | undefined }
  | { readonly kind: 'coalesce'; readonly items: readonly VectorExpression[] }

/** The parts an expression is made of. */
export function partsOf(expression: VectorExpression): readonly VectorExpression[] {
  switch (expression.kind) {
    case 'column':
    case 'constant':
      return []
    case 'compare':
    case 'integers':
    case 'doubles':
      return [expression.left, expression.right]
    case 'isNull':
    case 'not':
    case 'in':
    case 'like':
    case 'toDouble':
    case 'toInteger':
    case 'fromBoolean':
    case 'rounded':
      return [expression.operand]
    case 'and':
    case 'or':
    case 'coalesce':
      return expression.items
    case 'case':
      return [...expression.branches.flatMap(({ when, result }) => [when, result]), ...(expression.otherwise === undefined ? [] : [expression.otherwise])]
  }
}

/** The columns it reads, each once. */
export function columnsOf(...expressions: readonly VectorExpression[]): readonly number[] {
  const ordinals = new Set<number>()
  const visit = (expression: VectorExpression): void => {
    if (expression.kind === 'column') ordinals.add(expression.ordinal)
    else partsOf(expression).forEach(visit)
  }
  expressions.forEach(visit)
  return [...ordinals]
}

/** Whether it raises an error for some values. */
export function canFail(expression: VectorExpression): boolean {
  const fails = expression.kind === 'doubles' || expression.kind === 'toInteger' || (expression.kind === 'integers' && !expression.safe)
  return fails || partsOf(expression).some(canFail)
}

export function kindOfExpression(columns: readonly PhysicalKind[], expression: VectorExpression): VectorKind {
  switch (expression.kind) {
    case 'column': {
      const kind = columns[expression.ordinal]
      if (kind === undefined) throw new LsmtError('XX000', `internal error: an expression reads column ${expression.ordinal} of ${columns.length}`)
      return kind
    }
    case 'constant':
      return expression.of
    case 'compare':
    case 'isNull':
    case 'and':
    case 'or':
    case 'not':
    case 'in':
    case 'like':
      return 'boolean'
    case 'integers':
    case 'toInteger':
    case 'fromBoolean':
      return 'i64'
    case 'doubles':
    case 'toDouble':
    case 'rounded':
      return 'f64'
    case 'case':
      return kindOfExpression(columns, expression.branches[0]?.result ?? expression.otherwise!)
    case 'coalesce':
      return kindOfExpression(columns, expression.items[0]!)
  }
}
