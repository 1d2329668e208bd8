// From the text after VALUES to columns, keys and operations of write batches; the plan is drawn in src/kernel/values.ts.
import { scanCsv } from './values/csv'
import { encode, measure } from './values/encode'
import { writeKeys } from './values/keys'
import { scan } from './values/scan'
import { packTexts } from './values/texts'

export function valuesScan(text: usize, textBytes: u32, plan: usize, rowsBefore: u32, rowsMax: u32, out: usize): u32 {
  return scan(text, textBytes, plan, rowsBefore, rowsMax, out)
}

export function valuesCsv(text: usize, textBytes: u32, plan: usize, delimiter: u32, rowsMax: u32, lines: usize, out: usize): u32 {
  return scanCsv(text, textBytes, plan, delimiter, rowsMax, lines, out)
}

export function valuesTexts(refs: usize, count: u32, into: usize, ends: usize, endBefore: u32): u32 {
  return packTexts(refs, count, into, ends, endBefore)
}

export function valuesKeys(plan: usize, count: u32, keys: usize, keysBytes: u32, refs: usize, hashes: usize): i32 {
  return writeKeys(plan, count, keys, keysBytes, refs, hashes)
}

export function valuesMeasure(plan: usize, count: u32, refs: usize, hashes: usize, shards: usize): u32 {
  return measure(plan, count, refs, hashes, shards)
}

export function valuesEncode(plan: usize, count: u32, refs: usize, hashes: usize, cursors: usize): void {
  encode(plan, count, refs, hashes, cursors)
}
