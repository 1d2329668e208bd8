/** The tuples of a text, one after the other; a scanner of a part returns where it ends, 0 for what it does not know. */
import { skipBlank } from './blank'
import { scanNumber } from './number'
import { scanQuoted } from './quoted'
import { scanWord } from './word'
import { COLUMN_NULLS, PLAN_PENDING_COUNT, PLAN_TARGETS, PLAN_TARGET_COUNT, columnAt } from './layout'

export function scan(text: usize, textBytes: u32, plan: usize, rowsBefore: u32, rowsMax: u32, out: usize): u32 {
  const end = text + textBytes
  clearNulls(plan, rowsMax)
  store<u32>(plan, 0, PLAN_PENDING_COUNT)
  let at = text, done = text
  let rows: u32 = 0
  while (rows < rowsMax) {
    const pending = load<u32>(plan, PLAN_PENDING_COUNT)
    at = skipBlank(at, end)
    if (rowsBefore + rows != 0) at = at < end && load<u8>(at) == 0x2c ? skipBlank(at + 1, end) : 0
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
  if (start >= end || load<u8>(start) != 0x28) return 0
  const targets = <usize>load<u32>(plan, PLAN_TARGETS)
  const width = load<u32>(plan, PLAN_TARGET_COUNT)
  let at = start + 1
  for (let i: u32 = 0; i < width; i++) {
    at = skipBlank(at, end)
    at = scanCell(at, end, plan, columnAt(plan, targets, i), row)
    if (at == 0) return 0
    at = skipBlank(at, end)
    if (at >= end || load<u8>(at) != <u8>(i + 1 == width ? 0x29 : 0x2c)) return 0
    at++
  }
  return at
}

function scanCell(at: usize, end: usize, plan: usize, column: usize, row: u32): usize {
  const first = <u32>load<u8>(at)
  if (first == 0x27) return scanQuoted(at, end, column, row)
  if (first - 0x30 < 10 || first == 0x2d || first == 0x2e) return scanNumber(at, plan, column, row)
  return scanWord(at, end, column, row)
}
