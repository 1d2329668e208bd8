/** NULL, TRUE, FALSE, DEFAULT, and the words and letters before literals in quotes. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { valuesType } from '../../values.ts'
import { isWordPart, skipBlank } from './blank.ts'
import { columnField, setNull, storeWords, valueAt, word } from './layout.ts'
import { scanHex, scanQuotedTime } from './quoted.ts'

export function scanWord(memory: LinearMemory, at: Pointer, end: Pointer, column: Pointer, row: number): Pointer {
  const { u8 } = memory
  if ((u8[at]! | 0x20) === 0x78 && u8[at + 1] === 0x27) return scanHex(memory, at + 1, end, column, row)
  if (isHere(u8, at, 'null')) return storeNull(memory, column, row) ? at + 4 : 0
  if (isHere(u8, at, 'true')) return storeBoolean(memory, column, row, 1) ? at + 4 : 0
  if (isHere(u8, at, 'false')) return storeBoolean(memory, column, row, 0) ? at + 5 : 0
  if (isHere(u8, at, 'default')) return storeDefault(memory, column, row) ? at + 7 : 0
  if (isHere(u8, at, 'date')) return timeAfter(memory, at + 4, end, column, row)
  if (isHere(u8, at, 'timestamp')) return timeAfter(memory, at + 9, end, column, row)
  return 0
}

function isHere(u8: Uint8Array, at: Pointer, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((u8[at + i]! | 0x20) !== name.charCodeAt(i)) return false
  return !isWordPart(u8[at + name.length]!)
}

function timeAfter(memory: LinearMemory, wordEnd: Pointer, end: Pointer, column: Pointer, row: number): Pointer {
  const at = skipBlank(memory.u8, wordEnd, end)
  return at < end && memory.u8[at] === 0x27 ? scanQuotedTime(memory, at, end, column, row) : 0
}

export function storeNull(memory: LinearMemory, column: Pointer, row: number): boolean {
  if (word(memory, column, columnField.notNull) !== 0) return false
  setNull(memory, column, row)
  return true
}

function storeBoolean(memory: LinearMemory, column: Pointer, row: number, value: number): boolean {
  if (word(memory, column, columnField.type) !== valuesType.boolean) return false
  storeWords(memory, valueAt(memory, column, row), value, 0)
  return true
}

/** true and false, or how they begin, or 1 and 0. */
export function storeTruth(memory: LinearMemory, from: Pointer, to: Pointer, column: Pointer, row: number): boolean {
  const text = memory.buffer.toString('latin1', from, to).toLowerCase()
  if (text === '1' || text === 't' || text === 'true') return storeBoolean(memory, column, row, 1)
  return (text === '0' || text === 'f' || text === 'false') && storeBoolean(memory, column, row, 0)
}

function storeDefault(memory: LinearMemory, column: Pointer, row: number): boolean {
  const state = word(memory, column, columnField.defaultState)
  if (state === 2) return storeNull(memory, column, row)
  storeWords(memory, valueAt(memory, column, row), word(memory, column, columnField.default), word(memory, column, columnField.default + 4))
  return state === 1
}
