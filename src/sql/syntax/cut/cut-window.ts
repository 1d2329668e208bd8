/** ORDER BY, LIMIT, OFFSET and FETCH. */
import { LsmtError } from '../../../errors.ts'
import { syntaxErrorAt } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import { accept, peek, unsupportedAt } from '../token-cursor.ts'
import { acceptComma, operandOf, take, unexpected } from './cutter.ts'
import type { Cutter } from './cutter.ts'
import { textElement } from './part.ts'
import type { Element } from './part.ts'

export function cutOrder(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  if (!accept(cutter, 'order')) return []
  take(cutter, 'by')
  const elements: Element[] = [textElement('order by', at)]
  do {
    if (elements.length > 1) elements.push(textElement(',', cutter.at))
    elements.push(...operandOf(cutter, cutter.expression()), ...cutDirection(cutter))
  } while (acceptComma(cutter))
  return elements
}

function cutDirection(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  const elements: Element[] = []
  if (peek(cutter) === 'using') throw unsupportedAt(cutter, at, 'ORDER BY … USING')
  if (accept(cutter, 'asc')) elements.push(textElement('asc', at))
  else if (accept(cutter, 'desc')) elements.push(textElement('desc', at))
  if (peek(cutter) !== 'nulls') return elements
  cutter.at++
  const end = ['first', 'last'].find((word) => accept(cutter, word))
  if (end === undefined) throw syntaxErrorAt(cutter.origin, cutter.at)
  return [...elements, textElement(`nulls ${end}`, at)]
}

/** LIMIT or FETCH, and OFFSET, in either order; the parser gets LIMIT before OFFSET. */
export function cutWindow(cutter: Cutter): readonly Element[] {
  let limit: readonly Element[] | undefined
  let offset: readonly Element[] | undefined
  for (;;) {
    const { at } = cutter
    const word = cutter.tokens[at]?.kind === token.word ? peek(cutter) : ''
    if (word === 'offset') {
      if (offset !== undefined) throw twice(cutter, 'OFFSET')
      offset = cutOffset(cutter)
    } else if (word === 'limit' || word === 'fetch') {
      if (limit !== undefined) throw twice(cutter, 'LIMIT')
      limit = word === 'limit' ? cutLimit(cutter) : cutFetch(cutter)
    } else if (word === 'for') throw unexpected(cutter)
    else return [...(limit ?? []), ...(offset ?? [])]
  }
}

function twice(cutter: Cutter, what: string): Error {
  return new LsmtError('42601', `${what} stands twice`, syntaxErrorAt(cutter.origin, cutter.at).evidence)
}

function cutLimit(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  cutter.at++
  return accept(cutter, 'all') ? [] : counted('limit', at, cutCount(cutter))
}

function cutOffset(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  cutter.at++
  const count = cutCount(cutter)
  if (!accept(cutter, 'rows')) accept(cutter, 'row')
  return counted('offset', at, count)
}

/** FETCH FIRST 5 ROWS ONLY. */
function cutFetch(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  cutter.at++
  if (!accept(cutter, 'first')) take(cutter, 'next')
  if (peek(cutter) === 'row' || peek(cutter) === 'rows') throw unsupportedAt(cutter, at, 'FETCH without a count')
  const count = cutCount(cutter)
  if (!accept(cutter, 'rows')) take(cutter, 'row')
  if (peek(cutter) === 'with') throw unsupportedAt(cutter, cutter.at, 'WITH TIES')
  take(cutter, 'only')
  return counted('limit', at, count)
}

/** A value, or NULL, which counts nothing. */
function cutCount(cutter: Cutter): Element {
  const { at } = cutter
  const [count] = operandOf(cutter, cutter.expression())
  if (count!.kind === 'slot' || (count!.kind === 'text' && count!.text === 'null')) return count!
  throw unsupportedAt(cutter, at, 'an expression in LIMIT or OFFSET')
}

function counted(word: 'limit' | 'offset', at: number, count: Element): readonly Element[] {
  return count.kind === 'slot' ? [textElement(word, at), count] : []
}
