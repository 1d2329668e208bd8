/** NULL, TRUE, FALSE, DEFAULT, and the words and letters before literals in quotes. */
import { isWordPart, skipBlank } from './blank'
import { scanHex, scanQuotedTime } from './quoted'
import { COLUMN_DEFAULT, COLUMN_DEFAULT_STATE, COLUMN_NOT_NULL, COLUMN_TYPE, TYPE_BOOLEAN, setNull, valueAt } from './layout'

const NULL: u32 = 0x6c6c756e
const TRUE: u32 = 0x65757274
const FALS: u32 = 0x736c6166
const DEFA: u32 = 0x61666564
const AULT: u32 = 0x746c7561
const DATE: u32 = 0x65746164
const TIME: u32 = 0x656d6974
const STAM: u32 = 0x6d617473

export function scanWord(at: usize, end: usize, column: usize, row: u32): usize {
  const first = load<u32>(at) | 0x20202020
  if ((first & 0xff) == 0x78 && load<u8>(at, 1) == 0x27) return scanHex(at + 1, end, column, row)
  if (first == NULL) return ends(at + 4) && storeNull(column, row) ? at + 4 : 0
  if (first == TRUE) return ends(at + 4) && storeBoolean(column, row, 1) ? at + 4 : 0
  if (first == FALS) return isLetter(at + 4, 0x65) && ends(at + 5) && storeBoolean(column, row, 0) ? at + 5 : 0
  if (first == DEFA) return (load<u32>(at, 3) | 0x20202020) == AULT && ends(at + 7) && storeDefault(column, row) ? at + 7 : 0
  if (first == DATE) return ends(at + 4) ? timeAfter(at + 4, end, column, row) : 0
  if (first == TIME && (load<u32>(at, 4) | 0x20202020) == STAM && isLetter(at + 8, 0x70) && ends(at + 9)) return timeAfter(at + 9, end, column, row)
  return 0
}

function ends(at: usize): bool {
  return !isWordPart(load<u8>(at))
}

function isLetter(at: usize, letter: u32): bool {
  return (<u32>load<u8>(at) | 0x20) == letter
}

function timeAfter(word: usize, end: usize, column: usize, row: u32): usize {
  const at = skipBlank(word, end)
  return at < end && load<u8>(at) == 0x27 ? scanQuotedTime(at, end, column, row) : 0
}

export function storeNull(column: usize, row: u32): bool {
  if (load<u32>(column, COLUMN_NOT_NULL) != 0) return false
  setNull(column, row)
  return true
}

function storeBoolean(column: usize, row: u32, value: u64): bool {
  if (load<u32>(column, COLUMN_TYPE) != TYPE_BOOLEAN) return false
  store<u64>(valueAt(column, row), value)
  return true
}

/** true and false, or how they begin, or 1 and 0, as src/sql/value/assign.ts reads text; other words it knows are not known here. */
export function storeTruth(from: usize, to: usize, column: usize, row: u32): bool {
  const bytes = to - from
  const first = <u32>load<u8>(from)
  if (bytes == 1 && (first == 0x31 || (first | 0x20) == 0x74)) return storeBoolean(column, row, 1)
  if (bytes == 1 && (first == 0x30 || (first | 0x20) == 0x66)) return storeBoolean(column, row, 0)
  const four = load<u32>(from) | 0x20202020
  if (bytes == 4 && four == TRUE) return storeBoolean(column, row, 1)
  return bytes == 5 && four == FALS && isLetter(from + 4, 0x65) && storeBoolean(column, row, 0)
}

function storeDefault(column: usize, row: u32): bool {
  const state = load<u32>(column, COLUMN_DEFAULT_STATE)
  if (state == 2) return storeNull(column, row)
  store<u64>(valueAt(column, row), load<u64>(column, COLUMN_DEFAULT))
  return state == 1
}
