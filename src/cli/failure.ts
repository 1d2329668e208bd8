/** An error as one line for people: what was wrong, where in the statement, what to do. */
import { LsmtError } from '../errors.ts'
import { describeFault } from './serve.ts'

export function describeFailure(error: unknown): string {
  if (!(error instanceof LsmtError) || error.code === 'XX000') return describeFault(error)
  const { hint, position } = error.evidence
  return `lsmt: ${error.message}${position === undefined ? '' : ` at character ${position}`}${hint === undefined ? '' : ` (${hint})`}`
}
