/** `WITH (insert = 'upsert')` after the columns of CREATE TABLE: taken apart here, since the parser knows other options only. */
import type { LsmtError } from '../../../errors.ts'
import { token } from '../../scan/lexer.ts'
import { plainText } from '../../scan/literal.ts'
import type { ShapeToken } from '../names.ts'
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import type { Origin } from '../../origin.ts'

export interface SplitDefinition {
  readonly definition: readonly ShapeToken[]
  readonly onInsert: 'error' | 'upsert'
}

export function splitTableOptions(tokens: readonly ShapeToken[], origin: Origin): SplitDefinition {
  const at = tokens.findIndex(({ kind, text }, index) => kind === token.word && text === 'with' && tokens[index - 1]?.text === ')' && depth(tokens, index) === 0)
  if (at < 0) return { definition: tokens, onInsert: 'error' }
  if (tokens[at + 1]?.text !== '(') throw syntaxErrorAt(origin, at + 1)
  return { definition: tokens.slice(0, at), onInsert: readOptions(tokens, at + 2, origin) }
}

function depth(tokens: readonly ShapeToken[], end: number): number {
  let open = 0
  for (let at = 0; at < end; at++) open += tokens[at]!.text === '(' ? 1 : tokens[at]!.text === ')' ? -1 : 0
  return open
}

function readOptions(tokens: readonly ShapeToken[], from: number, origin: Origin): 'error' | 'upsert' {
  let onInsert: 'error' | 'upsert' | undefined
  for (let at = from; ; at += 4) {
    const [name, equals, value, close] = tokens.slice(at, at + 4)
    if (name?.kind !== token.word) throw syntaxErrorAt(origin, at)
    if (name.text !== 'insert') throw errorAt(origin, at, '22023', `there is no table option "${name.text}"`, "the options are: insert = 'upsert' or 'error'")
    if (equals?.text !== '=') throw syntaxErrorAt(origin, at + 1)
    if (onInsert !== undefined) throw errorAt(origin, at, '42601', 'the option "insert" stands twice')
    onInsert = insertOption(value, at + 2, origin)
    if (close?.text === ')' && tokens.length > at + 4) throw afterOptions(tokens, at + 4, origin)
    if (close?.text === ')') return onInsert
    if (close?.text !== ',') throw syntaxErrorAt(origin, at + 3)
  }
}

function insertOption(value: ShapeToken | undefined, index: number, origin: Origin): 'error' | 'upsert' {
  if (value === undefined) throw syntaxErrorAt(origin, index)
  const text = value.kind === token.text ? plainText(value.text, 0, value.text.length) : value.text
  if (text === 'error' || text === 'upsert') return text
  throw errorAt(origin, index, '22023', `the option insert is 'upsert' or 'error', not ${value.text}`)
}

function afterOptions(tokens: readonly ShapeToken[], index: number, origin: Origin): LsmtError {
  return errorAt(origin, index, '0A000', `${tokens[index]!.text.toUpperCase()} after WITH (…) is not supported`)
}
