/*
 * Between which values the rows of an integer block lie, as its directory entry tells it: nothing is decoded. Sums that could
 * come near the ends of 64 bits are not made, so that none wraps.
 */
import { blockCount, blockEntry, blockRows, chunkCount, chunkData, chunkEncoding, chunkHasNulls, chunkKind, deltaStep, entryAux, entryBase, entrySlope, entryWidth, isDelta, BLOCK_ROWS, CHECKPOINT_ROWS, ENCODING_CONSTANT, ENCODING_LINEAR, ENCODING_PLAIN, KIND_I64 } from '../layout'
import { integerAt, lineAt } from '../integers'

/** Beyond these a value, or what a row adds to the one before, is too large for three of them to be added up. */
const FAR: i64 = 1 << 61
const FAR_STEP: i64 = 1 << 50
const WIDTH_MAX: i32 = 60

export function columnBlockBounds(chunk: usize, out: usize): i32 {
  const encoding = chunkEncoding(chunk)
  if (chunkKind(chunk) != KIND_I64 || chunkHasNulls(chunk) || encoding == ENCODING_PLAIN) return -1
  const blocks = blockCount(chunkCount(chunk))
  for (let block = 0; block < blocks; block++, out += 16) {
    if (encoding == ENCODING_CONSTANT) putBounds(out, load<i64>(chunkData(chunk)), 0, 0)
    else if (isDelta(encoding) ? !boundDelta(chunk, block, out) : !boundCodes(chunk, block, out)) return -1
  }
  return blocks
}

function putBounds(out: usize, value: i64, below: i64, above: i64): void {
  store<i64>(out, value + below)
  store<i64>(out, value + above, 8)
}

function isFar(value: i64, limit: i64): bool { return value >= limit || value <= -limit }

/** A base, what the line adds from the first row to the last, and codes. */
function boundCodes(chunk: usize, block: i32, out: usize): bool {
  const entry = blockEntry(chunk, block)
  const base = entryBase(entry)
  const width = entryWidth(entry)
  const isLinear = chunkEncoding(chunk) == ENCODING_LINEAR
  if (isFar(base, FAR) || width > WIDTH_MAX || (isLinear && isFar(entrySlope(entry), FAR_STEP))) return false
  const line = isLinear ? lineAt(entry, blockRows(chunk, block) - 1) : 0
  putBounds(out, base, min<i64>(line, 0), max<i64>(line, 0) + ((<i64>1 << width) - 1))
  return true
}

/** Where no row is below the one before, the first and the last; otherwise what the rows behind a checkpoint may come to. */
function boundDelta(chunk: usize, block: i32, out: usize): bool {
  const entry = blockEntry(chunk, block)
  const rows = blockRows(chunk, block)
  const least = entryBase(entry)
  const reach = <f64>deltaStep(chunk, entry) * <f64>(((<u64>1) << min(entryWidth(entry), 63)) - 1)
  if (isFar(least, FAR_STEP) || reach >= <f64>FAR_STEP) return false
  const checkpoints = entryAux(chunk, entry)
  if (least >= 0) {
    const first = load<i64>(checkpoints)
    const last = integerAt(chunk, block * BLOCK_ROWS + rows - 1)
    putBounds(out, 0, first, last)
    // The sum of all differences has 61 bits, so one that wraps shows.
    return last >= first
  }
  let low = load<i64>(checkpoints)
  let high = low
  for (let row = CHECKPOINT_ROWS; row < rows; row += CHECKPOINT_ROWS) {
    const value = load<i64>(checkpoints + (<usize>(row >> 7) << 3))
    low = min(low, value)
    high = max(high, value)
  }
  if (isFar(low, FAR) || isFar(high, FAR)) return false
  putBounds(out, 0, low + least * (CHECKPOINT_ROWS - 1), high + max<i64>(least + <i64>reach, 0) * (CHECKPOINT_ROWS - 1))
  return true
}
