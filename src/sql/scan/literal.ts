/** What the spans of text literals stand for. */
import { isWellFormed, notUnicode } from '../../engine/check-value.ts'
import { LsmtError } from '../../errors.ts'

/** 'it''s' → it's. Backslashes are plain characters. Pieces on lines of their own are joined. */
export function plainText(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  return inner.includes("'") ? inner.replaceAll(innerQuotes, quotesOrJoint) : inner
}

/** Two quotes inside of a text: a doubled one, or the end of a piece and the start of the next, with what may stand between. */
const innerQuotes = /'((?:\s|--[^\n]*\n)*)'/g

const quotesOrJoint = (_quotes: string, between: string): string => (between === '' ? "'" : '')

/** "a""b" → a"b */
export function quotedName(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  return inner.includes('"') ? inner.replaceAll('""', '"') : inner
}

/** $tag$anything$tag$ → anything */
export function dollarText(text: string, start: number, end: number): string {
  const tagLength = text.indexOf('$', start + 1) + 1 - start
  return text.slice(start + tagLength, end - tagLength)
}

const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const escapePattern = /'((?:\s|--[^\n]*\n)*)'|\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/g

/** E'a\tb' → a, tab, b. Bytes by \ooo and \xhh are taken as characters up to U+007F; 22P02 beyond, for bad escapes and half surrogate pairs. */
export function escapeText(text: string, start: number, end: number): string {
  const unescaped = withoutEscapes(text, start, end)
  if (!isWellFormed(unescaped)) throw notUnicode('the text literal', unescaped)
  return unescaped
}

function withoutEscapes(text: string, start: number, end: number): string {
  return text.slice(start + 2, end - 1).replaceAll(escapePattern, (found, between?: string, octal?: string, hex?: string, short?: string, long?: string, other?: string) => {
    if (between !== undefined) return quotesOrJoint(found, between)
    if (octal !== undefined) return asciiEscape(found, Number.parseInt(octal, 8))
    if (hex !== undefined) return asciiEscape(found, Number.parseInt(hex, 16))
    const code = short ?? long
    if (code !== undefined) return unicodeEscape(found, Number.parseInt(code, 16))
    if (other === 'u' || other === 'U') throw new LsmtError('22P02', `the escape ${found} needs ${other === 'u' ? 4 : 8} hexadecimal digits`)
    return simpleEscapes[other!] ?? other!
  })
}

function asciiEscape(found: string, code: number): string {
  if (code === 0 || code > 0x7f) throw new LsmtError('22P02', `the escape ${found} is not one character of UTF-8; write it as \\uXXXX`)
  return String.fromCharCode(code)
}

function unicodeEscape(found: string, code: number): string {
  if (code === 0 || code > 0x10ffff) throw new LsmtError('22P02', `the escape ${found} is not a Unicode character`)
  return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code)
}

/** x'00ff' → bytes. 22P02 for an odd count or other digits. */
export function hexText(text: string, start: number, end: number): Uint8Array {
  return hexBytes(text.slice(start + 2, end - 1))
}

export function hexBytes(digits: string): Uint8Array {
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) throw new LsmtError('22P02', `"${excerpt(digits)}" is not an even count of hexadecimal digits`)
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** A value as messages quote it: never longer than a line. */
export function excerpt(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value
}
