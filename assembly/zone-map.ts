/**
 * Zone maps: statistics of row groups, and pruning by them. A wrong 0 loses rows and a wrong 2 invents them, so
 * each bound below is taken only where it is certain; 1 is always right.
 */
import { accumulatorInitF64, accumulatorInitI64, activeRows } from './aggregate/accumulator'
import { aggregateVectorF64, aggregateVectorI64 } from './aggregate/vectors'
import { EQ, GE, GT, IS_NULL, LE, LT, NE, intervalEmpty, intervalHigh, intervalLow, orderedF64 } from './compare/interval'
import { textCompare, textPrefix } from './compare/text'

const kindF64: u32 = 2
const kindBytes: u32 = 3
const noRow: u32 = 0xffffffff

export function zoneMapComputeI64(values: usize, nulls: usize, count: u32, out: usize): void {
  accumulatorInitI64(out)
  aggregateVectorI64(values, nulls, 0, count, out)
  accumulatorToZone(out, count)
}

export function zoneMapComputeF64(values: usize, nulls: usize, count: u32, out: usize): void {
  accumulatorInitF64(out)
  aggregateVectorF64(values, nulls, 0, count, out)
  accumulatorToZone(out, count)
}

/** Both have their sum at byte 24; the extremes move down over the count. */
function accumulatorToZone(out: usize, count: u32): void {
  const present = <u32>load<f64>(out)
  store<u64>(out, present == 0 ? 0 : load<u64>(out, 8))
  store<u64>(out, present == 0 ? 0 : load<u64>(out, 16), 8)
  store<u64>(out, count - present, 16)
}

export function zoneMapComputeBytes(refs: usize, nulls: usize, count: u32, out: usize): void {
  let leastRow = noRow, greatestRow = noRow
  let least: u64 = 0, greatest: u64 = 0
  let present: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    for (let mask = activeRows(nulls, 0, count, word); mask != 0; mask &= mask - 1) {
      const row = (word << 6) + <u32>ctz(mask)
      const ref = refs + (<usize>row << 3)
      const prefix = textPrefix(load<u32>(ref), load<u32>(ref, 4))
      if (present == 0 || prefix < least || (prefix == least && compareRows(refs, row, leastRow) < 0)) {
        least = prefix
        leastRow = row
      }
      if (present == 0 || prefix > greatest || (prefix == greatest && compareRows(refs, row, greatestRow) > 0)) {
        greatest = prefix
        greatestRow = row
      }
      present++
    }
  }
  store<u64>(out, least)
  store<u64>(out, greatest, 8)
  store<u64>(out, count - present, 16)
  store<u64>(out, 0, 24)
  store<u64>(out, 0, 32)
  store<u32>(out, leastRow, 40)
  store<u32>(out, greatestRow, 44)
}

function compareRows(refs: usize, row: u32, other: u32): i32 {
  const a = refs + (<usize>row << 3), b = refs + (<usize>other << 3)
  return textCompare(load<u32>(a), load<u32>(a, 4), load<u32>(b), load<u32>(b, 4))
}

/**
 * By prefixes without a branch that depends on them: of keys that come in any order half of these would be mispredicted, which takes longer than
 * the rest (Khuong, Morin, "Array layouts for comparison-based searching", 2017). Texts are compared only where a prefix is the key's own.
 */
export function zoneMapRowGroupOf(prefixes: usize, refs: usize, texts: usize, rowGroupCount: i32, shared: u32, key: usize, keyBytes: u32): i32 {
  if (rowGroupCount == 0) return -1
  if (shared > 0) {
    const order = textCompare(key, min(keyBytes, shared), texts + load<u32>(refs), shared)
    if (order != 0) return order < 0 ? -1 : rowGroupCount - 1
  }
  const prefix = textPrefix(key + shared, keyBytes - shared)
  let at = prefixes
  for (let left = rowGroupCount; left > 1;) {
    const half = left >> 1
    at += (<usize>half << 3) & (0 - <usize>(prefixAt(at + (<usize>half << 3)) <= prefix))
    left -= half
  }
  const last = <i32>((at - prefixes) >> 3), found = prefixAt(at)
  return found == prefix ? lastNotAbove(refs, texts, last + 1, key, keyBytes) : last - <i32>(found > prefix)
}

/** Its upper half comes first. */
function prefixAt(at: usize): u64 { return rotl<u64>(load<u64>(at), 32) }

/** Of the first keys of `count` row groups the last that is not above the key; -1: they all are. */
function lastNotAbove(refs: usize, texts: usize, count: i32, key: usize, keyBytes: u32): i32 {
  let from = 0, to = count
  while (from < to) {
    const middle = (from + to) >> 1
    if (isFirstKeyAbove(refs + (<usize>middle << 3), texts, key, keyBytes)) to = middle
    else from = middle + 1
  }
  return from - 1
}

function isFirstKeyAbove(ref: usize, texts: usize, key: usize, keyBytes: u32): bool {
  return textCompare(texts + load<u32>(ref), load<u32>(ref, 4), key, keyBytes) > 0
}

export function zoneMapPrune(terms: usize, termCount: u32, rowCounts: usize, rowGroupCount: u32, out: usize): u32 {
  for (let group: u32 = 0; group < rowGroupCount; group++) {
    store<u8>(out + group, load<u32>(rowCounts + (<usize>group << 2)) == 0 ? 0 : 2)
  }
  for (let term: u32 = 0; term < termCount; term++) pruneTerm(terms + (<usize>term << 5), rowCounts, rowGroupCount, out)
  let kept: u32 = 0
  for (let group: u32 = 0; group < rowGroupCount; group++) kept += <u32>(load<u8>(out + group) != 0)
  return kept
}

function pruneTerm(term: usize, rowCounts: usize, rowGroupCount: u32, out: usize): void {
  const map = <usize>load<u32>(term), op = load<u32>(term, 8)
  if (map == 0) {
    // The file is older than the column: every row is null.
    for (let group: u32 = 0; group < rowGroupCount; group++) lower(out + group, op == IS_NULL ? 2 : 0)
  } else if (op >= IS_NULL) {
    pruneNulls(map, op, rowCounts, rowGroupCount, out)
  } else {
    pruneInterval(map, load<u32>(term, 4), op, term, rowCounts, rowGroupCount, out)
  }
}

/** A conjunction is as strong as its weakest term. */
function lower(state: usize, to: u32): void {
  if (to < <u32>load<u8>(state)) store<u8>(state, <u8>to)
}

function pruneNulls(map: usize, op: u32, rowCounts: usize, rowGroupCount: u32, out: usize): void {
  const nulls = map + (<usize>rowGroupCount << 4)
  for (let group: u32 = 0; group < rowGroupCount; group++) {
    const nullCount = load<u32>(nulls + (<usize>group << 2)), rows = load<u32>(rowCounts + (<usize>group << 2))
    const hits = op == IS_NULL ? nullCount : rows - nullCount
    lower(out + group, hits == 0 ? 0 : hits == rows ? 2 : 1)
  }
}

/**
 * Rows may match where [min, max] meets the outer interval, and all match where it lies in the inner one. For numbers
 * both are the comparison's interval. For texts only the first 8 bytes are known: different prefixes decide, equal
 * ones do not, unless the constant is exactly 8 bytes, which a text of the same prefix is never below.
 */
function pruneInterval(map: usize, kind: u32, op: u32, term: usize, rowCounts: usize, rowGroupCount: u32, out: usize): void {
  const flip: i64 = kind == kindBytes ? i64.MIN_VALUE : 0
  const key = kind == kindF64 ? orderedF64(load<f64>(term, 16)) : load<i64>(term, 16) ^ flip
  let outerOp = op == NE ? EQ : op, innerOp = outerOp
  let innerEmpty = false
  if (kind == kindBytes) {
    const exact = (load<u32>(term, 12) & 1) == 0 && (key & 0xff) != 0
    outerOp = op == LT && !exact ? LE : op == GT ? GE : outerOp
    innerOp = op == LE ? LT : op == GE && !exact ? GT : innerOp
    innerEmpty = op == EQ || op == NE
  }
  const outerEmpty = intervalEmpty(outerOp, key)
  const outerLow = intervalLow(outerOp, key), outerHigh = intervalHigh(outerOp, key)
  innerEmpty = innerEmpty || intervalEmpty(innerOp, key)
  const innerLow = intervalLow(innerOp, key), innerHigh = intervalHigh(innerOp, key)
  const maxima = map + (<usize>rowGroupCount << 3), nulls = maxima + (<usize>rowGroupCount << 3)
  for (let group: u32 = 0; group < rowGroupCount; group++) {
    const at = <usize>group << 3
    const least = kind == kindF64 ? orderedF64(load<f64>(map + at)) : load<i64>(map + at) ^ flip
    const greatest = kind == kindF64 ? orderedF64(load<f64>(maxima + at)) : load<i64>(maxima + at) ^ flip
    const none = outerEmpty || greatest < outerLow || least > outerHigh
    const all = !innerEmpty && least >= innerLow && greatest <= innerHigh
    let state: u32 = none ? 0 : all ? 2 : 1
    if (op == NE) state = 2 - state
    const nullCount = load<u32>(nulls + (<usize>group << 2))
    if (nullCount == load<u32>(rowCounts + (<usize>group << 2))) state = 0
    else if (nullCount != 0 && state == 2) state = 1
    lower(out + group, state)
  }
}
