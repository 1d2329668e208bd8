/** Positions in statements, as users count them: characters, from 1. Counted only when there is an error to report. */
import { LsmtError } from '../errors.ts'

/** The 1-based character position of a code unit index. */
export function codePointPosition(text: string, index: number): number {
  let position = 1
  for (let at = 0; at < index; at++) {
    const unit = text.charCodeAt(at)
    const low = unit >= 0xd800 && unit <= 0xdbff ? text.charCodeAt(at + 1) : 0
    if (low >= 0xdc00 && low <= 0xdfff) at++
    position++
  }
  return position
}

/** The error with a position, unless it has one. */
export function withPosition(error: unknown, text: string, index: number): unknown {
  if (!(error instanceof LsmtError) || error.evidence.position !== undefined || index < 0) return error
  return new LsmtError(error.code, error.message, { ...error.evidence, position: codePointPosition(text, index) }, error)
}
