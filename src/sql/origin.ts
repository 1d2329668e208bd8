/** Where a statement stands in the text it came from, for errors that say where. */
import { LsmtError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { createLexer, nextToken, token } from './scan/lexer.ts'
import { codePointPosition } from './position.ts'

export interface Origin {
  readonly text: string
  /** Code unit index in `text` of each token of the statement's shape. */
  readonly tokenStarts: readonly number[]
}

/** Where a statement that is run stands. */
export function originOf({ text, statement }: { readonly text: string; readonly statement: Pick<Origin, 'tokenStarts'> }): Origin {
  return { text, tokenStarts: statement.tokenStarts }
}

/** An error about a token of the statement. */
export function errorAt(origin: Origin, tokenIndex: number, code: ErrorCode, message: string, hint?: string): LsmtError {
  const start = origin.tokenStarts[tokenIndex]
  const position = start === undefined ? {} : { position: codePointPosition(origin.text, start) }
  return new LsmtError(code, message, hint === undefined ? position : { ...position, hint })
}

export function unknownTable(origin: Origin, { name, tokenIndex }: { readonly name: string; readonly tokenIndex: number }): LsmtError {
  return errorAt(origin, tokenIndex, '42P01', `table "${name}" does not exist`, 'SHOW TABLES lists those that do')
}

/** 42601 at a token, or at the statement's end. */
export function syntaxErrorAt(origin: Origin, tokenIndex: number): LsmtError {
  const start = origin.tokenStarts[tokenIndex]
  if (start === undefined) return endError(origin)
  const lexer = createLexer(origin.text, start)
  nextToken(lexer)
  return errorAt(origin, tokenIndex, '42601', `syntax error at or near "${origin.text.slice(lexer.start, Math.min(lexer.end, lexer.start + 60))}"`)
}

function endError(origin: Origin): LsmtError {
  const lexer = createLexer(origin.text, origin.tokenStarts.at(-1) ?? 0)
  if (nextToken(lexer) === token.end) return new LsmtError('42601', 'the statement is empty', { position: 1 })
  return new LsmtError('42601', 'syntax error at the end of the statement', { position: codePointPosition(origin.text, lexer.end) })
}
