/** The tuples of a text, one after the other; a scanner of a part returns where it ends, 0 for what it does not know. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { skipBlank } from './blank.ts'
import { columnAt, columnField, planField, word } from './layout.ts'
import { scanNumber } from './number.ts'
import { scanQuoted } from './quoted.ts'
import { scanWord } from './word.ts'

export function scan(memory: LinearMemory, text: Pointer, textBytes: number, plan: Pointer, rowsBefore: number, rowsMax: number, out: Pointer): number {
  const { u8, u32 } = memory
  const end = text + textBytes
  clearNulls(memory, plan, rowsMax)
  const pendingCount = (plan + planField.pendingCount) >>> 2
  u32[pendingCount] = 0
  let at = text, done = text, rows = 0
  while (rows < rowsMax) {
    const pending = word(memory, plan, planField.pendingCount)
    at = skipBlank(u8, at, end)
    if (rowsBefore + rows !== 0) at = at < end && u8[at] === 0x2c ? skipBlank(u8, at + 1, end) : 0
    if (at !== 0) at = scanTuple(memory, at, end, plan, rows)
    if (at === 0) {
      u32[pendingCount] = pending
      break
    }
    done = at
    rows++
  }
  u32[out >>> 2] = done - text
  return rows
}

export function clearNulls(memory: LinearMemory, plan: Pointer, rowsMax: number): void {
  const targets = word(memory, plan, planField.targets)
  const width = word(memory, plan, planField.targetCount)
  for (let i = 0; i < width; i++) {
    const nulls = word(memory, columnAt(memory, plan, targets, i), columnField.nulls)
    memory.u8.fill(0, nulls, nulls + ((rowsMax + 7) >>> 3))
  }
}

function scanTuple(memory: LinearMemory, start: Pointer, end: Pointer, plan: Pointer, row: number): Pointer {
  const { u8 } = memory
  if (start >= end || u8[start] !== 0x28) return 0
  const targets = word(memory, plan, planField.targets)
  const width = word(memory, plan, planField.targetCount)
  let at = start + 1
  for (let i = 0; i < width; i++) {
    at = scanCell(memory, skipBlank(u8, at, end), end, plan, columnAt(memory, plan, targets, i), row)
    if (at === 0) return 0
    at = skipBlank(u8, at, end)
    if (at >= end || u8[at] !== (i + 1 === width ? 0x29 : 0x2c)) return 0
    at++
  }
  return at
}

function scanCell(memory: LinearMemory, at: Pointer, end: Pointer, plan: Pointer, column: Pointer, row: number): Pointer {
  const first = memory.u8[at]!
  if (first === 0x27) return scanQuoted(memory, at, end, column, row)
  if ((first >= 0x30 && first <= 0x39) || first === 0x2d || first === 0x2e) return scanNumber(memory, at, plan, column, row)
  return scanWord(memory, at, end, column, row)
}
