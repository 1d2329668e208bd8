/** The smallest expressions: columns, values, calls, CASE, CAST, and anything in parentheses. */
import { token } from '../../scan/lexer.ts'
import { syntaxErrorAt } from '../../origin.ts'
import { typeNames } from '../names.ts'
import type { Name } from '../names.ts'
import { isTypeName } from '../query/read-type.ts'
import { accept, peek, readName, unsupportedAt } from '../token-cursor.ts'
import { callOf, cutCall } from './cut-call.ts'
import { cutType } from './cut-type.ts'
import { isNameAhead, level, operandOf, operatorCut, take, taken, unexpected, whole, wholeOf } from './cutter.ts'
import type { Cut, Cutter } from './cutter.ts'
import { nameElement, newPart, partElement, textElement, wholePart } from './part.ts'
import type { Element } from './part.ts'

export function cutOperand(cutter: Cutter): Cut {
  const { at, tokens } = cutter
  const next = tokens[at]
  if (next === undefined) throw syntaxErrorAt(cutter.origin, at)
  switch (next.kind) {
    case token.positionalParameter:
      cutter.at++
      return whole([{ kind: 'slot', slot: cutter.slots[at]!, at }])
    case token.number:
      cutter.at++
      return wholeOf(wholePart({ kind: 'number', digits: next.text }, at))
    case token.symbol:
      return next.text === '(' ? cutGroup(cutter) : refuseSymbol(cutter, next.text)
    case token.word:
      return cutWord(cutter, next.text)
    case token.quotedName:
      return cutName(cutter)
  }
  throw syntaxErrorAt(cutter.origin, at)
}

/** What PostgreSQL takes for an operator, its own or one that somebody defines. */
export const operatorSymbol = /^[-~!@#^&|<>=+*/%`]+$/
const knownSymbols = new Set(['=', '<>', '!=', '<', '<=', '>', '>=', '==', '||', '+', '-', '*', '/', '%', '^'])

/** 0A000 for operators that PostgreSQL has beyond those that this version has. */
export function refuseSymbol(cutter: Cutter, symbol: string): never {
  const isOperator = operatorSymbol.test(symbol) && !knownSymbols.has(symbol)
  throw isOperator ? unsupportedAt(cutter, cutter.at, `the operator ${symbol}`) : syntaxErrorAt(cutter.origin, cutter.at)
}

/** A subquery, or an expression in parentheses, which needs none in its own part. */
function cutGroup(cutter: Cutter): Cut {
  const { at } = cutter
  if (cutter.queries.has(at)) return wholeOf(cutQueryInParentheses(cutter))
  cutter.at++
  const inner = cutter.expression()
  if (peek(cutter) === ',') throw unsupportedAt(cutter, at, 'a row of several values')
  const operand = [...operandOf(cutter, inner)]
  take(cutter, ')')
  if (peek(cutter) === '.') throw unsupportedAt(cutter, cutter.at, 'a field of a value')
  return whole(operand)
}

export function cutQueryInParentheses(cutter: Cutter): ReturnType<Cutter['query']> {
  take(cutter, '(')
  const query = cutter.query()
  take(cutter, ')')
  return query
}

/** Words that are functions of no arguments. */
const wordCalls: ReadonlyMap<string, string> = new Map([['current_timestamp', 'now'], ['localtimestamp', 'now'], ['current_date', 'current_date']])
const reservedFunctions = new Set(['left', 'right'])

function cutWord(cutter: Cutter, word: string): Cut {
  const { at } = cutter
  const after = peek(cutter, 1)
  const called = wordCalls.get(word)
  if (called !== undefined) {
    cutter.at++
    if (after === '(') throw unsupportedAt(cutter, at, `${word.toUpperCase()} with a precision`)
    return callOf(cutter, { name: called, operands: [] }, at)
  }
  switch (word) {
    case 'null':
    case 'true':
    case 'false':
      cutter.at++
      return whole([textElement(word, at)])
    case 'case':
      return cutCase(cutter)
    case 'cast':
      return cutCast(cutter)
    case 'exists':
      if (!cutter.queries.has(at + 1)) break
      cutter.at++
      return wholeOf(newPart({ kind: 'operator', operator: 'exists', negated: false }, callExists(cutter, at), cutter.at))
    case 'interval':
      if (cutter.tokens[at + 1]?.kind !== token.positionalParameter) break
      return cutInterval(cutter)
    case 'row':
    case 'grouping':
      if (after === '(') throw unsupportedAt(cutter, at, word.toUpperCase())
  }
  if (isTextAhead(cutter) && isTypeName(typeNames.get(word) ?? word)) return cutTypedText(cutter)
  if (after === '(' && reservedFunctions.has(word)) {
    cutter.at++
    return cutCall(cutter, word, at)
  }
  return cutName(cutter)
}

/** Whether a text literal comes next: numbers and parameters are slots as well. */
function isTextAhead({ tokens, at, origin }: Cutter): boolean {
  if (tokens[at + 1]?.kind !== token.positionalParameter) return false
  const start = origin.tokenStarts[at + 1]!
  return /^(?:e?'|\$(?!\d))/i.test(origin.text.slice(start, start + 2))
}

/** `bool 't'` is a cast. */
function cutTypedText(cutter: Cutter): Cut {
  const { at, tokens, slots } = cutter
  const type = typeNames.get(tokens[at]!.text) ?? tokens[at]!.text
  cutter.at += 2
  return wholeOf(newPart({ kind: 'tree' }, [textElement('cast (', at), { kind: 'slot', slot: slots[at + 1]!, at: at + 1 }, textElement(`as ${type} )`, at)], cutter.at))
}

function callExists(cutter: Cutter, at: number): Element[] {
  return [textElement('call (', at), partElement(cutQueryInParentheses(cutter)), textElement(')', at)]
}

const intervalFields = new Set(['year', 'month', 'day', 'hour', 'minute', 'second'])

function cutInterval(cutter: Cutter): Cut {
  const { at, slots } = cutter
  cutter.at += 2
  const field = peek(cutter)
  if (intervalFields.has(field)) throw unsupportedAt(cutter, cutter.at, `INTERVAL … ${field.toUpperCase()}`)
  const { meaning, elements } = operatorCut('interval', false, [[{ kind: 'slot', slot: slots[at + 1]!, at: at + 1 }]], at, level.whole)
  return wholeOf(newPart(meaning, elements, cutter.at))
}

/** A column, or the call of a function. */
function cutName(cutter: Cutter): Cut {
  const { at } = cutter
  if (!isNameAhead(cutter)) throw unexpected(cutter)
  const names: Name[] = [readName(cutter)]
  while (peek(cutter) === '.') {
    cutter.at++
    names.push(readField(cutter))
  }
  if (peek(cutter) === '(') {
    if (names.length > 1) throw unsupportedAt(cutter, at, 'a schema before a function name')
    return cutCall(cutter, names[0]!.name, at)
  }
  if (names.length > 2) throw unsupportedAt(cutter, at, 'a schema before a table name')
  return whole([nameElement(names)])
}

/** After a point every word is a name. */
function readField(cutter: Cutter): Name {
  const { at, tokens } = cutter
  if (tokens[at]?.kind !== token.word) return readName(cutter)
  cutter.at++
  return { name: tokens[at].text, tokenIndex: at }
}

function cutCase(cutter: Cutter): Cut {
  const { at } = cutter
  const elements: Element[] = [taken(cutter, 'case')]
  const push = (): void => {
    elements.push(...operandOf(cutter, cutter.expression()))
  }
  if (peek(cutter) !== 'when') push()
  do {
    elements.push(taken(cutter, 'when'))
    push()
    elements.push(taken(cutter, 'then'))
    push()
  } while (peek(cutter) === 'when')
  if (peek(cutter) === 'else') {
    elements.push(taken(cutter, 'else'))
    push()
  }
  elements.push(taken(cutter, 'end'))
  return wholeOf({ ...newPart({ kind: 'tree' }, elements, cutter.at), start: at })
}

function cutCast(cutter: Cutter): Cut {
  const { at } = cutter
  cutter.at++
  take(cutter, '(')
  const operand = operandOf(cutter, cutter.expression())
  if (!accept(cutter, 'as')) throw unexpected(cutter)
  const cast = castOf(cutter, operand, at)
  take(cutter, ')')
  return cast
}

/** The cast to the type that stands here. */
export function castOf(cutter: Cutter, operand: readonly Element[], at: number): Cut {
  const elements = [textElement('cast (', at), ...operand, textElement('as', cutter.at), textElement(`${cutType(cutter)} )`, cutter.at - 1)]
  return wholeOf(newPart({ kind: 'tree' }, elements, cutter.at))
}
