/** LIKE: % stands for any characters, _ for one, an escape for the character after it. */
import { LsmtError } from '../errors.ts'

export type Matcher = (text: string) => boolean

/** undefined as escape: none. 22P02 for a pattern that ends in its escape. */
export function createMatcher(pattern: string, escape: string | undefined, caseless: boolean): Matcher {
  const parts = patternParts(caseless ? pattern.toLowerCase() : pattern, escape)
  const matches = simpleMatcher(parts) ?? ((text: string) => matchParts(parts, text))
  return caseless ? (text) => matches(text.toLowerCase()) : matches
}

const any = Symbol('%')
const one = Symbol('_')
/** A literal, or what stands for characters. */
export type Part = string | typeof any | typeof one

export const isLiteral = (part: Part): part is string => typeof part === 'string'
/** Whether it is a %. */
export const isManyCharacters = (part: Part): boolean => part === any

/** What a pattern consists of; no two % follow each other. 22P02 for a pattern that ends in its escape. */
export function patternParts(pattern: string, escape: string | undefined): readonly Part[] {
  const parts: Part[] = []
  const characters = Array.from(pattern)
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!
    if (character === escape) {
      if (++at === characters.length) throw new LsmtError('22P02', 'a LIKE pattern must not end with its escape character')
      character = characters[at]!
    } else if (character === '%') {
      if (parts.at(-1) !== any) parts.push(any)
      continue
    } else if (character === '_') {
      parts.push(one)
      continue
    }
    const last = parts.at(-1)
    if (typeof last === 'string') parts[parts.length - 1] = last + character
    else parts.push(character)
  }
  return parts
}

function simpleMatcher(parts: readonly Part[]): Matcher | undefined {
  const [first, second, third] = parts
  if (parts.length === 0) return (text) => text === ''
  if (parts.length === 1) return typeof first === 'string' ? (text) => text === first : first === any ? () => true : undefined
  if (parts.length === 2 && typeof first === 'string' && second === any) return (text) => text.startsWith(first)
  if (parts.length === 2 && first === any && typeof second === 'string') return (text) => text.endsWith(second)
  if (parts.length === 3 && first === any && third === any && typeof second === 'string') return (text) => text.includes(second)
  return undefined
}

/** Greedy with one point to come back to, so that time stays within length times pattern. */
function matchParts(parts: readonly Part[], text: string): boolean {
  let at = 0
  let part = 0
  let retryPart = -1
  let retryAt = 0
  for (;;) {
    const next = parts[part]
    if (next === any) {
      retryPart = ++part
      retryAt = at
      continue
    }
    const length = next === undefined ? (at === text.length ? 0 : -1) : matchOne(next, text, at)
    if (length >= 0 && next === undefined) return true
    if (length >= 0) {
      at += length
      part++
      continue
    }
    if (retryPart < 0 || retryAt >= text.length) return false
    retryAt += characterLength(text, retryAt)
    at = retryAt
    part = retryPart
  }
}

function matchOne(part: string | typeof one, text: string, at: number): number {
  if (typeof part === 'string') return text.startsWith(part, at) ? part.length : -1
  return at < text.length ? characterLength(text, at) : -1
}

function characterLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1
}
