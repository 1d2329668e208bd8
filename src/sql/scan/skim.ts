/**
 * Looks over tuples of plain literals without lifting them: where they end, and how many they are. What they hold is
 * read when the statement runs, by a kernel (Engine.insertText) or, where that does not know it, by tuples.ts.
 *
 * A tuple is taken here only if it is `( v , … )` of numbers, 'texts', x'bytes', NULL, TRUE, FALSE, DEFAULT, DATE '…'
 * and TIMESTAMP '…'. Nothing else is judged: from the first other tuple on the lexer decides, also about errors.
 *
 * The text is read through a window of its code units, since elements of a typed array cost a quarter of `charCodeAt`.
 */
import { exponentEnd, isWordPart, skipBlank } from './lexer.ts'

export interface Skimmed {
  readonly count: number
  /** After the last tuple. */
  readonly end: number
}

interface Window {
  readonly text: string
  /** Where it begins in the text; positions below are in the window. */
  start: number
  units: Uint16Array
  length: number
}

const windowUnits = 32 * 1024
/** What no literal may have outside of quotes; one behind each window, so that all stop there. */
const endUnit = 0
/** Longer ones are made anew: many texts are short. */
const sharedUnits = new Uint16Array(windowUnits + 1)

/** Instead of a position: this is no plain literal, or it goes on behind the window. */
const notPlain = -1, cutOff = -2

/** The tuples of `width` values that follow, each after a comma. */
export function skimTuples(text: string, from: number, width: number): Skimmed {
  const window = openWindow(text, from)
  let count = 0
  let end = 0
  for (;;) {
    const next = skimNext(window, end, width)
    if (next === cutOff) {
      advance(window, end)
      end = 0
    } else if (next === notPlain) return { count, end: window.start + end }
    else {
      end = next
      count++
    }
  }
}

function openWindow(text: string, from: number): Window {
  const window: Window = { text, start: from, units: sharedUnits, length: 0 }
  fill(window)
  return window
}

/** Moves the window to where a tuple was cut off; one that is longer than it gets a larger one. */
function advance(window: Window, at: number): void {
  window.start += at
  if (at === 0) window.units = new Uint16Array(2 * window.units.length)
  fill(window)
}

function fill(window: Window): void {
  const { text, start, units } = window
  const piece = text.slice(start, start + units.length - 1)
  Buffer.from(units.buffer).write(piece, 'utf16le')
  units[piece.length] = endUnit
  window.length = piece.length
}

/** What is wrong at this position may be only that the window ends there. */
const failed = ({ text, start, length }: Window, at: number): number => (at >= length && start + length < text.length ? cutOff : notPlain)

/** After the comma and the tuple that follow. */
function skimNext(window: Window, from: number, width: number): number {
  const comma = pastBlank(window, from)
  if (window.units[comma] !== 0x2c) return failed(window, comma)
  return skimTuple(window, pastBlank(window, comma + 1), width)
}

function skimTuple(window: Window, from: number, width: number): number {
  const { units } = window
  if (units[from] !== 0x28) return failed(window, from)
  let at = from + 1
  for (let i = 1; i <= width; i++) {
    const behind = i === width ? 0x29 : 0x2c
    const start = units[at] === 0x20 ? at + 1 : at
    let end = commonEnd(units, start)
    if (end === start || units[end] !== behind) {
      end = skimValue(window, pastBlank(window, start))
      if (end < 0) return end
      end = pastBlank(window, end)
      if (units[end] !== behind) return failed(window, end)
    }
    at = end + 1
  }
  return at
}

/**
 * After a literal as most are, a text or a number without an exponent; `from` where there is none, for all that is seen.
 * What stands behind it shows whether it was whole. Two fifths less time than `skimValue`, which knows all.
 */
function commonEnd(units: Uint16Array, from: number): number {
  const unit = units[from]!
  if (unit === 0x27) {
    let at = from + 1
    while (units[at] !== 0x27 && units[at] !== endUnit) at++
    return units[at] === 0x27 ? at + 1 : from
  }
  const whole = unit === 0x2d ? from + 1 : from
  const point = pastDigits(units, whole)
  if (units[point] !== 0x2e) return point === whole ? from : point
  const end = pastDigits(units, point + 1)
  return end === whole + 1 ? from : end
}

function pastDigits(units: Uint16Array, from: number): number {
  let at = from
  while (units[at]! >= 0x30 && units[at]! <= 0x39) at++
  return at
}

/** At most the window's end, where nothing is that may follow. */
function pastBlank({ text, start, units, length }: Window, from: number): number {
  let at = from
  while (units[at] === 0x20) at++
  const unit = units[at]!
  // Comments and rare blanks.
  const isRare = at < length && (unit < 0x20 || unit === 0x2d || unit === 0x2f || unit >= 0xa0)
  return isRare ? Math.min(skipBlank(text, start + at) - start, length) : at
}

function skimValue(window: Window, from: number): number {
  const unit = window.units[from]!
  if (unit === 0x27) return skimText(window, from)
  if (unit <= 0x39 && unit >= 0x2d) return skimNumber(window, unit === 0x2d ? from + 1 : from)
  return skimWord(window, from)
}

function skimText(window: Window, from: number): number {
  const { units, length } = window
  for (let at = from + 1; at < length; at++) {
    if (units[at] !== 0x27) continue
    if (units[at + 1] !== 0x27) return at + 1 < length ? at + 1 : atWindowEnd(window)
    at++
  }
  return failed(window, length)
}

/** A literal that ends where the window does goes on behind it, for all that is seen. */
const atWindowEnd = (window: Window): number => (failed(window, window.length) === cutOff ? cutOff : window.length)

/** Digits with a point among them, and an exponent; what has a letter after it is the lexer's. */
function skimNumber(window: Window, from: number): number {
  const { text, start, units, length } = window
  let at = from
  let digits = 0
  let points = 0
  for (;; at++) {
    const unit = units[at]!
    if (unit <= 0x39 && unit >= 0x30) digits++
    else if (unit === 0x2e && points === 0) points++
    else break
  }
  if (at >= length) return digits === 0 ? failed(window, at) : atWindowEnd(window)
  if (digits === 0) return notPlain
  if ((units[at]! | 0x20) === 0x65) at = exponentEnd(text, start + at) - start
  if (at >= length) return atWindowEnd(window)
  return isWordPart(units[at]!) ? notPlain : at
}

const constants: ReadonlySet<string> = new Set(['null', 'true', 'false', 'default'])

function skimWord(window: Window, from: number): number {
  const { text, start, units } = window
  let at = from
  while (isWordPart(units[at]!)) at++
  if (at >= window.length) return failed(window, at)
  const word = text.slice(start + from, start + at).toLowerCase()
  if (constants.has(word)) return at
  if (word === 'x' && units[at] === 0x27) return skimHex(window, at)
  if (word !== 'date' && word !== 'timestamp') return notPlain
  const quote = pastBlank(window, at)
  return units[quote] === 0x27 ? skimText(window, quote) : failed(window, quote)
}

/** Whole bytes only: the lexer says what is wrong with others. */
function skimHex(window: Window, from: number): number {
  const end = skimText(window, from)
  if (end < 0) return end
  const { text, start } = window
  return (end - from) % 2 === 0 && /^[0-9a-fA-F]*$/.test(text.slice(start + from + 1, start + end - 1)) ? end : notPlain
}
