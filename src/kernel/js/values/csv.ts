/** Twin of assembly/values/csv.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { valuesType } from '../../values.ts'
import { columnAt, columnField, planField, word } from './layout.ts'
import { scanPlainNumber } from './number.ts'
import { findClosing, storeText, withoutDoubled } from './quoted.ts'
import { clearNulls } from './scan.ts'
import { storeNull, storeTruth } from './word.ts'

const lineFeed = 0x0a, carriageReturn = 0x0d, quote = 0x22

export interface CsvScan {
  readonly text: Pointer
  readonly textBytes: number
  readonly plan: Pointer
  readonly delimiter: number
  readonly rowsMax: number
  readonly lines: Pointer
  readonly out: Pointer
}

interface Scan {
  readonly memory: LinearMemory
  readonly end: Pointer
  readonly plan: Pointer
  readonly delimiter: number
  lineEnds: number
  /** The text ends within a record. */
  isCut: boolean
}

export function scanCsv(memory: LinearMemory, { text, textBytes, plan, delimiter, rowsMax, lines, out }: CsvScan): number {
  const { u32 } = memory
  const scan: Scan = { memory, end: text + textBytes, plan, delimiter, lineEnds: 0, isCut: false }
  const skipsEmpty = word(memory, plan, planField.targetCount) > 1
  const pendingCount = (plan + planField.pendingCount) >>> 2
  clearNulls(memory, plan, rowsMax)
  u32[pendingCount] = 0
  let at = text, done = text, linesDone = 0, rows = 0
  for (;;) {
    if (skipsEmpty) at = skipEmptyLines(scan, at)
    done = at
    linesDone = scan.lineEnds
    if (rows === rowsMax || at >= scan.end) break
    const pending = u32[pendingCount]
    at = scanRecord(scan, at, rows)
    if (at === 0) {
      u32[pendingCount] = pending
      break
    }
    u32[(lines >>> 2) + rows] = linesDone
    rows++
  }
  u32.set([done - text, linesDone, scan.isCut ? 1 : 0], out >>> 2)
  return rows
}

function cut(scan: Scan): 0 {
  scan.isCut = true
  return 0
}

/** The last one may have a second half to come. */
function skipEmptyLines(scan: Scan, from: Pointer): Pointer {
  const { memory: { u8 }, end } = scan
  let at = from
  while (at < end && (u8[at] === lineFeed || (u8[at] === carriageReturn && at + 1 < end))) at = afterLineEnd(scan, at)
  return at
}

/** Lines end with LF, CR LF or CR; 0 when that does not stand there, or may be cut. */
function afterLineEnd(scan: Scan, at: Pointer): Pointer {
  const { memory: { u8 }, end } = scan
  if (u8[at] === carriageReturn && at + 1 >= end) return cut(scan)
  if (u8[at] !== lineFeed && u8[at] !== carriageReturn) return 0
  scan.lineEnds++
  return at + (u8[at] === carriageReturn && u8[at + 1] === lineFeed ? 2 : 1)
}

function scanRecord(scan: Scan, start: Pointer, row: number): Pointer {
  const { memory, plan, end } = scan
  const targets = word(memory, plan, planField.targets)
  const width = word(memory, plan, planField.targetCount)
  let at = start
  for (let i = 0; i < width; i++) {
    if (i > 0) {
      if (memory.u8[at] !== scan.delimiter) return 0
      at++
    }
    if (at >= end) return cut(scan)
    at = scanField(scan, at, columnAt(memory, plan, targets, i), row)
    if (at === 0) return 0
    if (at >= end) return cut(scan)
  }
  return afterLineEnd(scan, at)
}

function scanField(scan: Scan, at: Pointer, column: Pointer, row: number): Pointer {
  const { memory, plan, end } = scan
  const first = memory.u8[at]!
  if (first === quote) return scanQuotedField(scan, at, column, row)
  if (first === scan.delimiter || first === lineFeed || first === carriageReturn) return storeNull(memory, column, row) ? at : 0
  if (isNumber(memory, column)) return scanPlainNumber(memory, at, plan, column, row)
  const to = fieldEnd(scan, at)
  if (to >= end) return cut(scan)
  return memory.u8[to] !== quote && storeWord(memory, at, to, column, row) ? to : 0
}

function isNumber(memory: LinearMemory, column: Pointer): boolean {
  return word(memory, column, columnField.type) <= valuesType.double
}

/** The first delimiter, line end or quote. */
function fieldEnd({ memory: { u8 }, delimiter, end }: Scan, from: Pointer): Pointer {
  let at = from
  while (at < end && u8[at] !== delimiter && u8[at] !== lineFeed && u8[at] !== carriageReturn && u8[at] !== quote) at++
  return at
}

function scanQuotedField(scan: Scan, start: Pointer, column: Pointer, row: number): Pointer {
  const { memory, plan, end } = scan
  const closing = findClosing(memory.u8, start + 1, end, quote)
  // The next byte may make it one of two.
  if (closing === 0 || closing + 1 >= end) return cut(scan)
  const from = start + 1, after = closing + 1
  const to = withoutDoubled(memory.u8, from, closing, quote)
  if (isNumber(memory, column)) return scanPlainNumber(memory, from, plan, column, row) === to ? after : 0
  scan.lineEnds += innerLineEnds(memory.u8, from, to)
  return storeWord(memory, from, to, column, row) ? after : 0
}

function innerLineEnds(u8: Uint8Array, from: Pointer, to: Pointer): number {
  let count = 0
  for (let at = from; at < to; at++) {
    if (u8[at] === lineFeed || (u8[at] === carriageReturn && (at + 1 === to || u8[at + 1] !== lineFeed))) count++
  }
  return count
}

/** Whatever is no number. */
function storeWord(memory: LinearMemory, from: Pointer, to: Pointer, column: Pointer, row: number): boolean {
  if (word(memory, column, columnField.type) === valuesType.boolean) return storeTruth(memory, from, to, column, row)
  return storeText(memory, from, to, column, row)
}
