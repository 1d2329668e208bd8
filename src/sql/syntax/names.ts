/**
 * From a shape to the text the parser sees: names are lifted out as literals were, so that no name can be taken for
 * a keyword, lose its quotes or meet a character the parser does not know. Name k becomes "n<k>", slot k becomes
 * $<k+1>; every other word is a keyword, a type or a function.
 */
import type { Edits } from '../scan/disambiguate.ts'
import { createLexer, nextToken, token } from '../scan/lexer.ts'
import { quotedName } from '../scan/literal.ts'
import { reservedWords } from './words.ts'

export interface Name {
  readonly name: string
  /** Index of its token in the shape. */
  readonly tokenIndex: number
}

export interface ParserText {
  readonly text: string
  readonly names: readonly Name[]
  /** Slots count on from those that stand before this text in the statement. */
  readonly slotsBefore: number
  readonly slotCount: number
  /** Offset in `text` of each token of the shape. */
  readonly offsets: readonly number[]
}

export interface ShapeToken {
  readonly kind: number
  readonly text: string
}

export function shapeTokens(shape: string): readonly ShapeToken[] {
  const lexer = createLexer(shape)
  const tokens: ShapeToken[] = []
  while (nextToken(lexer) !== token.end) tokens.push({ kind: lexer.kind, text: shape.slice(lexer.start, lexer.end) })
  return tokens
}

/** Whether the word at an index is a name, given what stands before it. */
export type IsName = (tokens: readonly ShapeToken[], index: number) => boolean

export function parserText(tokens: readonly ShapeToken[], isName: IsName, slotsBefore = 0, edits?: Edits): ParserText {
  const names: Name[] = []
  const offsets: number[] = []
  let slotCount = slotsBefore
  let text = ''
  for (const [index, { kind, text: piece }] of tokens.entries()) {
    if (text !== '' && piece !== '.' && tokens[index - 1]!.text !== '.') text += ' '
    if (edits !== undefined && edits.before[index] !== '') text += `${edits.before[index]} `
    offsets.push(text.length)
    const instead = edits?.instead[index]
    if (instead !== undefined) text += instead
    else if (kind === token.quotedName || (kind === token.word && isName(tokens, index))) {
      text += `"n${names.length}"`
      names.push({ name: kind === token.quotedName ? quotedName(piece, 0, piece.length) : piece, tokenIndex: index })
    } else if (kind === token.positionalParameter) text += `$${++slotCount}`
    else if (!saysNothing(tokens, index)) text += typeNames.get(piece) ?? piece
    if (edits !== undefined) text += edits.after[index]
  }
  return { text, names, slotsBefore, slotCount, offsets }
}

const aggregates = new Set(['count', 'min', 'max', 'sum', 'avg'])

/** `SELECT ALL`, `COUNT(ALL x)` and `BETWEEN ASYMMETRIC` are what the same means without; the parser does not know them. */
function saysNothing(tokens: readonly ShapeToken[], index: number): boolean {
  const { text } = tokens[index]!
  const before = tokens[index - 1]?.text
  if (text === 'asymmetric') return before === 'between'
  if (text !== 'all') return false
  return (index === 1 && before === 'select') || (before === '(' && aggregates.has(tokens[index - 2]!.text))
}

/** Types that the parser knows by another name only, or takes apart (INT8 becomes INT with a length of 8). */
const typeNames: ReadonlyMap<string, string> = new Map([
  ['dec', 'decimal'], ['int8', 'bigint'], ['int4', 'integer'], ['int2', 'smallint'], ['float8', 'double precision'], ['float4', 'real'], ['bool', 'boolean'],
])

/** In queries. */
export const isNameInQuery: IsName = (tokens, index) => {
  const { text: word } = tokens[index]!
  const before = tokens[index - 1]?.text ?? ''
  const after = tokens[index + 1]?.text ?? ''
  if (index === 0) return false
  if (before === '.') return true
  if (reservedWords.has(word)) return false
  if (before === 'from') return true
  return !isContextualKeyword(word, before, after) && after !== '('
}

function isContextualKeyword(word: string, before: string, after: string): boolean {
  switch (word) {
    case 'by':
      return before === 'order' || before === 'group'
    case 'nulls':
      return after === 'first' || after === 'last'
    case 'first':
    case 'last':
      return before === 'nulls'
    case 'precision':
      return before === 'double'
    default:
      return before === '::'
  }
}

/** In DROP TABLE. */
export const isNameInDrop: IsName = (tokens, index) => {
  const { text: word } = tokens[index]!
  if (index < 2 || reservedWords.has(word)) return false
  const before = tokens[index - 1]!.text
  return !(word === 'if' && before === 'table') && !(word === 'exists' && before === 'if') && word !== 'cascade' && word !== 'restrict'
}

const startsConstraint = new Set(['constraint', 'primary', 'unique', 'check', 'foreign', 'exclude', 'like'])

/** In CREATE TABLE: the table, each column at its definition, constraints, and columns listed by constraints. */
export const isNameInCreate: IsName = (tokens, index) => {
  const { text: word } = tokens[index]!
  const before = tokens[index - 1]?.text ?? ''
  const depth = depthAt(tokens, index)
  if (before === '.' || before === 'constraint') return true
  if (depth === 0) return before === 'exists' || (before === 'table' && word !== 'if')
  if (depth === 1) return (before === '(' || before === ',') && !startsConstraint.has(word)
  return depth === 2 && listsColumns(tokens, index) && !reservedWords.has(word)
}

function depthAt(tokens: readonly ShapeToken[], index: number): number {
  let depth = 0
  for (let at = 0; at < index; at++) {
    if (tokens[at]!.text === '(') depth++
    else if (tokens[at]!.text === ')') depth--
  }
  return depth
}

/** Whether the parenthesis around a token was opened after `primary key`, `unique` or `foreign key`. */
function listsColumns(tokens: readonly ShapeToken[], index: number): boolean {
  const open = tokens.slice(0, index).findLastIndex((candidate) => candidate.text === '(')
  const before = tokens[open - 1]?.text
  return before === 'key' || before === 'unique'
}
