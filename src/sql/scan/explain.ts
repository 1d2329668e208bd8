/**
 * EXPLAIN and its options, taken off before the statement behind it is scanned: that keeps its own shape, and so its
 * plan, and its own positions.
 */
import { LsmtError } from '../../errors.ts'
import { codePointPosition } from '../position.ts'
import { nextToken, syntaxError, token } from './lexer.ts'
import type { Lexer } from './lexer.ts'

export interface Explain {
  /** Whether the statement is run, and what it did is told; a write is written. */
  readonly analyze: boolean
  readonly format: 'text' | 'json'
}

/** To be called at the word EXPLAIN; the lexer is left before the statement. 42601 and 0A000 for other options. */
export function scanExplain(lexer: Lexer): Explain {
  const listed = scanOptionList(lexer)
  if (listed !== undefined) return listed
  let analyze = false
  for (;;) {
    const word = peekWord(lexer)
    if (word === 'verbose') throw unsupported(lexer, 'VERBOSE')
    if (word !== 'analyze' && word !== 'analyse') return { analyze, format: 'text' }
    analyze = true
    nextToken(lexer)
  }
}

/** `(ANALYZE, FORMAT JSON)`; undefined when no such list stands here. */
function scanOptionList(lexer: Lexer): Explain | undefined {
  const before = lexer.end
  if (nextToken(lexer) !== token.symbol || textOf(lexer) !== '(' || startsQuery(peekWord(lexer))) {
    lexer.end = before
    return undefined
  }
  let explain: Explain = { analyze: false, format: 'text' }
  for (;;) {
    explain = scanOption(lexer, explain)
    nextToken(lexer)
    if (textOf(lexer) === ')') return explain
    if (textOf(lexer) !== ',') throw unexpected(lexer)
  }
}

function startsQuery(word: string): boolean {
  return word === '' || word === 'select' || word === 'with' || word === 'values'
}

function scanOption(lexer: Lexer, explain: Explain): Explain {
  const option = peekWord(lexer)
  nextToken(lexer)
  switch (option) {
    case 'analyze':
    case 'analyse':
      return { ...explain, analyze: scanSwitch(lexer) }
    case 'format': {
      const format = peekWord(lexer)
      if (format === 'text' || format === 'json') {
        nextToken(lexer)
        return { ...explain, format }
      }
      if (format === 'xml' || format === 'yaml') throw unsupported(lexer, `FORMAT ${format.toUpperCase()}`)
      nextToken(lexer)
      throw unexpected(lexer)
    }
    case '':
      throw unexpected(lexer)
    default:
      throw new LsmtError('0A000', `EXPLAIN (${option.toUpperCase()}) is not supported: the options are ANALYZE and FORMAT`, { position: codePointPosition(lexer.text, lexer.start) })
  }
}

/** A boolean that may be left out for true. */
function scanSwitch(lexer: Lexer): boolean {
  const word = peekWord(lexer)
  if (word !== 'true' && word !== 'on' && word !== 'false' && word !== 'off') return true
  nextToken(lexer)
  return word === 'true' || word === 'on'
}

/** The next token if it is a word, in lower case; '' otherwise. */
function peekWord(lexer: Lexer): string {
  const { kind, start, end } = lexer
  const word = nextToken(lexer) === token.word ? textOf(lexer).toLowerCase() : ''
  lexer.kind = kind
  lexer.start = start
  lexer.end = end
  return word
}

function textOf({ text, start, end }: Lexer): string {
  return text.slice(start, end)
}

function unsupported(lexer: Lexer, what: string): LsmtError {
  nextToken(lexer)
  return new LsmtError('0A000', `EXPLAIN ${what} is not supported`, { position: codePointPosition(lexer.text, lexer.start) })
}

function unexpected(lexer: Lexer): LsmtError {
  return syntaxError(lexer.text, lexer.start, lexer.kind === token.end ? 'syntax error at the end of the statement' : `syntax error at or near "${textOf(lexer).slice(0, 60)}"`)
}
