/** Where in the statement an operation stands, for the errors of the engine as for those of rows. */
import type { EngineExpression } from '../../engine/engine.ts'
import type { Run } from '../expression/compile.ts'
import { codePointPosition } from '../position.ts'
import type { Lowered } from './lowered.ts'

/** With the place of a call at the operations that it consists of; its arguments have theirs. */
export function placed(lowered: Lowered | undefined, { values: { text, statement } }: Run, at = -1): Lowered | undefined {
  const index = statement.tokenStarts[at]
  const position = index === undefined ? 0 : codePointPosition(text, index)
  return lowered && { ...lowered, expression: atPosition(lowered.expression, position) }
}

function atPosition(expression: EngineExpression, position: number): EngineExpression {
  const of = (part: EngineExpression): EngineExpression => atPosition(part, position)
  const { kind } = expression
  if (kind === 'toDouble' || kind === 'rounded') return { ...expression, operand: of(expression.operand) }
  if (kind === 'case') return { ...expression, branches: expression.branches.map(({ when, result }) => ({ when, result: of(result) })) }
  if ((kind !== 'integers' && kind !== 'doubles' && kind !== 'toInteger') || expression.position !== undefined) return expression
  if (kind === 'toInteger') return { ...expression, position, operand: of(expression.operand) }
  return { ...expression, position, left: of(expression.left), right: of(expression.right) }
}
