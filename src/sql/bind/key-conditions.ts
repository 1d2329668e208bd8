/** Conditions that name rows by their whole primary key: those rows are read and locked by key, not looked for. */
import type { TableSchema } from '../../engine/schema.ts'
import type { Operand } from '../operand.ts'
import type { KeyPlan } from '../plan.ts'
import { findColumn } from '../query/scope.ts'
import type { BlockScope, Leaf } from '../query/scope.ts'
import type { Expression } from '../syntax/query/query.ts'

/** The keys and the conditions that they do not express; undefined unless each key column equals a value, one perhaps any of a list. */
export function takeKeys(table: TableSchema, leaf: Leaf, scope: BlockScope, conditions: readonly Expression[]): { readonly find: KeyPlan; readonly rest: readonly Expression[] } | undefined {
  if (table.hiddenKey) return undefined
  const operandsOf = new Map<number, readonly Operand[]>()
  const rest: Expression[] = []
  let lists = 0
  for (const condition of conditions) {
    const found = keyCondition(leaf, scope, condition)
    const isList = found !== undefined && found.operands.length !== 1
    if (found === undefined || !table.primaryKey.includes(found.ordinal) || operandsOf.has(found.ordinal) || (isList && lists > 0)) {
      rest.push(condition)
      continue
    }
    if (isList) lists++
    operandsOf.set(found.ordinal, found.operands)
  }
  if (operandsOf.size !== table.primaryKey.length) return undefined
  return { find: { kind: 'keys', keys: table.primaryKey.map((ordinal) => ({ column: table.columns[ordinal]!, operands: operandsOf.get(ordinal)! })) }, rest }
}

interface KeyCondition {
  readonly ordinal: number
  readonly operands: readonly Operand[]
}

function keyCondition(leaf: Leaf, scope: BlockScope, condition: Expression): KeyCondition | undefined {
  if (condition.kind === 'binary' && condition.operator === '=') {
    const { left, right } = condition
    return equality(leaf, scope, left, [right]) ?? equality(leaf, scope, right, [left])
  }
  return condition.kind === 'in' && !condition.negated ? equality(leaf, scope, condition.operand, condition.items) : undefined
}

function equality(leaf: Leaf, scope: BlockScope, subject: Expression, values: readonly Expression[]): KeyCondition | undefined {
  if (subject.kind !== 'column') return undefined
  const operands = values.map((value) => (value.kind === 'operand' ? value.operand : undefined)).filter((operand) => operand !== undefined)
  const named = operands.length === values.length ? findColumn(scope, subject.column) : undefined
  const column = named?.sources.length === 1 ? named.sources[0] : undefined
  return column !== undefined && leaf.columns.includes(column) ? { ordinal: column.ordinal, operands } : undefined
}
