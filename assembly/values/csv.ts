/**
 * Records of CSV (RFC 4180), one after the other, typed by the columns that their fields stand for. Fields of numbers are
 * read where they stand, without looking for their end first; of others 16 bytes are looked at together.
 */
import { scanCommonNumber } from './common-number'
import { scanPlainNumber } from './number'
import { findClosing, hasDoubled, storeText, withoutDoubled } from './quoted'
import { clearNulls } from './scan'
import { storeNull, storeTruth } from './word'
import { COLUMN_TYPE, PLAN_PENDING_COUNT, PLAN_TARGETS, PLAN_TARGET_COUNT, TYPE_BOOLEAN, TYPE_DOUBLE, columnAt } from './layout'

const LINE_FEED: u32 = 0x0a
const CARRIAGE_RETURN: u32 = 0x0d
const QUOTE: u32 = 0x22

// Of the text that is scanned: what stands between fields, line ends so far, and whether it ended within a record.
let separator: u32 = 0
let lineEnds: u32 = 0
let isCut: bool = false

export function scanCsv(text: usize, textBytes: u32, plan: usize, delimiter: u32, rowsMax: u32, lines: usize, out: usize): u32 {
  const end = text + textBytes
  const skipsEmpty = load<u32>(plan, PLAN_TARGET_COUNT) > 1
  clearNulls(plan, rowsMax)
  store<u32>(plan, 0, PLAN_PENDING_COUNT)
  separator = delimiter
  lineEnds = 0
  isCut = false
  let at = text, done = text
  let linesDone: u32 = 0, rows: u32 = 0
  for (;;) {
    if (skipsEmpty) at = skipEmptyLines(at, end)
    done = at
    linesDone = lineEnds
    if (rows == rowsMax || at >= end) break
    const pending = load<u32>(plan, PLAN_PENDING_COUNT)
    at = scanRecord(at, end, plan, rows)
    if (at == 0) {
      store<u32>(plan, pending, PLAN_PENDING_COUNT)
      break
    }
    store<u32>(lines + (<usize>rows << 2), linesDone)
    rows++
  }
  store<u32>(out, <u32>(done - text))
  store<u32>(out, linesDone, 4)
  store<u32>(out, isCut ? 1 : 0, 8)
  return rows
}

function cut(): usize {
  isCut = true
  return 0
}

/** The last one may have a second half to come. */
function skipEmptyLines(from: usize, end: usize): usize {
  let at = from
  while (at < end) {
    const byte = <u32>load<u8>(at)
    if (byte != LINE_FEED && (byte != CARRIAGE_RETURN || at + 1 == end)) break
    at = afterLineEnd(at, end)
  }
  return at
}

/** Lines end with LF, CR LF or CR; 0 when that does not stand there, or may be cut. */
function afterLineEnd(at: usize, end: usize): usize {
  const byte = <u32>load<u8>(at)
  if (byte == CARRIAGE_RETURN && at + 1 >= end) return cut()
  if (byte != LINE_FEED && byte != CARRIAGE_RETURN) return 0
  lineEnds++
  return at + (byte == CARRIAGE_RETURN && <u32>load<u8>(at, 1) == LINE_FEED ? 2 : 1)
}

function scanRecord(start: usize, end: usize, plan: usize, row: u32): usize {
  const targets = <usize>load<u32>(plan, PLAN_TARGETS)
  const width = load<u32>(plan, PLAN_TARGET_COUNT)
  let at = start
  for (let i: u32 = 0; i < width; i++) {
    if (i != 0) {
      if (<u32>load<u8>(at) != separator) return 0
      at++
    }
    if (at >= end) return cut()
    at = scanField(at, end, plan, columnAt(plan, targets, i), row)
    if (at == 0) return 0
    if (at >= end) return cut()
  }
  return afterLineEnd(at, end)
}

function scanField(at: usize, end: usize, plan: usize, column: usize, row: u32): usize {
  const first = <u32>load<u8>(at)
  if (first == QUOTE) return scanQuotedField(at, end, plan, column, row)
  if (first == separator || first == LINE_FEED || first == CARRIAGE_RETURN) return storeNull(column, row) ? at : 0
  if (load<u32>(column, COLUMN_TYPE) <= TYPE_DOUBLE) {
    const after = scanCommonNumber(at, column, row)
    return after == 0 ? scanPlainNumber(at, plan, column, row) : after
  }
  const to = fieldEnd(at, end)
  if (to >= end) return cut()
  return <u32>load<u8>(to) != QUOTE && storeWord(at, to, column, row) ? to : 0
}

/** The first delimiter, line end or quote. */
function fieldEnd(from: usize, end: usize): usize {
  const separators = i8x16.splat(<i8>separator), quotes = i8x16.splat(<i8>QUOTE)
  const feeds = i8x16.splat(<i8>LINE_FEED), returns = i8x16.splat(<i8>CARRIAGE_RETURN)
  for (let at = from; at < end; at += 16) {
    const bytes = v128.load(at)
    const found = v128.or(v128.or(i8x16.eq(bytes, separators), i8x16.eq(bytes, quotes)), v128.or(i8x16.eq(bytes, feeds), i8x16.eq(bytes, returns)))
    const mask = i8x16.bitmask(found)
    if (mask != 0) return at + ctz(mask)
  }
  return end
}

function scanQuotedField(start: usize, end: usize, plan: usize, column: usize, row: u32): usize {
  const closing = findClosing(start + 1, end, QUOTE)
  if (closing == 0) return cut()
  const after = closing + 1
  // The next byte may make it one of two.
  if (after >= end) return cut()
  const from = start + 1
  const to = hasDoubled ? withoutDoubled(from, closing, QUOTE) : closing
  if (load<u32>(column, COLUMN_TYPE) <= TYPE_DOUBLE) return scanPlainNumber(from, plan, column, row) == to ? after : 0
  lineEnds += innerLineEnds(from, to)
  return storeWord(from, to, column, row) ? after : 0
}

function innerLineEnds(from: usize, to: usize): u32 {
  let count: u32 = 0
  for (let at = from; at < to; at++) {
    const byte = <u32>load<u8>(at)
    if (byte > CARRIAGE_RETURN) continue
    if (byte == LINE_FEED || (byte == CARRIAGE_RETURN && (at + 1 == to || <u32>load<u8>(at, 1) != LINE_FEED))) count++
  }
  return count
}

/** Whatever is no number. */
function storeWord(from: usize, to: usize, column: usize, row: u32): bool {
  if (load<u32>(column, COLUMN_TYPE) == TYPE_BOOLEAN) return storeTruth(from, to, column, row)
  return storeText(from, to, column, row)
}
