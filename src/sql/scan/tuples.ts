/** The tuples after VALUES: a thousand of them are one in the shape. */
import { slotKind } from '../slot.ts'
import { nextToken, skipBlank, token } from './lexer.ts'
import type { Lexer } from './lexer.ts'
import { emit } from './scan-state.ts'
import type { Scan } from './scan-state.ts'
import { skimTuples } from './skim.ts'

const comma = 0x2c

/** Takes the current token into the scan. */
export type ScanOne = (scan: Scan, kind: number) => void

/**
 * After VALUES: the first tuple goes into the shape and its values into slots; the tuples after it are looked over, or
 * have slots of their own, as long as all are plain values and equally many. Otherwise everything is scanned token by
 * token into the shape.
 */
export function scanTuples(scan: Scan, scanOne: ScanOne): void {
  const { lexer } = scan
  const mark: Mark = { end: lexer.end, shape: scan.shape, tokens: scan.tokenStarts.length, slots: scan.slots.kinds.length, last: scan.last, depth: scan.depth, positionalCount: scan.positionalCount }
  const width = scanTuple(scan, scanOne)
  if (width > 0 && mark.slots === 0 && !hasParameters(scan) && (supposeOthers(scan, mark.end) || skimOthers(scan, mark.end, width))) return
  const count = width === 0 ? 0 : scanOthers(scan, scanOne, width)
  if (count === 0) {
    rewind(scan, mark)
    return
  }
  scan.tupleCount = count
  if (count > 1) keepApart(scan, mark.slots + width)
}

/** Lifts the tuples after the first one; returns how many there are with it, 0 when one of them is another one. */
function scanOthers(scan: Scan, scanOne: ScanOne, width: number): number {
  const { lexer } = scan
  let { end } = lexer
  let count = 1
  let isPlain = true
  scan.muted = true
  while (isPlain && isSymbol(lexer, nextToken(lexer), ',')) {
    isPlain = scanTuple(scan, scanOne) === width
    count++
    if (isPlain) ({ end } = lexer)
  }
  scan.muted = false
  scan.last = ')'
  lexer.end = end
  return isPlain ? count : 0
}

const hasParameters = ({ slots: { kinds } }: Scan): boolean => kinds.some((kind) => kind === slotKind.parameter || kind === slotKind.namedParameter)

/** Takes all that follows the first tuple for others; false where nothing is to be supposed. */
function supposeOthers(scan: Scan, start: number): boolean {
  const { lexer, supposedEnd } = scan
  if (supposedEnd <= lexer.end || scan.explain !== undefined) return false
  scan.tupleText = { start, end: supposedEnd }
  scan.tuplesAreSupposed = true
  lexer.end = supposedEnd
  return true
}

/** Takes the tuples after the first one by looking them over; false, and nothing taken, when one of them is no plain literals. */
function skimOthers(scan: Scan, start: number, width: number): boolean {
  const { lexer } = scan
  const { count, end } = skimTuples(lexer.text, lexer.end, width)
  if (lexer.text.charCodeAt(skipBlank(lexer.text, end)) === comma) return false
  scan.tupleCount = 1 + count
  if (count > 0) scan.tupleText = { start, end }
  lexer.end = end
  return true
}

/** Leaves the first `length` slots to the shape, which counts no more. */
function keepApart(scan: Scan, length: number): void {
  const { kinds, values, starts } = scan.slots
  scan.tupleSlots = { kinds: kinds.slice(), values: values.slice(), starts: starts.slice() }
  kinds.length = values.length = starts.length = length
}

/** Lifts the values of plain tuples up to `end` into slots. */
export function scanPlainTuples(scan: Scan, end: number, scanOne: ScanOne): void {
  const { lexer } = scan
  scan.muted = true
  do scanTuple(scan, scanOne)
  while (lexer.end < end && isSymbol(lexer, nextToken(lexer), ','))
}

interface Mark {
  readonly end: number
  readonly shape: string
  readonly tokens: number
  readonly slots: number
  readonly last: string
  readonly depth: number
  readonly positionalCount: number
}

function rewind(scan: Scan, mark: Mark): void {
  const { kinds, values, starts } = scan.slots
  scan.lexer.end = mark.end
  scan.shape = mark.shape
  scan.tokenStarts.length = mark.tokens
  kinds.length = values.length = starts.length = mark.slots
  scan.last = mark.last
  scan.depth = mark.depth
  scan.positionalCount = mark.positionalCount
  scan.tupleCount = 1
}

/** Scans `( value , … )`, values lifted; returns how many, 0 when it is anything else. */
function scanTuple(scan: Scan, scanOne: ScanOne): number {
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
