/**
 * Which expressions never go back while a column goes on: of two values of the column that give the same, every value
 * between gives that too, without an error. So do the slots of time that people group by (`ts / 3600`, `ts - ts % 60000`,
 * `date_trunc`).
 */
import type { PhysicalKind } from '../../layout.ts'
import type { VectorExpression } from '../expression.ts'

/** The integer column that an expression follows in this way; undefined when there is none. */
export function followedColumn(columns: readonly PhysicalKind[], expression: VectorExpression): number | undefined {
  const ordinal = followed(expression)
  return ordinal !== undefined && columns[ordinal] === 'i64' ? ordinal : undefined
}

function followed(expression: VectorExpression): number | undefined {
  switch (expression.kind) {
    case 'column':
      return expression.ordinal
    case 'toDouble':
    case 'toInteger':
    case 'rounded':
      return followed(expression.operand)
    case 'integers':
    case 'doubles':
      return followedByOperation(expression)
    case 'constant':
    case 'compare':
    case 'isNull':
    case 'and':
    case 'or':
    case 'not':
    case 'in':
    case 'like':
    case 'fromBoolean':
    case 'case':
    case 'coalesce':
      return undefined
  }
}

type Operation = Extract<VectorExpression, { readonly kind: 'integers' | 'doubles' }>

/** One side is a constant, or what is left over by it is taken from a value, which is then a multiple. */
function followedByOperation({ operator, left, right }: Operation): number | undefined {
  if (operator === 'remainder') return undefined
  if (isNumber(right)) return followed(left)
  if (isNumber(left)) return operator === 'add' || operator === 'subtract' || operator === 'multiply' ? followed(right) : undefined
  const isMultiple = operator === 'subtract' && right.kind === 'integers' && right.operator === 'remainder' && isNumber(right.right) && isSame(left, right.left)
  return isMultiple ? followed(left) : undefined
}

const isNumber = (expression: VectorExpression): boolean => expression.kind === 'constant' && expression.value !== null

/** Whether both are one column, or one computation of it; false for what need not be known. */
function isSame(a: VectorExpression, b: VectorExpression): boolean {
  if (a.kind === 'column') return b.kind === 'column' && a.ordinal === b.ordinal
  if (a.kind === 'constant') return b.kind === 'constant' && a.value !== null && a.value === b.value
  return a.kind === 'integers' && b.kind === 'integers' && a.operator === b.operator && isSame(a.left, b.left) && isSame(a.right, b.right)
}
