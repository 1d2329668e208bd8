/** Parentheses of a statement: which belong together, and which are around queries. */
import { syntaxErrorAt } from '../../origin.ts'
import type { Origin } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import type { ShapeToken } from '../names.ts'

export interface Groups {
  /** By the index of an opening parenthesis, that of its closing one. */
  readonly closes: readonly number[]
  /** Opening parentheses around queries. */
  readonly queries: ReadonlySet<number>
}

/** 42601 for a parenthesis without its other half. */
export function groupsOf(tokens: readonly ShapeToken[], origin: Origin): Groups {
  const closes: number[] = []
  const opens: number[] = []
  const pending: number[] = []
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind !== token.symbol) continue
    if (text === '(') {
      pending.push(at)
      opens.push(at)
    } else if (text === ')') {
      const open = pending.pop()
      if (open === undefined) throw syntaxErrorAt(origin, at)
      closes[open] = at
    }
  }
  if (pending.length > 0) throw syntaxErrorAt(origin, tokens.length)
  return { closes, queries: queriesAmong(tokens, opens, closes) }
}

const afterQuery = new Set(['union', 'intersect', 'except', 'order', 'limit', 'offset', 'fetch', 'for'])

/** From the innermost outwards: a query may begin with a query in parentheses, as an expression and a join may. */
function queriesAmong(tokens: readonly ShapeToken[], opens: readonly number[], closes: readonly number[]): ReadonlySet<number> {
  const queries = new Set<number>()
  for (const open of opens.toReversed()) {
    if (isQueryStart(tokens, open + 1)) queries.add(open)
    if (!queries.has(open + 1)) continue
    const after = closes[open + 1]! + 1
    const next = tokens[after]!
    if (after === closes[open] || (next.kind === token.word && afterQuery.has(next.text))) queries.add(open)
  }
  return queries
}

function isQueryStart(tokens: readonly ShapeToken[], at: number): boolean {
  const { kind, text } = tokens[at]!
  return kind === token.word && (text === 'select' || text === 'with' || (text === 'values' && tokens[at + 1]?.text === '('))
}
