/**
 * Filters over encoded i64 and f64 chunks. What the encoding says is used before any value: a constant once a chunk,
 * a frame's base and width once a block of 1,024, packed codes in place of values; other blocks are decoded to scratch,
 * and none is touched in which no row is selected any more.
 */
import { EQ, GE, IS_NULL, LE, LT, NE } from '../compare/interval'
import { decodeDecimalBlock, decimalValue } from '../column/decimal'
import { decodeIntegerBlock } from '../column/integers'
import { blockCount, blockEntry, blockRows, chunkCount, chunkData, chunkEncoding, chunkExponent, chunkKind, chunkNulls, entryAux, entryBase, entryExceptionCount, entryPacked, entryWidth, exceptionValues, isNull, ENCODING_CONSTANT, ENCODING_FRAME, ENCODING_PLAIN, KIND_F64, KIND_I64 } from '../column/layout'
import { filterCodes } from './codes'
import { scanFilterF64, scanFilterI64 } from './filter-vectors'
import { matchF64, matchI64, matchOrder } from './match'
import { anySelected, bitmapPart, filterAll, filterNulls, scanSelectedCount } from './selection'

/** Scratch: one block of values (or refs), then the selection of a block. */
export const BLOCK_SCRATCH_BYTES: u32 = 8192 + 128
const integerMax: i64 = 2251799813685248

export function scanFilterChunkI64(chunk: usize, op: u32, constant: usize, selection: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_I64) return -1
  const nulls = chunkNulls(chunk), count = <u32>chunkCount(chunk), encoding = chunkEncoding(chunk)
  if (op >= IS_NULL) return filterNulls(nulls, count, op, selection)
  const wanted = load<i64>(constant)
  if (encoding == ENCODING_CONSTANT) return filterAll(nulls, count, matchI64(load<i64>(chunkData(chunk)), op, wanted), selection)
  if (encoding == ENCODING_PLAIN) return scanFilterI64(chunkData(chunk), nulls, count, op, constant, selection)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(chunk, block), part = bitmapPart(selection, block)
    if (!anySelected(part, rows)) continue
    const nullPart = bitmapPart(nulls, block)
    if (encoding == ENCODING_FRAME && filterFrame(chunk, block, op, wanted, nullPart, part, scratch)) continue
    decodeIntegerBlock(chunk, block, 0, rows, scratch)
    scanFilterI64(scratch, nullPart, rows, op, constant, part)
  }
  return scanSelectedCount(selection, count)
}

/** Compares base + code in one block by codes alone; false when the codes are too wide. */
function filterFrame(chunk: usize, block: i32, op: u32, wanted: i64, nulls: usize, selection: usize, scratch: usize): bool {
  const entry = blockEntry(chunk, block), base = entryBase(entry), width = entryWidth(entry), rows = <u32>blockRows(chunk, block)
  const distance = <u64>wanted - <u64>base
  if (wanted < base) filterAll(nulls, rows, matchOrder(1, op), selection)
  else if (width < 64 && distance >> width != 0) filterAll(nulls, rows, matchOrder(-1, op), selection)
  else if (width == 0) filterAll(nulls, rows, matchOrder(0, op), selection)
  else if (width > 32) return false
  else filterCodes(entryPacked(chunk, entry), width, rows, op, <u32>distance, nulls, selection, scratch)
  return true
}

export function scanFilterChunkF64(chunk: usize, op: u32, constant: usize, selection: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_F64) return -1
  const nulls = chunkNulls(chunk), count = <u32>chunkCount(chunk), encoding = chunkEncoding(chunk)
  if (op >= IS_NULL) return filterNulls(nulls, count, op, selection)
  const wanted = load<f64>(constant)
  if (encoding == ENCODING_CONSTANT) return filterAll(nulls, count, matchF64(load<f64>(chunkData(chunk)), op, wanted), selection)
  if (encoding == ENCODING_PLAIN) return scanFilterF64(chunkData(chunk), nulls, count, op, constant, selection)
  const exponent = chunkExponent(chunk)
  const threshold = decimalThreshold(wanted, exponent)
  const exact = decimalValue(<f64>threshold, exponent) == wanted
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(chunk, block), part = bitmapPart(selection, block)
    if (!anySelected(part, rows)) continue
    const nullPart = bitmapPart(nulls, block), before = scratch + 8192
    if (entryExceptionCount(blockEntry(chunk, block)) != 0) memory.copy(before, part, 128)
    if (filterDecimals(chunk, block, op, threshold, exact, nullPart, part, scratch)) {
      filterExceptions(chunk, block, op, wanted, nullPart, before, part)
    } else {
      decodeDecimalBlock(chunk, block, 0, rows, scratch)
      scanFilterF64(scratch, nullPart, rows, op, constant, part)
    }
  }
  return scanSelectedCount(selection, count)
}

/** The least integer, within what chunks hold, whose decimal is not below `wanted`; one beyond them when all are (as for NaN). */
function decimalThreshold(wanted: f64, exponent: i32): i64 {
  // Mostly it is next to where multiplying leads.
  const about = decimalValue(wanted, -exponent)
  if (abs(about) < <f64>(integerMax - 2)) {
    const low = <i64>about - 2, high = low + 4
    if (decimalValue(<f64>low, exponent) < wanted && decimalValue(<f64>high, exponent) >= wanted) return thresholdBetween(low + 1, high, wanted, exponent)
  }
  return thresholdBetween(-integerMax, integerMax + 1, wanted, exponent)
}

function thresholdBetween(least: i64, greatest: i64, wanted: f64, exponent: i32): i64 {
  let low = least, high = greatest
  while (low < high) {
    const middle = (low + high) >> 1
    if (decimalValue(<f64>middle, exponent) >= wanted) high = middle
    else low = middle + 1
  }
  return low
}

/** Decimals of one block as integers: different integers are different doubles, in the same order. */
function filterDecimals(chunk: usize, block: i32, op: u32, threshold: i64, exact: bool, nulls: usize, selection: usize, scratch: usize): bool {
  if (exact) return filterFrame(chunk, block, op, threshold, nulls, selection, scratch)
  if (op == EQ || op == NE) {
    filterAll(nulls, blockRows(chunk, block), op == NE, selection)
    return true
  }
  return filterFrame(chunk, block, op == LE || op == LT ? LT : GE, threshold, nulls, selection, scratch)
}

/** Rows that are no decimals were compared by a stand-in: their bits are set anew from the selection before. */
function filterExceptions(chunk: usize, block: i32, op: u32, wanted: f64, nulls: usize, before: usize, selection: usize): void {
  const entry = blockEntry(chunk, block), exceptions = entryExceptionCount(entry)
  if (exceptions == 0) return
  const positions = entryAux(chunk, entry), values = exceptionValues(positions, exceptions)
  for (let i = 0; i < exceptions; i++) {
    const row = <i32>load<u16>(positions + (<usize>i << 1)), byte = <usize>(row >> 3), bit = <u32>1 << (row & 7)
    const was = <u32>load<u8>(before + byte) & bit
    const keep = was != 0 && !isNull(nulls, row) && matchF64(load<f64>(values + (<usize>i << 3)), op, wanted)
    const others = <u32>load<u8>(selection + byte) & ~bit
    store<u8>(selection + byte, <u8>(keep ? others | bit : others))
  }
}
