/**
 * Queries. A SELECT is one part with its ORDER BY and LIMIT; queries between UNION, INTERSECT and EXCEPT, and those in
 * parentheses, are parts within the one that orders and limits them all.
 */
import { errorAt } from '../../origin.ts'
import type { Name } from '../names.ts'
import { token } from '../../scan/lexer.ts'
import { accept, peek, readName, unsupportedAt } from '../token-cursor.ts'
import { cutFrom } from './cut-from.ts'
import { cutQueryInParentheses } from './cut-operand.ts'
import { acceptComma, cutList, cutNames, isNameAhead, nest, operandOf, take, taken, unexpected } from './cutter.ts'
import type { Cutter } from './cutter.ts'
import { nameElement, newPart, partElement, textElement } from './part.ts'
import type { Element, Meaning, Part, SetStep } from './part.ts'
import { cutOrder, cutWindow } from './cut-window.ts'

/** Set operations in a row: the binder and what runs the plan recurse along them. */
const stepsMax = 500

/** What stands between set operations: a block of a SELECT or VALUES, or a query in parentheses. */
type Member = { readonly meaning: Meaning; readonly elements: readonly Element[] } | Part

export function cutQuery(cutter: Cutter): Part {
  nest(cutter)
  const withs = peek(cutter) === 'with' ? cutWith(cutter) : []
  const members: Member[] = [cutMember(cutter)]
  const steps: SetStep[] = []
  for (let step = cutStep(cutter); step !== undefined; step = cutStep(cutter)) {
    if (steps.push(step) > stepsMax) throw errorAt(cutter.origin, step.at, '54000', `more than ${stepsMax} set operations follow one another`)
    members.push(cutMember(cutter))
  }
  const bodyEnd = cutter.at
  const tail = [...cutOrder(cutter), ...cutWindow(cutter)]
  cutter.depth--
  const only = members.length === 1 ? members[0]! : undefined
  if (only !== undefined && 'elements' in only) return newPart(only.meaning, [...withs, ...only.elements, ...tail], cutter.at)
  if (only !== undefined && withs.length === 0 && tail.length === 0) return only
  const parts = members.map((member) => ('elements' in member ? newPart(member.meaning, member.elements, bodyEnd) : member))
  return newPart({ kind: 'set', steps }, [...withs, textElement('select', parts[0]!.start), ...listed(parts.map((part) => [partElement(part)])), ...tail], cutter.at)
}

function listed(items: readonly (readonly Element[])[]): readonly Element[] {
  return items.flatMap((item, index) => (index === 0 ? item : [textElement(',', item[0]!.at), ...item]))
}

const setOperators = ['union', 'intersect', 'except'] as const

function cutStep(cutter: Cutter): SetStep | undefined {
  const { at } = cutter
  const operator = setOperators.find((word) => accept(cutter, word))
  if (operator === undefined) return undefined
  const all = accept(cutter, 'all')
  if (!all) accept(cutter, 'distinct')
  return { operator, all, at }
}

function cutMember(cutter: Cutter): Member {
  const word = cutter.tokens[cutter.at]?.kind === token.word ? peek(cutter) : ''
  if (word === 'select') return { meaning: { kind: 'select' }, elements: cutSelect(cutter) }
  if (word === 'values') return cutValues(cutter)
  if (word === 'table') throw unsupportedAt(cutter, cutter.at, 'TABLE as a query')
  if (peek(cutter) === '(') return cutQueryInParentheses(cutter)
  if (['insert', 'update', 'delete'].includes(word)) throw unsupportedAt(cutter, cutter.at, `${word.toUpperCase()} in WITH or after it`)
  throw unexpected(cutter)
}

/** WITH a AS (…), b (c, d) AS NOT MATERIALIZED (…). */
function cutWith(cutter: Cutter): Element[] {
  const elements = [taken(cutter, 'with')]
  if (peek(cutter) === 'recursive') throw unsupportedAt(cutter, cutter.at, 'WITH RECURSIVE')
  do {
    if (elements.length > 1) elements.push(textElement(',', cutter.at))
    elements.push(nameElement([readName(cutter)]))
    if (peek(cutter) === '(') elements.push(textElement('(', cutter.at), ...listed(cutNames(cutter).map((name) => [nameElement([name])])), textElement(')', cutter.at))
    const { at } = cutter
    take(cutter, 'as')
    elements.push(textElement('as ( select', at), partElement(cutCommon(cutter)), textElement(')', cutter.at - 1))
  } while (acceptComma(cutter))
  return elements
}

function cutCommon(cutter: Cutter): Part {
  const { at } = cutter
  const isNot = accept(cutter, 'not')
  if (isNot) take(cutter, 'materialized')
  else if (!accept(cutter, 'materialized')) return cutQueryInParentheses(cutter)
  return newPart({ kind: 'common', materialized: !isNot }, [textElement('select', at), partElement(cutQueryInParentheses(cutter))], cutter.at)
}

/** The values of all rows stand in one select list, which is quicker to parse than lists in it. */
function cutValues(cutter: Cutter): Member {
  const start = cutter.at
  cutter.at++
  const values: (readonly Element[])[] = []
  const widths: number[] = []
  do {
    const { length } = values
    take(cutter, '(')
    do values.push(operandOf(cutter, cutter.expression()))
    while (acceptComma(cutter))
    take(cutter, ')')
    widths.push(values.length - length)
  } while (acceptComma(cutter))
  return { meaning: { kind: 'values', widths }, elements: [textElement('select', start), ...listed(values)] }
}

function cutSelect(cutter: Cutter): readonly Element[] {
  const elements: Element[] = [taken(cutter, 'select')]
  const { at } = cutter
  if (accept(cutter, 'distinct')) {
    if (peek(cutter) === 'on') throw unsupportedAt(cutter, at, 'DISTINCT ON')
    elements.push(textElement('distinct', at))
  } else accept(cutter, 'all')
  if (peek(cutter) === 'from') throw refusalOfNoItems(cutter)
  const items: (readonly Element[])[] = []
  do items.push(cutItem(cutter))
  while (acceptComma(cutter))
  if (peek(cutter) === 'into') throw unsupportedAt(cutter, cutter.at, 'SELECT INTO')
  return [...elements, ...listed(items), ...cutClauses(cutter)]
}

/** PostgreSQL has SELECTs without items; what is not even one of these throws its own 42601. */
function refusalOfNoItems(cutter: Cutter): Error {
  const { at } = cutter
  cutClauses(cutter)
  return unsupportedAt(cutter, at, 'an empty select list')
}

/** Words that are no name of a column unless AS stands before them. */
const afterAsOnly = new Set('char character day filter hour minute month over precision second varying within without year'.split(' '))

function cutItem(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  if (peek(cutter) === '*') return [taken(cutter, '*')]
  if (isNameAhead(cutter) && peek(cutter, 1) === '.' && peek(cutter, 2) === '*') {
    const table = readName(cutter)
    cutter.at += 2
    return [{ kind: 'name', names: [table], star: true, columns: undefined, at }]
  }
  const item = operandOf(cutter, cutter.expression())
  const label = cutLabel(cutter)
  return label === undefined ? item : [...item, textElement('as', label.tokenIndex), nameElement([label])]
}

/** After AS any word is a name. */
function cutLabel(cutter: Cutter): Name | undefined {
  if (accept(cutter, 'as')) {
    const { at, tokens } = cutter
    if (tokens[at]?.kind !== token.word) return readName(cutter)
    cutter.at++
    return { name: tokens[at].text, tokenIndex: at }
  }
  const next = cutter.tokens[cutter.at]
  return isNameAhead(cutter) && (next!.kind === token.quotedName || !afterAsOnly.has(next!.text)) ? readName(cutter) : undefined
}

const groupings = new Set(['rollup', 'cube', 'grouping'])

function cutClauses(cutter: Cutter): Element[] {
  const elements: Element[] = []
  if (peek(cutter) === 'from') elements.push(taken(cutter, 'from'), ...cutFrom(cutter))
  if (peek(cutter) === 'where') elements.push(taken(cutter, 'where'), ...operandOf(cutter, cutter.expression()))
  if (peek(cutter) === 'group') {
    const group = textElement('group by', cutter.at)
    cutter.at++
    take(cutter, 'by')
    if (groupings.has(peek(cutter)) && (peek(cutter, 1) === '(' || peek(cutter, 1) === 'sets')) throw unsupportedAt(cutter, cutter.at, `GROUP BY ${peek(cutter).toUpperCase()}`)
    if (peek(cutter) === '(' && peek(cutter, 1) === ')') throw unsupportedAt(cutter, cutter.at, 'GROUP BY ()')
    elements.push(group, ...cutList(cutter))
  }
  if (peek(cutter) === 'having') elements.push(taken(cutter, 'having'), ...operandOf(cutter, cutter.expression()))
  return elements
}
