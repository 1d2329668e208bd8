/**
 * The tokens of a shape, and which of its words are names. Names are lifted out of what the parser sees, as literals
 * were, so that no name can be taken for a keyword, lose its quotes or meet a character the parser does not know.
 */
import { createLexer, nextToken, token } from '../scan/lexer.ts'
import { reservedWords } from './words.ts'

export interface Name {
  readonly name: string
  /** Index of its token in the shape. */
  readonly tokenIndex: number
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

/** Types that the parser knows by another name only, or takes apart (INT8 becomes INT with a length of 8). */
export const typeNames: ReadonlyMap<string, string> = new Map([
  ['dec', 'decimal'], ['int8', 'bigint'], ['int4', 'integer'], ['int2', 'smallint'], ['float8', 'double precision'], ['float4', 'real'], ['bool', 'boolean'],
])

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
