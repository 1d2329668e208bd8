/** FROM: joins as the parser knows them, each table, query or group of joins a part or a name. */
import { token } from '../../scan/lexer.ts'
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import { accept, peek, readName, unsupportedAt } from '../token-cursor.ts'
import { cutQueryInParentheses } from './cut-operand.ts'
import { acceptComma, cutNames, isNameAhead, nest, operandOf, take, unexpected } from './cutter.ts'
import type { Cutter } from './cutter.ts'
import { nameElement, newPart, partElement, textElement, wholePart } from './part.ts'
import type { Element } from './part.ts'

/** Tables of one FROM: the time to plan their joins grows faster than their number. */
const tablesMax = 200

/**
 * Tables separated by commas: joins bind more strongly. A comma after ON reads as part of the condition, so what is
 * joined before one is a part; CROSS JOIN is a comma, as the parser takes the word for an alias.
 */
export function cutFrom(cutter: Cutter): readonly Element[] {
  const { tables } = cutter
  cutter.tables = 0
  const elements = cutTables(cutter)
  cutter.tables = tables
  return elements
}

function cutTables(cutter: Cutter): readonly Element[] {
  const first = cutJoins(cutter)
  if (peek(cutter) !== ',') return first
  const elements = [...asOne(cutter, first)]
  for (let { at } = cutter; acceptComma(cutter); { at } = cutter) elements.push(textElement(',', at), ...asOne(cutter, cutJoins(cutter)))
  return elements
}

const joinWords: ReadonlyMap<string, string> = new Map([['join', 'join'], ['inner', 'join'], ['left', 'left join'], ['right', 'right join'], ['full', 'full join'], ['cross', ',']])
const outerWords: ReadonlySet<string> = new Set(['left', 'right', 'full'])

function cutJoins(cutter: Cutter): readonly Element[] {
  let elements = cutTable(cutter)
  while (isJoinHere(cutter)) elements = cutJoin(cutter, elements)
  return elements
}

function isJoinHere(cutter: Cutter): boolean {
  if (cutter.tokens[cutter.at]?.kind !== token.word) return false
  return peek(cutter) === 'natural' || joinWords.has(peek(cutter))
}

/** What stands left of a join, and it; `a JOIN b JOIN c ON x ON y` joins b and c first. */
function cutJoin(cutter: Cutter, left: readonly Element[]): readonly Element[] {
  const { at } = cutter
  const isNatural = accept(cutter, 'natural')
  const word = peek(cutter)
  const text = joinWords.get(word)
  if (text === undefined || (isNatural && word === 'cross')) throw unexpected(cutter)
  const join = textElement(text, at)
  cutter.at++
  if (outerWords.has(word)) accept(cutter, 'outer')
  if (word !== 'join') take(cutter, 'join')
  if (isNatural) return [...left, join, ...cutTable(cutter), textElement('on', at), partElement(wholePart({ kind: 'natural' }, at))]
  if (word === 'cross') return [...asOne(cutter, left), join, ...cutTable(cutter)]
  nest(cutter)
  const right = asOne(cutter, cutJoins(cutter))
  cutter.depth--
  return [...left, join, ...right, ...cutCondition(cutter)]
}

/** Tables joined with one another are a part. */
function asOne(cutter: Cutter, tables: readonly Element[]): readonly Element[] {
  return tables.some((element) => element.kind === 'text' && element.text !== 'as') ? [partElement(newPart({ kind: 'from' }, tables, cutter.at))] : tables
}

function cutCondition(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  if (accept(cutter, 'on')) return [textElement('on', at), ...operandOf(cutter, cutter.expression())]
  if (!accept(cutter, 'using')) throw unexpected(cutter)
  const names = cutNames(cutter).flatMap((name, index) => [...(index === 0 ? [] : [textElement(',', at)]), nameElement([name])])
  if (peek(cutter) === 'as') throw unsupportedAt(cutter, cutter.at, 'an alias after USING')
  return [textElement('using (', at), ...names, textElement(')', at)]
}

function cutTable(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  if (++cutter.tables > tablesMax) throw errorAt(cutter.origin, at, '54000', `there are more than ${tablesMax} tables in one FROM`)
  if (peek(cutter) !== '(') return [...cutTableName(cutter), ...cutAlias(cutter)]
  if (cutter.queries.has(at)) return [partElement(cutQueryInParentheses(cutter)), ...cutAlias(cutter)]
  nest(cutter)
  cutter.at++
  const joined = newPart({ kind: 'from' }, cutJoins(cutter), cutter.at)
  take(cutter, ')')
  cutter.depth--
  if (peek(cutter) === 'as' || isNameAhead(cutter)) throw unsupportedAt(cutter, cutter.at, 'an alias of joined tables')
  return [partElement(joined)]
}

function cutTableName(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  if (!isNameAhead(cutter)) throw unexpected(cutter)
  const name = readName(cutter)
  if (peek(cutter) === '(') throw unsupportedAt(cutter, at, 'a function in FROM')
  if (peek(cutter) === '.') throw unsupportedAt(cutter, at, 'a schema before a table name')
  return [nameElement([name])]
}

/** `AS t (a, b)`: the columns go with the name, as the parser does not know them. */
function cutAlias(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  const isWritten = accept(cutter, 'as')
  if (isWritten && !isNameAhead(cutter)) throw syntaxErrorAt(cutter.origin, cutter.at)
  if (!isWritten && !isNameAhead(cutter)) return []
  const alias = readName(cutter)
  const columns = peek(cutter) === '(' ? cutNames(cutter) : undefined
  return [textElement('as', at), nameElement([alias], columns)]
}
