/** A place in the tokens of a statement that is being cut into parts, and what all cuts need. */
import { LsmtError } from '../../../errors.ts'
import { syntaxErrorAt } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import type { Name } from '../names.ts'
import { peek, readName, unsupportedAt } from '../token-cursor.ts'
import type { TokenCursor } from '../token-cursor.ts'
import { reservedWords, supportedInQueries, unsupportedWord } from '../words.ts'
import { newPart, partElement, textElement } from './part.ts'
import type { Element, Meaning, Operator, Part } from './part.ts'

/** Nesting of queries and expressions beyond which a statement is refused (54000): the readers and the binder recurse along it. */
export const nestingMax = 500

/** How strongly operators bind, by PostgreSQL's table. */
export const level = { or: 1, and: 2, not: 3, is: 4, comparison: 5, range: 6, other: 7, sum: 8, product: 9, power: 10, sign: 11, cast: 12, whole: 13 } as const

/** An expression that was cut: what it consists of, and how strongly its outermost operator binds. */
export interface Cut {
  readonly level: number
  readonly meaning: Meaning
  readonly elements: Element[]
  /** Whether it ends by itself, so that an operator of its own level may follow: `a IS NULL`, `a IN (…)`. */
  readonly closed: boolean
}

export interface Cutter extends TokenCursor {
  /** The slot of each token that is one. */
  readonly slots: readonly number[]
  /** The closing parenthesis of each token that opens one. */
  readonly closes: readonly number[]
  /** Opening parentheses around queries. */
  readonly queries: ReadonlySet<number>
  depth: number
  /** Tables so far in the FROM that is being cut. */
  tables: number
  /**
   * Cuts the longest expression that starts here, of operators that bind at least as strongly as `least`.
   * `plain`: without AND, OR, NOT, IS NULL, IN, LIKE and BETWEEN, as PostgreSQL has it before BETWEEN's AND and POSITION's IN.
   */
  readonly expression: (least?: number, plain?: boolean) => Cut
  /** Cuts the query that starts here. */
  readonly query: () => Part
}

export function nest(cutter: Cutter): void {
  if (++cutter.depth > nestingMax) throw new LsmtError('54000', `the statement nests deeper than ${nestingMax} levels`)
}

/** What stands here does not belong here: 0A000 when it begins something that is not supported, otherwise 42601. */
export function unexpected(cutter: Cutter): Error {
  const word = cutter.tokens[cutter.at]?.kind === token.word ? peek(cutter) : ''
  const what = supportedInQueries.has(word) ? undefined : unsupportedWord(word, false)
  return what === undefined ? syntaxErrorAt(cutter.origin, cutter.at) : unsupportedAt(cutter, cutter.at, what)
}

/** Goes past a word or symbol that must stand here. */
export function take(cutter: Cutter, text: string): void {
  if (peek(cutter) !== text) throw unexpected(cutter)
  cutter.at++
}

/** The same, for the text of a part. */
export function taken(cutter: Cutter, text: string): Element {
  const { at } = cutter
  take(cutter, text)
  return textElement(text, at)
}

/** Whether a name stands `ahead` tokens on: quoted, or a word that is not reserved. */
export function isNameAhead({ tokens, at }: Cutter, ahead = 0): boolean {
  const next = tokens[at + ahead]
  return next !== undefined && (next.kind === token.quotedName || (next.kind === token.word && !reservedWords.has(next.text)))
}

/** `(a, b)`. */
export function cutNames(cutter: Cutter): readonly Name[] {
  const names: Name[] = []
  take(cutter, '(')
  do names.push(readName(cutter))
  while (acceptComma(cutter))
  take(cutter, ')')
  return names
}

export function acceptComma(cutter: Cutter): boolean {
  if (peek(cutter) !== ',') return false
  cutter.at++
  return true
}

/** An expression as an operand of something else: what is not whole becomes a part of its own. */
export function operandOf(cutter: Cutter, cut: Cut): readonly Element[] {
  return cut.level === level.whole ? cut.elements : [partElement(newPart(cut.meaning, cut.elements, cutter.at))]
}

export function whole(elements: Element[]): Cut {
  return { level: level.whole, meaning: { kind: 'tree' }, elements, closed: true }
}

export function wholeOf(part: Part): Cut {
  return whole([partElement(part)])
}

/** Expressions separated by commas, as operands. */
export function cutList(cutter: Cutter): Element[] {
  const elements: Element[] = []
  do {
    if (elements.length > 0) elements.push(textElement(',', cutter.at))
    elements.push(...operandOf(cutter, cutter.expression()))
  } while (acceptComma(cutter))
  return elements
}

/** Operands as the arguments of a call; `at` is the call's first token. */
export function callElements(operands: readonly (readonly Element[])[], at: number): Element[] {
  const elements: Element[] = [textElement('call (', at)]
  for (const [index, operand] of operands.entries()) {
    if (index > 0) elements.push(textElement(',', operand[0]!.at))
    elements.push(...operand)
  }
  elements.push(textElement(')', at))
  return elements
}

export function operatorCut(operator: Operator, negated: boolean, operands: readonly (readonly Element[])[], at: number, bindsAs: number, closed = false): Cut {
  return { level: bindsAs, meaning: { kind: 'operator', operator, negated }, elements: callElements(operands, at), closed }
}
