/** What the parser sees: a query cut into parts, a definition as it stands. */
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import type { Origin } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import { quotedName } from '../../scan/literal.ts'
import { typeNames } from '../names.ts'
import type { IsName, ShapeToken } from '../names.ts'
import { isTypeName } from '../query/read-type.ts'
import { reservedWords, unsupportedWord } from '../words.ts'
import type { Piece } from '../write/split-write.ts'
import { cutExpression } from './cut-expression.ts'
import { cutQuery } from './cut-query.ts'
import { unexpected } from './cutter.ts'
import type { Cutter } from './cutter.ts'
import { groupsOf } from './groups.ts'
import { nameElement, newPart, textElement } from './part.ts'
import type { Element, Part } from './part.ts'

/** A query that is a statement, or some of a statement's tokens. */
export function cutWholeQuery(piece: Piece, origin: Origin): Part {
  const cutter = newCutter(piece, origin)
  const query = cutQuery(cutter)
  if (cutter.at < piece.tokens.length) throw unexpected(cutter)
  return query
}

/** A cutter that never stands on an emptied token. */
function newCutter({ tokens, slotsBefore }: Piece, origin: Origin): Cutter {
  let place = 0
  const cutter: Cutter = {
    tokens,
    origin,
    get at() {
      return place
    },
    set at(next) {
      place = next
      while (tokens[place]?.text === '') place++
    },
    slots: slotsOf(tokens, slotsBefore),
    ...groupsOf(tokens, origin),
    depth: 0,
    tables: 0,
    expression: (least, plain) => cutExpression(cutter, least, plain),
    query: () => cutQuery(cutter),
  }
  cutter.at = 0
  return cutter
}

function slotsOf(tokens: readonly ShapeToken[], first: number): readonly number[] {
  const slots: number[] = []
  let next = first
  for (const [at, { kind }] of tokens.entries()) if (kind === token.positionalParameter) slots[at] = next++
  return slots
}

/** Parentheses in a definition; the parser's time doubles with each level. */
const definitionNestingMax = 4

/** Names apart, as the definition of a table holds no values. 0A000 for words of what is not supported. */
export function verbatim(tokens: readonly ShapeToken[], origin: Origin, isName: IsName, definition: boolean): Part {
  let depth = 0
  const elements = tokens.map(({ kind, text }, at): Element => {
    if (kind === token.symbol) depth += text === '(' ? 1 : text === ')' ? -1 : 0
    if (depth > definitionNestingMax) throw syntaxErrorAt(origin, at)
    if (kind === token.quotedName) return nameElement([{ name: quotedName(text, 0, text.length), tokenIndex: at }])
    if (kind !== token.word) return textElement(text, at)
    if (isName(tokens, at)) return nameElement([{ name: text, tokenIndex: at }])
    const what = unsupportedWord(text, definition) ?? (definition && depth === 1 ? unknownType(tokens, at, isName) : undefined)
    if (what !== undefined) throw errorAt(origin, at, '0A000', `${what} is not supported`)
    return textElement(typeNames.get(text) ?? text, at)
  })
  return newPart({ kind: 'statement' }, elements, tokens.length)
}

/** The type of a column, when the parser would not know it for one. */
function unknownType(tokens: readonly ShapeToken[], at: number, isName: IsName): string | undefined {
  const { text } = tokens[at]!
  const before = tokens[at - 1]!
  if (before.kind !== token.quotedName && !(before.kind === token.word && isName(tokens, at - 1))) return undefined
  const known = reservedWords.has(text) || isTypeName(typeNames.get(text) ?? text) || (text === 'character' && tokens[at + 1]?.text === 'varying')
  return known ? undefined : `the type ${text.toUpperCase()}`
}
