/** Expressions as text, for people: names, values and operators as they would be written. */
import type { EngineValue } from '../../engine/engine.ts'
import type { EnginePredicateTerm } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { userValueOf } from '../../engine/user-value.ts'
import type { Bound, BoundAggregate, BoundCall } from '../expression/bound.ts'
import { literalValue } from '../expression/literal.ts'
import { resultType, valueTypeName } from '../expression/type.ts'
import type { ValueType } from '../expression/type.ts'
import type { Values } from '../value/values.ts'

const charactersMax = 200

/** `names`: what the columns of the row are called. */
export function printExpression(bound: Bound, names: readonly string[], values: Values): string {
  const text = print(bound, { names, values })
  return text.length <= charactersMax ? text : `${Array.from(text).slice(0, charactersMax).join('')}…`
}

interface Context {
  readonly names: readonly string[]
  readonly values: Values
}

function print(bound: Bound, context: Context): string {
  const inner = (part: Bound): string => nested(part, context)
  switch (bound.kind) {
    case 'column':
      return context.names[bound.place.index] ?? bound.name
    case 'outer':
      return bound.reference.name
    case 'literal':
      return printValue(literalValue(context.values, bound.operand, bound.type), bound.type)
    case 'constant':
      return printValue(bound.value, bound.type)
    case 'now':
      return 'now()'
    case 'call':
      return printCall(bound, context)
    case 'and':
    case 'or':
      return bound.items.map(inner).join(bound.kind === 'and' ? ' AND ' : ' OR ')
    case 'coalesce':
      return `coalesce(${bound.items.map((item) => print(item, context)).join(', ')})`
    case 'in':
      return `${inner(bound.operand)} IN (${printList(bound.items, context)})`
    case 'case':
      return `CASE ${bound.branches.map(({ when, result }) => `WHEN ${print(when, context)} THEN ${print(result, context)} `).join('')}${bound.otherwise === undefined ? '' : `ELSE ${print(bound.otherwise, context)} `}END`
    case 'aggregate':
      return printAggregate(bound.aggregate, context.names, context.values)
    case 'subquery':
      return `(${bound.subquery.test} subquery)`
  }
}

const itemsMax = 5

function printList(items: readonly Bound[], context: Context): string {
  const shown = items.slice(0, itemsMax).map((item) => print(item, context)).join(', ')
  return items.length > itemsMax ? `${shown}, … ${items.length - itemsMax} more` : shown
}

export function printAggregate({ function: name, distinct, argument }: BoundAggregate, names: readonly string[], values: Values): string {
  return `${name}(${distinct ? 'DISTINCT ' : ''}${argument === undefined ? '*' : print(argument, { names, values })})`
}

/** In parentheses where it is more than one thing. */
function nested(bound: Bound, context: Context): string {
  const text = print(bound, context)
  const isOne = bound.kind !== 'and' && bound.kind !== 'or' && bound.kind !== 'in' && !(bound.kind === 'call' && !/^[a-z_0-9]+$|^cast /.test(bound.name))
  return isOne ? text : `(${text})`
}

function printCall({ name, args, type }: BoundCall, context: Context): string {
  const [first, second, third] = args.map((arg) => nested(arg, context))
  const test = /^is (null|true|false) ([01])$/.exec(name)
  if (test !== null) return `${first} IS ${test[2] === '1' ? '' : 'NOT '}${test[1]!.toUpperCase()}`
  if (name.startsWith('cast ')) return `${first}::${valueTypeName(type)}`
  switch (name) {
    case 'not':
      return `NOT ${first}`
    case 'negate':
      return `-${first}`
    case 'distinct':
    case 'not distinct':
      return `${first} IS ${name === 'distinct' ? '' : 'NOT '}DISTINCT FROM ${second}`
  }
  if (/^(not )?i?like$/.test(name)) return `${first} ${name.toUpperCase()} ${second}${third === undefined ? '' : ` ESCAPE ${third}`}`
  if (args.length === 2 && !/^[a-z_0-9]+$/.test(name)) return `${first} ${name.split(' ')[0]} ${second}`
  return `${name}(${args.map((arg) => print(arg, context)).join(', ')})`
}

export function printValue(value: EngineValue, type: ValueType): string {
  if (value === null) return 'NULL'
  const shown = type.kind === 'interval' ? value : userValueOf(resultType(type))(value)
  if (typeof shown === 'boolean') return shown ? 'TRUE' : 'FALSE'
  if (shown instanceof Uint8Array) return `'\\x${Buffer.from(shown).toString('hex')}'`
  return typeof shown === 'string' && type.kind !== 'numeric' ? `'${shown.replaceAll("'", "''")}'` : String(shown)
}

const comparisons = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

/** A condition that the engine checks. */
export function printTerm(table: TableSchema, { ordinal, comparison, value }: EnginePredicateTerm): string {
  const { name, type } = table.columns[ordinal]!
  if (comparison === 'isNull' || comparison === 'isNotNull') return `${name} IS ${comparison === 'isNull' ? '' : 'NOT '}NULL`
  return `${name} ${comparisons[comparison]} ${printValue(value!, type)}`
}
