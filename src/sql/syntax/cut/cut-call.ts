/** Calls of functions, those with words between their arguments included. */
import { token } from '../../scan/lexer.ts'
import { syntaxErrorAt } from '../../origin.ts'
import { accept, peek, unsupportedAt } from '../token-cursor.ts'
import { acceptComma, callElements, level, operandOf, take, unexpected, wholeOf } from './cutter.ts'
import type { Cut, Cutter } from './cutter.ts'
import { newPart, partElement, wholePart } from './part.ts'
import type { Element } from './part.ts'

type Operand = readonly Element[]

interface CallText {
  readonly name: string
  readonly operands: readonly Operand[]
  readonly distinct?: boolean
  readonly star?: boolean
  /** The condition of FILTER. */
  readonly filter?: Operand | undefined
}

const unsupportedAfter: ReadonlyMap<string, string> = new Map([['over', 'OVER'], ['within', 'WITHIN GROUP']])

/** The call whose name, which is the token at `start`, was read. */
export function cutCall(cutter: Cutter, name: string, start: number): Cut {
  const special = cutter.tokens[start]!.kind === token.word && Object.hasOwn(specialCalls, name) ? specialCalls[name] : undefined
  take(cutter, '(')
  const call = special === undefined ? cutArguments(cutter, name) : special(cutter, name)
  take(cutter, ')')
  const filter = cutFilter(cutter)
  const what = unsupportedAfter.get(peek(cutter))
  if (what !== undefined && cutter.tokens[cutter.at]!.kind === token.word) throw unsupportedAt(cutter, cutter.at, what)
  return callOf(cutter, { ...call, filter }, start)
}

export function callOf(cutter: Cutter, { name, operands, distinct = false, star = false, filter }: CallText, start: number): Cut {
  const all = filter === undefined ? operands : [...operands, filter]
  return wholeOf(newPart({ kind: 'call', name, distinct, star, filtered: filter !== undefined }, callElements(all, start), cutter.at))
}

/** FILTER (WHERE …). */
function cutFilter(cutter: Cutter): Operand | undefined {
  if (peek(cutter) !== 'filter' || peek(cutter, 1) !== '(' || cutter.tokens[cutter.at]!.kind !== token.word) return undefined
  cutter.at += 2
  take(cutter, 'where')
  const condition = cutOperand(cutter)
  take(cutter, ')')
  return condition
}

function cutArguments(cutter: Cutter, name: string): CallText {
  if (peek(cutter) === ')') return { name, operands: [] }
  if (peek(cutter, 1) === ')' && accept(cutter, '*')) return { name, operands: [], star: true }
  const distinct = accept(cutter, 'distinct')
  if (!distinct) accept(cutter, 'all')
  const operands = cutOperands(cutter)
  if (peek(cutter) === 'order') throw unsupportedAt(cutter, cutter.at, 'ORDER BY in a call')
  return { name, operands, distinct }
}

function cutOperands(cutter: Cutter): readonly Operand[] {
  const operands: Operand[] = []
  do operands.push(cutOperand(cutter))
  while (acceptComma(cutter))
  return operands
}

function cutOperand(cutter: Cutter): Operand {
  return operandOf(cutter, cutter.expression())
}

type SpecialCall = (cutter: Cutter, name: string) => CallText

const specialCalls: Readonly<Record<string, SpecialCall>> = {
  extract: (cutter) => {
    const { at, tokens } = cutter
    const field = tokens[at]
    const isWord = field?.kind === token.word
    if (isWord) cutter.at++
    const operand = isWord ? [partElement(wholePart({ kind: 'word', text: field.text }, at))] : cutOperand(cutter)
    take(cutter, 'from')
    return { name: 'extract', operands: [operand, cutOperand(cutter)] }
  },
  position: (cutter) => {
    const sought = operandOf(cutter, cutter.expression(level.is, true))
    if (!accept(cutter, 'in')) take(cutter, ',')
    return { name: 'position', operands: [sought, operandOf(cutter, cutter.expression(level.is, true))] }
  },
  substring: (cutter, name) => {
    const operands = [...(peek(cutter) === ')' ? [] : cutOperands(cutter))]
    if (peek(cutter) === 'similar') throw unexpected(cutter)
    const { at } = cutter
    let from: Operand | undefined
    let count: Operand | undefined
    for (;;) {
      if (from === undefined && accept(cutter, 'from')) from = cutOperand(cutter)
      else if (count === undefined && accept(cutter, 'for')) count = cutOperand(cutter)
      else break
    }
    if (from === undefined && count !== undefined) from = [partElement(wholePart({ kind: 'number', digits: '1' }, at))]
    return { name, operands: [...operands, ...(from === undefined ? [] : [from]), ...(count === undefined ? [] : [count])] }
  },
  overlay: (cutter, name) => {
    const operands = [...cutOperands(cutter)]
    for (const word of ['placing', 'from', 'for']) if (accept(cutter, word)) operands.push(cutOperand(cutter))
    return { name, operands }
  },
  trim: (cutter) => {
    const side = ['both', 'leading', 'trailing'].find((word) => accept(cutter, word))
    const before = peek(cutter) === 'from' ? [] : cutOperands(cutter)
    const operands = accept(cutter, 'from') ? [...cutOperands(cutter), ...before] : before
    if (operands.length === 0) throw syntaxErrorAt(cutter.origin, cutter.at)
    return { name: side === 'leading' ? 'ltrim' : side === 'trailing' ? 'rtrim' : 'btrim', operands }
  },
}
