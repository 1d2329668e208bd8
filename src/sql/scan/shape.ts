/**
 * From text to statements of a known shape: literals and parameters are lifted into slots, names are folded, blanks
 * and comments dropped. Two statements with equal shapes have the same plan, so the parser sees a shape once.
 *
 * A shape is its tokens joined by single blanks: words in lower case, quoted names in quotes, `?` for a slot. Of the
 * tuples after VALUES, when they are all plain values and equally many, the shape keeps the first one only; the
 * others are kept apart. Nothing is lifted from a definition (CREATE, ALTER …) and no number from an ORDER BY or
 * GROUP BY list, where it is an ordinal. EXPLAIN before a statement is no part of its shape.
 */
import { slotKind } from '../slot.ts'
import type { Slots } from '../slot.ts'
import { scanExplain } from './explain.ts'
import { createLexer, nextToken, token } from './lexer.ts'
import type { Lexer } from './lexer.ts'
import { lift } from './lift.ts'
import { emit, newScan, push } from './scan-state.ts'
import type { Scan, ScannedStatement } from './scan-state.ts'
import { scanPlainTuples, scanTuples } from './tuples.ts'

/**
 * All statements of a text; empty ones between semicolons are dropped. 42601 for a token that does not end. Behind the first
 * tuple of an INSERT that is the first statement, more tuples are supposed to stand up to `supposedEnd`, unless that is -1.
 */
export function scanStatements(text: string, supposedEnd = -1): readonly ScannedStatement[] {
  const lexer = createLexer(text)
  const statements: ScannedStatement[] = []
  let scan = newScan(lexer, 0, false, supposedEnd)
  for (;;) {
    const kind = nextToken(lexer)
    if (kind !== token.end && !isSemicolon(lexer)) {
      scanOne(scan, kind)
      continue
    }
    const { shape, tokenStarts, slots, tupleCount, tupleText, tuplesAreSupposed, tupleSlots: others, explain } = scan
    if (tokenStarts.length > 0 || explain !== undefined) statements.push({ shape, tokenStarts, slots, tupleCount, tupleText, tupleSlots: others, ...(explain === undefined ? {} : { explain }), ...(tuplesAreSupposed && { tuplesAreSupposed }) })
    if (kind === token.end) return statements
    scan = newScan(lexer, scan.positionalCount, scan.numberedSeen)
  }
}

/** The slots of all tuples of a statement, one tuple after the other. */
export function tupleSlots(text: string, { slots, tupleText, tupleSlots: known }: ScannedStatement): Slots {
  if (tupleText === undefined) return known ?? slots
  const scan = newScan(createLexer(text, tupleText.start), 0, false)
  scan.inValues = true
  scanPlainTuples(scan, tupleText.end, scanOne)
  return scan.slots
}

function isSemicolon(lexer: Lexer): boolean {
  return lexer.kind === token.symbol && lexer.text.charCodeAt(lexer.start) === 0x3b
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
      if (scan.lifts && !scan.inType && !(scan.ordinalsDepth === scan.depth && (scan.last === 'by' || scan.last === ','))) break
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
    if (word === 'explain' && scan.explain === undefined) {
      scan.explain = scanExplain(lexer)
      return
    }
    scan.lifts = !definitions.has(word)
    scan.insert = word === 'insert' || word === 'upsert'
  } else if (word === 'by') scan.ordinalsDepth = scan.last === 'order' || scan.last === 'group' ? scan.depth : -1
  else if (scan.ordinalsDepth === scan.depth && endsOrdinals.has(word)) scan.ordinalsDepth = -1
  else if (word === 'select' || word === 'with') scan.insert = false
  else if (word === 'values' && scan.insert && scan.last !== '(' && scan.last !== ',') {
    emit(scan, word)
    scan.insert = false
    scan.inValues = true
    scanTuples(scan, scanOne)
    scan.inValues = false
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

/** Inside of plain tuples, so that those with and without nulls have one shape. */
function liftConstant(scan: Scan, word: string): boolean {
  switch (word) {
    case 'null':
      return push(scan, slotKind.null, null)
    case 'default':
      return push(scan, slotKind.default, null)
    case 'true':
      return push(scan, slotKind.boolean, true)
    case 'false':
      return push(scan, slotKind.boolean, false)
    default:
      return false
  }
}

/** Types whose numbers in parentheses are part of what they are. */
const typesWithNumbers = new Set(['numeric', 'decimal', 'dec', 'varchar', 'varying', 'float'])

/** After these a minus is a sign. */
const beforeSign = new Set(['(', ',', '=', '<', '>', '<=', '>=', '<>', '!=', 'limit', 'offset'])

function scanSymbol(scan: Scan): void {
  const { lexer } = scan
  const symbol = lexer.text.slice(lexer.start, lexer.end)
  if (symbol === '(') {
    scan.depth++
    scan.inType = scan.lifts && typesWithNumbers.has(scan.last)
  } else if (symbol === ')') {
    if (scan.ordinalsDepth === scan.depth) scan.ordinalsDepth = -1
    scan.depth--
    scan.inType = false
  }
  if (symbol === '-' && scan.lifts && scan.ordinalsDepth !== scan.depth && beforeSign.has(scan.last)) {
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
