/** LIKE and ILIKE with a pattern that is known. */
import { patternParts } from '../../bytes/like.ts'
import { isWellFormed } from '../../engine/check-value.ts'
import type { Bound, BoundCall } from '../expression/bound.ts'
import type { Run } from '../expression/compile.ts'
import { fixedValue } from './fixed-value.ts'
import type { Lowered } from './lowered.ts'
import { negated, truth } from './truth.ts'

export function lowerLike(run: Run, { name, args }: BoundCall, lower: (part: Bound) => Lowered | undefined): Lowered | undefined {
  const [text, ...patterns] = args as readonly [Bound, ...Bound[]]
  const [pattern, escaping = '\\'] = patterns.map((part) => fixedValue(run, part))
  const operand = lower(text)?.expression
  if (typeof pattern !== 'string' || typeof escaping !== 'string' || operand === undefined || !isPattern(pattern, escaping)) return undefined
  const like = { kind: 'like', operand, pattern, escape: escaping === '' ? undefined : escaping, caseless: name.endsWith('ilike') } as const
  return truth(name.startsWith('not ') ? negated(like) : like)
}

/** What is none fails, but only for rows that it is asked of. */
function isPattern(pattern: string, escaping: string): boolean {
  if (!isWellFormed(pattern) || Array.from(escaping).length > 1) return false
  try {
    patternParts(pattern, escaping === '' ? undefined : escaping)
    return true
  } catch {
    return false
  }
}
