/**
 * From text to statements of a known shape: literals and parameters are lifted into slots, names are folded, blanks
 * and comments dropped. Two statements with equal shapes have the same plan, so the parser sees a shape once.
 *
 * A shape is its tokens joined by single blanks: words in lower case, quoted names in quotes, `?` for a slot. Of the
 * tuples after VALUES, when they are all plain values and equally many, the shape keeps the first one only; the
 * others only add slots. Nothing is lifted from a definition (CREATE, ALTER …) and no number from an ORDER BY or
 * GROUP BY list, where it is an ordinal.
 */
import { createLexer, nextToken, syntaxError, token } from './lexer.ts'
import type { Lexer } from './lexer.ts'
import { dollarText, escapeText, hexText, plainText } from './literal.ts'
import { withPosition } from '../position.ts'
import { slotKind } from '../slot.ts'
import type { Slots, SlotValue } from '../slot.ts'

export interface ScannedStatement {
  readonly shape: string
  /** Code unit index of each token of the shape. */
  readonly tokenStarts: readonly number[]
  readonly slots: Slots
  /** Tuples after VALUES that the shape's first one stands for: their slots lie one tuple after the other. */
  readonly tupleCount: number
}

interface Scan {
  readonly lexer: Lexer
  shape: string
  tokenStarts: number[]
  slots: Slots
  /** The last token, as the shape has it. */
  last: string
  /** While the tuples after the first one only add slots. */
  muted: boolean
  lifts: boolean
  inOrdinals: boolean
  inValues: boolean
  insert: boolean
  tupleCount: number
  /** `?` parameters so far, in the whole text. */
  positionalCount: number
  numberedSeen: boolean
}

/** All statements of a text; empty ones between semicolons are dropped. 42601 for a token that does not end. */
export function scanStatements(text: string): readonly ScannedStatement[] {
  const lexer = createLexer(text)
  const statements: ScannedStatement[] = []
  let scan = newScan(lexer, 0, false)
  for (;;) {
    const kind = nextToken(lexer)
    if (kind !== token.end && !isSemicolon(lexer)) {
      scanOne(scan, kind)
      continue
    }
    const { shape, tokenStarts, slots, tupleCount } = scan
    if (tokenStarts.length > 0) statements.push({ shape, tokenStarts, slots, tupleCount })
    if (kind === token.end) return statements
    scan = newScan(lexer, scan.positionalCount, scan.numberedSeen)
  }
}

function newScan(lexer: Lexer, positionalCount: number, numberedSeen: boolean): Scan {
  return {
    lexer, shape: '', tokenStarts: [], slots: { kinds: [], values: [], starts: [] }, last: '', muted: false, lifts: true, inOrdinals: false,
    inValues: false, insert: false, tupleCount: 1, positionalCount, numberedSeen,
  }
}

function isSemicolon(lexer: Lexer): boolean {
  return lexer.kind === token.symbol && lexer.text.charCodeAt(lexer.start) === 0x3b
}

function emit(scan: Scan, piece: string): void {
  scan.last = piece
  if (scan.muted) return
  scan.shape = scan.shape === '' ? piece : `${scan.shape} ${piece}`
  scan.tokenStarts.push(scan.lexer.start)
}

function scanOne(scan: Scan, kind: number): void {
  const { lexer } = scan
  switch (kind) {
    case token.end:
      return
    case token.word:
      scanWord(scan)
      return
    case token.quotedName:
      emit(scan, lexer.text.slice(lexer.start, lexer.end))
      return
    case token.symbol:
      scanSymbol(scan)
      return
    case token.number:
      if (scan.lifts && !(scan.inOrdinals && (scan.last === 'by' || scan.last === ','))) break
      emit(scan, lexer.text.slice(lexer.start, lexer.end))
      return
  }
  if (!scan.lifts && kind !== token.number) {
    emit(scan, lexer.text.slice(lexer.start, lexer.end))
    return
  }
  lift(scan, kind, '')
}

/** Statements that are parsed as they stand: their literals are part of what they define. */
const definitions = new Set(['create', 'alter', 'drop', 'show', 'comment', 'grant', 'revoke'])
const endsOrdinals = new Set(['limit', 'offset', 'having', 'fetch', 'window', 'union', 'except', 'intersect'])

function scanWord(scan: Scan): void {
  const { lexer } = scan
  const word = foldCase(lexer.text.slice(lexer.start, lexer.end))
  if (scan.last === '') {
    scan.lifts = !definitions.has(word)
    scan.insert = word === 'insert'
  } else if (word === 'by') scan.inOrdinals = scan.last === 'order' || scan.last === 'group'
  else if (scan.inOrdinals && endsOrdinals.has(word)) scan.inOrdinals = false
  else if (word === 'values' && scan.insert && !scan.inValues) {
    emit(scan, word)
    scan.inValues = true
    scanTuples(scan)
    return
  } else if (scan.inValues && liftConstant(scan, word)) return
  emit(scan, word)
}

/** ASCII letters fold to lower case, as in PostgreSQL. */
function foldCase(word: string): string {
  for (let at = 0; at < word.length; at++) {
    const unit = word.charCodeAt(at)
    if (unit >= 0x41 && unit <= 0x5a) return isAscii(word) ? word.toLowerCase() : word.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
  }
  return word
}

function isAscii(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (word.charCodeAt(at) > 0x7f) return false
  return true
}

/** Inside of VALUES, so that tuples with and without nulls have one shape. */
function liftConstant(scan: Scan, word: string): boolean {
  switch (word) {
    case 'null':
    case 'default':
      return push(scan, slotKind.null, null)
    case 'true':
      return push(scan, slotKind.boolean, true)
    case 'false':
      return push(scan, slotKind.boolean, false)
    default:
      return false
  }
}

/** After these a minus is a sign. */
const beforeSign = new Set(['(', ',', '=', '<', '>', '<=', '>=', '<>', '!=', 'limit', 'offset'])

function scanSymbol(scan: Scan): void {
  const { lexer } = scan
  const symbol = lexer.text.slice(lexer.start, lexer.end)
  if (symbol === ')') scan.inOrdinals = false
  if (symbol === '-' && scan.lifts && !scan.inOrdinals && beforeSign.has(scan.last)) {
    const signStart = lexer.start
    const { end } = lexer
    if (nextToken(lexer) === token.number) {
      lift(scan, token.number, '-', signStart)
      return
    }
    lexer.start = signStart
    lexer.end = end
    lexer.kind = token.symbol
  }
  emit(scan, symbol)
}

/** Lifts the current token into a slot; `start` is where it begins when a sign stands before it. */
function lift(scan: Scan, kind: number, sign: '' | '-', start = scan.lexer.start): void {
  const { lexer } = scan
  try {
    liftToken(scan, kind, sign, start)
  } catch (error) {
    throw withPosition(error, lexer.text, start)
  }
}

function liftToken(scan: Scan, kind: number, sign: '' | '-', start: number): void {
  const { text, end } = scan.lexer
  switch (kind) {
    case token.number:
      pushNumber(scan, sign + text.slice(scan.lexer.start, end), start)
      return
    case token.text:
      liftText(scan, plainText(text, start, end))
      return
    case token.escapeText:
      liftText(scan, escapeText(text, start, end))
      return
    case token.dollarText:
      liftText(scan, dollarText(text, start, end))
      return
    case token.hexText:
      push(scan, slotKind.bytes, hexText(text, start, end))
      return
    default:
      liftParameter(scan, kind)
  }
}

/** A text, or TIMESTAMP '…' and DATE '…' as one value of that type. */
function liftText(scan: Scan, value: string): void {
  const { last } = scan
  if (last !== 'timestamp' && last !== 'date') {
    push(scan, slotKind.text, value)
    return
  }
  if (!scan.muted) {
    scan.shape = scan.shape.slice(0, -(last.length + 1))
    scan.tokenStarts.pop()
  }
  push(scan, last === 'date' ? slotKind.date : slotKind.timestamp, value)
}

function liftParameter(scan: Scan, kind: number): void {
  const { text, start, end } = scan.lexer
  if (kind === token.namedParameter) {
    push(scan, slotKind.namedParameter, text.slice(start + 1, end))
    return
  }
  const numbered = kind === token.numberedParameter
  if (numbered ? scan.positionalCount > 0 : scan.numberedSeen) throw syntaxError(text, start, 'parameters are either all of the form ? or all of the form $1')
  if (!numbered) {
    push(scan, slotKind.parameter, scan.positionalCount++)
    return
  }
  scan.numberedSeen = true
  const number = Number(text.slice(start + 1, end))
  if (number < 1 || number > 65_535) throw syntaxError(text, start, `there is no parameter ${text.slice(start, end)}: they count from $1 to $65535`)
  push(scan, slotKind.parameter, number - 1)
}

function pushNumber(scan: Scan, digits: string, start: number): void {
  if (digits.length < 16) {
    const number = Number(digits)
    if (Number.isSafeInteger(number) && isPlainInteger(digits)) {
      push(scan, slotKind.integer, number === 0 ? 0 : number, start)
      return
    }
  }
  push(scan, slotKind.digits, digits, start)
}

function isPlainInteger(digits: string): boolean {
  for (let at = digits.charCodeAt(0) === 0x2d ? 1 : 0; at < digits.length; at++) {
    const unit = digits.charCodeAt(at)
    if (unit < 0x30 || unit > 0x39) return false
  }
  return true
}

function push(scan: Scan, kind: number, value: SlotValue, start = scan.lexer.start): true {
  const { kinds, values, starts } = scan.slots
  kinds.push(kind)
  values.push(value)
  starts.push(start)
  emit(scan, '?')
  if (!scan.muted) scan.tokenStarts[scan.tokenStarts.length - 1] = start
  return true
}

/**
 * After VALUES: the first tuple goes into the shape, the tuples after it only into slots, as long as all are plain
 * values. Otherwise everything is scanned token by token into the shape.
 */
function scanTuples(scan: Scan): void {
  const { lexer } = scan
  const mark: Mark = { end: lexer.end, shape: scan.shape, tokens: scan.tokenStarts.length, slots: scan.slots.kinds.length, last: scan.last, positionalCount: scan.positionalCount }
  const width = scanTuple(scan)
  let { end } = lexer
  let count = 1
  scan.muted = true
  while (width > 0 && isSymbol(lexer, nextToken(lexer), ',')) {
    if (scanTuple(scan) !== width) break
    count++
    end = lexer.end
  }
  scan.muted = false
  scan.last = ')'
  scan.tupleCount = count
  const plain = width > 0 && count * width === scan.slots.kinds.length - mark.slots
  if (plain) lexer.end = end
  else rewind(scan, mark)
}

interface Mark {
  readonly end: number
  readonly shape: string
  readonly tokens: number
  readonly slots: number
  readonly last: string
  readonly positionalCount: number
}

function rewind(scan: Scan, mark: Mark): void {
  const { kinds, values, starts } = scan.slots
  scan.lexer.end = mark.end
  scan.shape = mark.shape
  scan.tokenStarts.length = mark.tokens
  kinds.length = values.length = starts.length = mark.slots
  scan.last = mark.last
  scan.positionalCount = mark.positionalCount
  scan.tupleCount = 1
}

/** Scans `( value , … )`, values lifted; returns how many, 0 when it is anything else. */
function scanTuple(scan: Scan): number {
  const { lexer, slots } = scan
  const before = slots.kinds.length
  if (!isSymbol(lexer, nextToken(lexer), '(')) return 0
  emit(scan, '(')
  for (;;) {
    const slotCount = slots.kinds.length
    scanOne(scan, nextToken(lexer))
    if (scan.last === 'date' || scan.last === 'timestamp') scanOne(scan, nextToken(lexer))
    if (slots.kinds.length !== slotCount + 1) return 0
    const kind = nextToken(lexer)
    if (isSymbol(lexer, kind, ')')) break
    if (!isSymbol(lexer, kind, ',')) return 0
    emit(scan, ',')
  }
  emit(scan, ')')
  return slots.kinds.length - before
}

function isSymbol(lexer: Lexer, kind: number, symbol: string): boolean {
  return kind === token.symbol && lexer.end === lexer.start + 1 && lexer.text[lexer.start] === symbol
}
