/* Encoding i64 chunks: every form is measured exactly before one is written, so none is ever larger than plain. */
import { allEqual64, beginChunk, CODES_BYTES, fillNullSlots, finishChunk, planDelta, planFrame, planLinear, writeDeltaCodes, writeLineCodes } from './chunk-write'
import { BLOCK_ROWS, blockCount, entrySlope, isDelta, ENCODING_CONSTANT, ENCODING_DELTA, ENCODING_FRAME, ENCODING_LINEAR, ENCODING_PLAIN, ENCODING_STEPPED_DELTA, ENTRY_BYTES, KIND_I64 } from './layout'

export function columnEncodeI64(values: usize, nulls: usize, count: i32, out: usize, scratch: usize): i32 {
  const filled = fillNullSlots(values, nulls, count, scratch + CODES_BYTES)
  const start = beginChunk(out, KIND_I64, count, nulls)
  const encoding = chooseEncoding(filled, count, out + <usize>start)
  if (encoding <= ENCODING_PLAIN) return writeFixed(out, start, filled, count, encoding)
  const blocks = blockCount(count)
  store<u32>(out, start, 16)
  let end = start + blocks * ENTRY_BYTES
  for (let block = 0; block < blocks; block++) {
    const from = filled + (<usize>block << 13)
    const rows = min(count - (block << 10), BLOCK_ROWS)
    const entry = out + <usize>(start + block * ENTRY_BYTES)
    planBlock(encoding, from, rows, entry)
    end = isDelta(encoding)
      ? writeDeltaCodes(from, rows, entry, out, end, scratch)
      : writeLineCodes(from, rows, entry, out, end, scratch)
  }
  return finishChunk(out, encoding, end)
}

function planBlock(encoding: i32, values: usize, rows: i32, entry: usize): i32 {
  if (encoding == ENCODING_FRAME) return planFrame(values, rows, entry)
  if (encoding == ENCODING_LINEAR) return planLinear(values, rows, entry)
  return planDelta(values, rows, entry)
}

/** The smallest form; delta, which must add up codes to reach a row, only where it saves an eighth. `entry` is scratch. */
function chooseEncoding(values: usize, count: i32, entry: usize): i32 {
  if (allEqual64(values, count)) return ENCODING_CONSTANT
  let frame = 0
  let linear = 0
  let delta = 0
  let deltaEncoding = ENCODING_DELTA
  const blocks = blockCount(count)
  for (let block = 0; block < blocks; block++) {
    const from = values + (<usize>block << 13)
    const rows = min(count - (block << 10), BLOCK_ROWS)
    frame += ENTRY_BYTES + planFrame(from, rows, entry)
    linear += ENTRY_BYTES + planLinear(from, rows, entry)
    delta += ENTRY_BYTES + planDelta(from, rows, entry)
    if (entrySlope(entry) != 1) deltaEncoding = ENCODING_STEPPED_DELTA
  }
  let encoding = ENCODING_PLAIN
  let best = count << 3
  if (frame < best) {
    encoding = ENCODING_FRAME
    best = frame
  }
  if (linear < best) {
    encoding = ENCODING_LINEAR
    best = linear
  }
  return delta <= best - (best >> 3) && delta < best ? deltaEncoding : encoding
}

/** Writes a constant or plain chunk of 8-byte values. */
export function writeFixed(out: usize, start: i32, values: usize, count: i32, encoding: i32): i32 {
  store<u32>(out, start, 20)
  if (encoding == ENCODING_CONSTANT) {
    store<u64>(out + <usize>start, count == 0 ? 0 : load<u64>(values))
    return finishChunk(out, encoding, start + 8)
  }
  memory.copy(out + <usize>start, values, <usize>count << 3)
  return finishChunk(out, encoding, start + (count << 3))
}
