/** Literals and parameters into slots. */
import { withPosition } from '../position.ts'
import { slotKind } from '../slot.ts'
import { syntaxError, token } from './lexer.ts'
import { dollarText, escapeText, hexText, plainText } from './literal.ts'
import { push } from './scan-state.ts'
import type { Scan } from './scan-state.ts'

/** Lifts the current token into a slot; `start` is where it begins when a sign stands before it. */
export function lift(scan: Scan, kind: number, sign: '' | '-', start = scan.lexer.start): void {
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
  const value = numberSlot(digits)
  push(scan, typeof value === 'number' ? slotKind.integer : slotKind.digits, value, start)
}

/** The value of a number's slot: itself when it is a safe integer of few digits, otherwise all its digits. */
export function numberSlot(digits: string): number | string {
  if (digits.length >= 16 || !isPlainInteger(digits)) return digits
  const number = Number(digits)
  return number === 0 ? 0 : number
}

function isPlainInteger(digits: string): boolean {
  for (let at = digits.charCodeAt(0) === 0x2d ? 1 : 0; at < digits.length; at++) {
    const unit = digits.charCodeAt(at)
    if (unit < 0x30 || unit > 0x39) return false
  }
  return true
}
