/**
 * JSON whose numbers keep their digits. `JSON.parse` rounds integers beyond 2^53 and long decimals; values on their
 * way into a database must not pass through it. Texts without such numbers, nearly all, still take `JSON.parse`.
 */
import { LsmtError } from '../../errors.ts'
import type { ExactNumber } from '../slot.ts'

export type ExactJson = null | boolean | number | string | ExactNumber | readonly ExactJson[] | { readonly [key: string]: ExactJson }

/** Tells a number's digits from an object that a client sent. */
const exactMark = Symbol('exact number')

export function isExactNumber(value: ExactJson): value is ExactNumber {
  return typeof value === 'object' && value !== null && exactMark in value
}

function exactNumber(digits: string): ExactNumber {
  const marked: ExactNumber & { readonly [exactMark]: true } = { digits, [exactMark]: true }
  return marked
}

/** Numbers that a JavaScript number would change become `{ digits }`. 22P02 for what is no JSON; `what` names it. */
export function parseExactJson(text: string, what = 'the body'): ExactJson {
  try {
    const parsed = JSON.parse(text) as ExactJson
    return mayHaveLongNumber(text) ? exactly(text, what) : parsed
  } catch (error) {
    if (error instanceof LsmtError) throw error
    throw new LsmtError('22P02', `${what} is not valid JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be parsed'}`)
  }
}

/** 15 digits always survive a double; exponents may overflow. */
function mayHaveLongNumber(text: string): boolean {
  return /\d[\d.]{15}|\d[eE][+-]?\d/.test(text)
}

interface Reader {
  readonly text: string
  readonly what: string
  at: number
}

const numberPattern = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const blankPattern = /[ \t\r\n]*/y
const stringPattern = /"(?:[^"\\]|\\[^])*"/y

/** The text is valid JSON: `JSON.parse` took it. So every branch may trust what it expects. */
function exactly(text: string, what: string): ExactJson {
  return readValue({ text, what, at: 0 }, 0)
}

const depthMax = 100

function readValue(reader: Reader, depth: number): ExactJson {
  if (depth > depthMax) throw new LsmtError('22P02', `${reader.what} nests deeper than ${depthMax} levels`)
  skip(reader)
  switch (reader.text[reader.at]) {
    case '{':
      return readObject(reader, depth)
    case '[':
      return readArray(reader, depth)
    case '"':
      return readString(reader)
    case 't':
      reader.at += 4
      return true
    case 'f':
      reader.at += 5
      return false
    case 'n':
      reader.at += 4
      return null
    case undefined:
    default:
      return readNumber(reader)
  }
}

function skip(reader: Reader): void {
  match(reader, blankPattern)
}

function match(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)?.[0] ?? ''
  reader.at += found.length
  return found
}

function readObject(reader: Reader, depth: number): ExactJson {
  const entries: [string, ExactJson][] = []
  reader.at++
  for (;;) {
    skip(reader)
    if (reader.text[reader.at] === '}') break
    if (reader.text[reader.at] === ',') {
      reader.at++
      continue
    }
    const key = readString(reader)
    skip(reader)
    reader.at++
    entries.push([key, readValue(reader, depth + 1)])
  }
  reader.at++
  return Object.fromEntries(entries)
}

function readArray(reader: Reader, depth: number): ExactJson {
  const items: ExactJson[] = []
  reader.at++
  for (;;) {
    skip(reader)
    if (reader.text[reader.at] === ']') break
    if (reader.text[reader.at] === ',') reader.at++
    else items.push(readValue(reader, depth + 1))
  }
  reader.at++
  return items
}

function readString(reader: Reader): string {
  return JSON.parse(match(reader, stringPattern)) as string
}

function readNumber(reader: Reader): number | ExactNumber {
  const digits = match(reader, numberPattern)
  const number = Number(digits)
  return String(number) === digits || (digits.length < 16 && !/[eE]/.test(digits)) ? number : exactNumber(digits)
}
