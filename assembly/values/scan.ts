/**
 * The tuples of a text, one after the other; a scanner of a part returns where it ends, 0 for what it does not know.
 *
 * Where a value begins depends on where the one before ended, so the time of a scan is that of this chain. What mostly
 * stands between values is compared as a whole: the processor foretells that, and goes on without waiting for it.
 */
import { skipBlank } from './blank'
import { scanCommonNumber } from './common-number'
import { scanNumber } from './number'
import { scanQuoted } from './quoted'
import { scanWord } from './word'
import { COLUMN_NULLS, PLAN_PENDING_COUNT, PLAN_TARGETS, PLAN_TARGET_COUNT, columnAt } from './layout'

const APOSTROPHE: u32 = 0x27
const OPENING: u32 = 0x28
const CLOSING: u32 = 0x29
const COMMA: u32 = 0x2c
const COMMA_SPACE: u32 = 0x202c

export function scan(text: usize, textBytes: u32, plan: usize, rowsBefore: u32, rowsMax: u32, out: usize): u32 {
  const end = text + textBytes
  clearNulls(plan, rowsMax)
  store<u32>(plan, 0, PLAN_PENDING_COUNT)
  let at = text, done = text
  let rows: u32 = 0
  while (rows < rowsMax) {
    const pending = load<u32>(plan, PLAN_PENDING_COUNT)
    if (rowsBefore + rows != 0) at = pastDelimiter(at, end, COMMA)
    if (at != 0) at = scanTuple(at, end, plan, rows)
    if (at == 0) {
      store<u32>(plan, pending, PLAN_PENDING_COUNT)
      break
    }
    done = at
    rows++
  }
  store<u32>(out, <u32>(done - text))
  return rows
}

export function clearNulls(plan: usize, rowsMax: u32): void {
  const targets = <usize>load<u32>(plan, PLAN_TARGETS)
  const width = load<u32>(plan, PLAN_TARGET_COUNT)
  for (let i: u32 = 0; i < width; i++) memory.fill(load<u32>(columnAt(plan, targets, i), COLUMN_NULLS), 0, (rowsMax + 7) >> 3)
}

function scanTuple(start: usize, end: usize, plan: usize, row: u32): usize {
  const targets = <usize>load<u32>(plan, PLAN_TARGETS)
  const last = load<u32>(plan, PLAN_TARGET_COUNT) - 1
  let at = pastDelimiter(start, end, OPENING)
  for (let i: u32 = 0; at != 0; i++) {
    at = scanCell(at, end, plan, columnAt(plan, targets, i), row)
    if (at == 0) return 0
    if (i == last) return pastDelimiter(at, end, CLOSING)
    if (load<u16>(at) == COMMA_SPACE) at += 2
    else at = pastDelimiter(at, end, COMMA)
  }
  return 0
}

/** After blanks and a delimiter. */
function pastDelimiter(from: usize, end: usize, delimiter: u32): usize {
  if (<u32>load<u8>(from) == delimiter) return from + 1
  const at = skipBlank(from, end)
  return <u32>load<u8>(at) == delimiter && at < end ? at + 1 : 0
}

function scanCell(at: usize, end: usize, plan: usize, column: usize, row: u32): usize {
  const first = <u32>load<u8>(at)
  if (first == APOSTROPHE) return scanQuoted(at, end, column, row)
  if (first - 0x30 < 10) {
    const after = scanCommonNumber(at, column, row)
    if (after != 0) return after
  }
  return scanOther(skipBlank(at, end), end, plan, column, row)
}

function scanOther(at: usize, end: usize, plan: usize, column: usize, row: u32): usize {
  const first = <u32>load<u8>(at)
  if (first == APOSTROPHE) return scanQuoted(at, end, column, row)
  if (first - 0x30 >= 10 && first != 0x2d && first != 0x2e) return scanWord(at, end, column, row)
  const after = scanCommonNumber(at, column, row)
  return after == 0 ? scanNumber(at, plan, column, row) : after
}
