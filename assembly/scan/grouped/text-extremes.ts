/**
 * Least and greatest text by group from the codes of sorted dictionaries. A row only compares codes; of each group one text a
 * chunk is compared with the group's extreme so far.
 */
import { textCompare } from '../../compare/text'
import { selectionWord, rowsOfWord } from '../selection'

/** f64 count, u32 least code, u32 greatest code; the codes are NO_CODE and 0 between chunks. */
const RANGE_BYTES: usize = 16
const NO_CODE: u32 = u32.MAX_VALUE

export function scanGroupedCodes(groups: usize, codes: usize, nullCode: u32, selection: usize, count: u32, ranges: usize, touched: usize): u32 {
  let to = touched
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let rows = rowsOfWord(count, word)
    if (selection != 0) rows &= selectionWord(selection, word)
    for (; rows != 0; rows &= rows - 1) {
      const at = <usize>((word << 6) + <u32>ctz(rows)) << 2
      const code = load<u32>(codes + at)
      if (code == nullCode) continue
      const group = load<u32>(groups + at), range = ranges + <usize>group * RANGE_BYTES
      store<f64>(range, load<f64>(range) + 1)
      const least = load<u32>(range, 8)
      if (least == NO_CODE) {
        store<u32>(to, group)
        to += 4
      }
      store<u32>(range, min(least, code), 8)
      store<u32>(range, max(load<u32>(range, 12), code), 12)
    }
  }
  return <u32>(to - touched) >> 2
}

export function scanGroupedCodesBeat(touched: usize, touchedCount: u32, ranges: usize, greatest: bool, refs: usize, bests: usize, winners: usize): u32 {
  let to = winners
  for (const end = touched + (<usize>touchedCount << 2); touched < end; touched += 4) {
    const group = <usize>load<u32>(touched), range = ranges + group * RANGE_BYTES
    const ref = refs + (<usize>(greatest ? load<u32>(range, 12) : load<u32>(range, 8)) << 3)
    const best = bests + (group << 3), bestAt = load<u32>(best)
    if (bestAt != 0) {
      const order = textCompare(load<u32>(ref), load<u32>(ref, 4), bestAt, load<u32>(best, 4))
      if (greatest ? order <= 0 : order >= 0) continue
    }
    store<u32>(to, <u32>group)
    to += 4
  }
  return <u32>(to - winners) >> 2
}

export function scanGroupedCodesReset(touched: usize, touchedCount: u32, ranges: usize): void {
  for (const end = touched + (<usize>touchedCount << 2); touched < end; touched += 4) {
    store<u64>(ranges + <usize>load<u32>(touched) * RANGE_BYTES, NO_CODE, 8)
  }
}
