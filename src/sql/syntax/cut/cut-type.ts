/** The type of a cast. */
import { token } from '../../scan/lexer.ts'
import { syntaxErrorAt } from '../../origin.ts'
import { typeNames } from '../names.ts'
import { isTypeName } from '../query/read-type.ts'
import { accept, peek, unsupportedAt } from '../token-cursor.ts'
import type { Cutter } from './cutter.ts'
import { take } from './cutter.ts'

/** Second words of types, by their first. */
const longNames: ReadonlyMap<string, readonly string[]> = new Map([['double', ['precision']], ['character', ['varying']], ['bit', ['varying']], ['national', ['character', 'char']]])

/** Reads a type's name as the parser knows it; 0A000 for one that this version does not have. */
export function cutType(cutter: Cutter): string {
  const { at, tokens } = cutter
  const first = tokens[at]
  if (first === undefined || (first.kind !== token.word && first.kind !== token.quotedName)) throw syntaxErrorAt(cutter.origin, at)
  cutter.at++
  const second = peek(cutter)
  const isLong = longNames.get(first.text)?.includes(second) === true
  if (isLong) cutter.at++
  const name = isLong ? `${first.text} ${second}` : (typeNames.get(first.text) ?? first.text)
  if (first.kind === token.quotedName || !isTypeName(name)) throw unsupportedAt(cutter, at, `the type ${name.toUpperCase()}`)
  const size = peek(cutter) === '(' ? cutSize(cutter, at, name) : ''
  if (accept(cutter, 'with', 'time', 'zone')) throw unsupportedAt(cutter, at, `the type ${name.toUpperCase()} WITH TIME ZONE`)
  if (name === 'timestamp') accept(cutter, 'without', 'time', 'zone')
  if (peek(cutter) === '[') throw unsupportedAt(cutter, at, `the type ${name.toUpperCase()}[]`)
  return name + size
}

/** `(10, 2)`; the scan leaves the numbers of the types that have them. */
function cutSize(cutter: Cutter, at: number, name: string): string {
  const numbers: string[] = []
  take(cutter, '(')
  do {
    const next = cutter.tokens[cutter.at]
    if (next?.kind === token.positionalParameter) throw unsupportedAt(cutter, at, `the type ${name.toUpperCase()}(…)`)
    if (next?.kind !== token.number) throw syntaxErrorAt(cutter.origin, cutter.at)
    numbers.push(next.text)
    cutter.at++
  } while (accept(cutter, ','))
  take(cutter, ')')
  return `(${numbers.join(',')})`
}
