/** What a column takes when nothing is said: its DEFAULT, kept by the catalog as SQL text, and bound like any expression. */
import { LsmtError } from '../../errors.ts'
import type { EngineValue } from '../../engine/engine.ts'
import type { ColumnSchema } from '../../engine/schema.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import { visitBound } from '../expression/bound.ts'
import type { Bound } from '../expression/bound.ts'
import { compile } from '../expression/compile.ts'
import { createLiterals } from '../expression/literal.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import { parseStatement } from '../parse.ts'
import type { RowDefault } from '../plan.ts'
import { scanStatements } from '../scan/shape.ts'
import type { Expression } from '../syntax/query/query.ts'
import type { DefaultText } from '../syntax/table/column-default.ts'
import { assignOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { bindAssigned } from './assigned-value.ts'

/** 42804, 22P02 and the like when the column cannot take it, 0A000 when it is no expression by itself. */
export function columnDefault(column: ColumnSchema): RowDefault {
  if (column.default === undefined) return { kind: 'value', value: null }
  const { expression, values, origin } = readDefault(column.default)
  const assigned = bindAssigned(defaultScope(values, origin), column, expression)
  if (assigned.kind === 'operand') return { kind: 'value', value: assignOperand(values, assigned.operand, assigned.assign) }
  const { bound, assign } = assigned
  const valueAt = (nowMicros: number): EngineValue => assign(compile(bound, { values, nowMicros, cells: new Map() })([]))
  return usesClock(bound) ? { kind: 'clock', valueAt } : { kind: 'value', value: valueAt(0) }
}

/** The same for a default that is being defined, with errors that say where it stands. */
export function checkDefault(column: ColumnSchema, { tokenIndex }: DefaultText, origin: Origin): RowDefault {
  try {
    const found = columnDefault(column)
    if (found.kind === 'clock') found.valueAt(0)
    return found
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code.startsWith('XX')) throw error
    throw errorAt(origin, tokenIndex, error.code, error.message, error.evidence.hint)
  }
}

interface DefaultExpression {
  readonly expression: Expression
  readonly values: Values
  readonly origin: Origin
}

function readDefault(text: string): DefaultExpression {
  const [statement, ...more] = scanStatements(`select ${text}`)
  const origin: Origin = { text: `select ${text}`, tokenStarts: statement?.tokenStarts ?? [] }
  const parsed = statement === undefined || more.length > 0 ? undefined : parseStatement(statement.shape, origin)
  const body = parsed?.kind === 'select' ? parsed.query.body : undefined
  const [item, ...others] = body?.kind === 'select' && body.from === undefined && body.where === undefined ? body.items : []
  if (statement === undefined || item?.kind !== 'expression' || item.alias !== undefined || others.length > 0) throw new LsmtError('0A000', `DEFAULT ${text} is not supported: it is no expression`)
  // Places in it are not places in the statement that uses it.
  return { expression: item.expression, values: { text: '', statement: { ...statement, tokenStarts: [] }, parameters: undefined }, origin }
}

function defaultScope(values: Values, origin: Origin): ExpressionScope {
  const refuse = (what: string): never => {
    throw new LsmtError('0A000', `${what} in DEFAULT is not supported`)
  }
  return { origin, literals: createLiterals(values), column: () => refuse('a column'), aggregate: () => refuse('an aggregate'), subquery: () => refuse('a subquery'), quantified: () => refuse('a subquery') }
}

function usesClock(bound: Bound): boolean {
  let uses = false
  visitBound(bound, (part) => {
    if (part.kind === 'now') uses = true
  })
  return uses
}
