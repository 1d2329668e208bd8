/** What a program may hand over however its types were checked: 22023 where it is something else, or names an option that would change nothing. */
import { LsmtError } from '../../errors.ts'

/** `what` with its article: 'the row'. */
export function checkObject(given: unknown, what: string): void {
  if (typeof given !== 'object' || given === null) throw new LsmtError('22023', `${what} is an object; it was given as ${described(given)}`)
}

export function checkOptions(given: unknown, names: readonly string[], what: string): void {
  checkObject(given, what)
  for (const name in given as object) if (!names.includes(name)) throw new LsmtError('22023', `'${name}' is none of ${what}, which are ${names.join(', ')}`)
}

export function checkText(given: unknown, what: string): void {
  if (typeof given !== 'string') throw new LsmtError('22023', `${what} is a text; it was given as ${described(given)}`)
}

export function checkList(given: unknown, what: string): void {
  if (!Array.isArray(given)) throw new LsmtError('22023', `${what} is an array; it was given as ${described(given)}`)
}

export function checkFunction(given: unknown, what: string): void {
  if (typeof given !== 'function') throw new LsmtError('22023', `${what} is a function; it was given as ${described(given)}`)
}

/** Its kind, and its value where that is short: never what a row may hold. */
export function described(given: unknown): string {
  if (given === null || given === undefined || typeof given === 'boolean' || typeof given === 'number') return String(given)
  return typeof given === 'object' ? (Array.isArray(given) ? 'an array' : 'an object') : `a ${typeof given}`
}
