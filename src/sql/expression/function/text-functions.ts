/** Functions of texts. Characters are code points; positions count from 1. */
import { LsmtError } from '../../../errors.ts'
import type { EngineValue } from '../../../engine/engine.ts'
import type { Bound } from '../bound.ts'
import { looseCall } from '../bound.ts'
import { settled } from '../coerce.ts'
import { bigintType, booleanType, integerType, textType } from '../type.ts'
import { textForm } from '../value/text-form.ts'
import { checkLength, concatenation } from '../value/text-limit.ts'
import { capitalized, characterCount, mapped, repeatedTo, reversed, slice, trim } from './characters.ts'
import { anyOf, fixed } from './signature.ts'
import type { Builder } from './signature.ts'

const bytea = { kind: 'bytea' } as const

export const textFunctions: Readonly<Record<string, Builder>> = {
  lower: fixed([textType], textType, (text) => (text as string).toLowerCase()),
  upper: fixed([textType], textType, (text) => (text as string).toUpperCase()),
  length: anyOf(fixed([textType], integerType, (text) => characterCount(text as string)), fixed([bytea], integerType, (bytes) => (bytes as Uint8Array).length)),
  char_length: fixed([textType], integerType, (text) => characterCount(text as string)),
  character_length: fixed([textType], integerType, (text) => characterCount(text as string)),
  substr: fixed([textType, bigintType, bigintType], textType, (text, from, count) => substring(text as string, Number(from), count === undefined ? undefined : Number(count)), 1),
  substring: fixed([textType, bigintType, bigintType], textType, (text, from, count) => substring(text as string, Number(from), count === undefined ? undefined : Number(count)), 1),
  btrim: trimming(true, true),
  trim: trimming(true, true),
  ltrim: trimming(true, false),
  rtrim: trimming(false, true),
  replace: fixed([textType, textType, textType], textType, (text, from, to) => replace(text as string, from as string, to as string)),
  strpos: fixed([textType, textType], integerType, (text, sought) => positionOf(text as string, sought as string)),
  position: fixed([textType, textType], integerType, (sought, text) => positionOf(text as string, sought as string)),
  left: fixed([textType, bigintType], textType, (text, count) => slice(text as string, 0, Number(count))),
  right: fixed([textType, bigintType], textType, (text, count) => right(text as string, Number(count))),
  lpad: fixed([textType, bigintType, textType], textType, (text, count, fill) => pad(text as string, Number(count), fill as string | undefined, true), 1),
  rpad: fixed([textType, bigintType, textType], textType, (text, count, fill) => pad(text as string, Number(count), fill as string | undefined, false), 1),
  starts_with: fixed([textType, textType], booleanType, (text, prefix) => ((text as string).startsWith(prefix as string) ? 1 : 0)),
  split_part: fixed([textType, textType, bigintType], textType, (text, separator, index) => splitPart(text as string, separator as string, Number(index))),
  overlay: fixed([textType, textType, bigintType, bigintType], textType, (text, part, from, count) => overlay(text as string, part as string, Number(from), count === undefined ? undefined : Number(count)), 1),
  translate: fixed([textType, textType, textType], textType, (text, from, to) => translate(text as string, from as string, to as string)),
  repeat: fixed([textType, bigintType], textType, (text, count) => repeat(text as string, Number(count))),
  reverse: fixed([textType], textType, (text) => reversed(text as string)),
  ascii: fixed([textType], integerType, (text) => (text as string).codePointAt(0) ?? 0),
  chr: fixed([bigintType], textType, (code) => character(Number(code))),
  initcap: fixed([textType], textType, (text) => bounded(capitalized(text as string))),
  concat: (name, args) => (args.length === 0 ? undefined : joined(name, args, (texts) => concatenation(texts.map((text) => text ?? '')))),
  concat_ws: (name, args) => (args.length < 2 ? undefined : joined(name, args, ([separator, ...texts]) => (separator === null ? null : concatenation(texts.filter((text) => text !== null), separator)))),
}

function trimming(start: boolean, end: boolean): Builder {
  return fixed([textType, textType], textType, (text, characters = ' ') => trim(text as string, characters as string, start, end), 1)
}

function joined(name: string, args: readonly Bound[], join: (texts: readonly (string | null)[]) => EngineValue): Bound {
  const settledArgs = args.map(settled)
  const forms = settledArgs.map(({ type }) => (type.kind === 'boolean' ? (value: EngineValue) => (value === 0 ? 'f' : 't') : textForm(type)))
  return looseCall(name, settledArgs, textType, (...values) => join(values.map((value, index) => (value === null ? null : forms[index]!(value)))))
}

function substring(text: string, from: number, count: number | undefined): string {
  if (count === undefined) return slice(text, Math.max(from - 1, 0))
  if (count < 0) throw new LsmtError('22023', 'the length of a substring must not be negative')
  const start = Math.max(from - 1, 0)
  return slice(text, start, Math.max(from - 1 + count, start))
}

function right(text: string, count: number): string {
  return count === 0 ? '' : slice(text, -count)
}

function replace(text: string, from: string, to: string): string {
  if (from === '') return text
  if (to.length > from.length) checkLength(text.length + occurrences(text, from) * (to.length - from.length))
  return text.replaceAll(from, () => to)
}

/** None within another. */
function occurrences(text: string, sought: string): number {
  let count = 0
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) count++
  return count
}

function positionOf(text: string, sought: string): number {
  const at = text.indexOf(sought)
  return at < 0 ? 0 : characterCount(text.slice(0, at)) + 1
}

function pad(text: string, count: number, fill = ' ', before = true): string {
  const length = characterCount(text)
  if (count <= length) return slice(text, 0, Math.max(count, 0))
  if (fill === '') return text
  checkLength(count)
  const padding = repeatedTo(fill, count - length)
  return before ? padding + text : text + padding
}

/** The part takes the place of `count` characters from a position on; by default of as many as it has itself. */
function overlay(text: string, part: string, from: number, count = characterCount(part)): string {
  if (from < 1) throw new LsmtError('22023', 'the position of overlay must be positive')
  return bounded(slice(text, 0, from - 1) + part + slice(text, Math.max(from - 1 + count, 0)))
}

/** Characters of `from` become those of `to` at the same place, or go where there are none. */
function translate(text: string, from: string, to: string): string {
  const others = Array.from(to)
  const changes = new Map<string, string>()
  for (const [at, character] of Array.from(from).entries()) if (!changes.has(character)) changes.set(character, others[at] ?? '')
  return bounded(mapped(text, (character) => changes.get(character) ?? character))
}

function splitPart(text: string, separator: string, index: number): string {
  if (index === 0) throw new LsmtError('22023', 'the index of split_part must not be zero')
  const parts = separator === '' ? [text] : text.split(separator)
  return parts.at(index > 0 ? index - 1 : index) ?? ''
}

function repeat(text: string, count: number): string {
  if (count <= 0) return ''
  checkLength(text.length * count)
  return text.repeat(count)
}

function character(code: number): string {
  if (code <= 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new LsmtError('22023', `there is no character ${code}`)
  return String.fromCodePoint(code)
}

function bounded(text: string): string {
  checkLength(text.length)
  return text
}
