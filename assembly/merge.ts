/**
 * K-way merge of sorted key vectors, newest run first; contract in src/kernel/merge.ts.
 *
 * Each run's head key is cached in its record as one 64-bit number: an i64 key itself, or 8 key bytes
 * big-endian, zero-padded, so that most comparisons touch no key: the first ones behind those that all keys of
 * the call share, which the first and the last key of each run tell. A descending merge caches the
 * complement, which turns the order around. The records also hold the run numbers sorted by head (equal
 * heads newest first): after a winner the first run sinks to its place, which costs one comparison while
 * runs do not interleave.
 *
 * Record: 0 u32 keys, 4 u32 position, 8 u32 end, 12 u32 flags, 16 u64 head, 24 u32 run at this rank, 28 u32 0.
 */

const final: u32 = 1
const descending: u32 = 2

/** Bytes that all keys (refs) of the call under way begin with. */
let shared: u32 = 0

function recordAt(runs: usize, run: u32): usize {
  return runs + (<usize>run << 5)
}

function exhausted(record: usize): bool {
  return load<u32>(record, 4) >= load<u32>(record, 8)
}

function elementAt(record: usize): usize {
  return <usize>load<u32>(record) + (<usize>load<u32>(record, 4) << 3)
}

/** How many of the first `most` bytes of a key another key begins with. */
function sharedWith(key: usize, most: u32, element: usize): u32 {
  const other = <usize>load<u32>(element)
  const end = min(most, load<u32>(element, 4))
  let at: u32 = 0
  for (; at + 8 <= end; at += 8) {
    const difference = load<u64>(key + at) ^ load<u64>(other + at)
    if (difference != 0) return at + (<u32>ctz(difference) >> 3)
  }
  while (at < end && load<u8>(key + at) == load<u8>(other + at)) at++
  return at
}

/** Bytes that all keys still to come begin with; runs are in order, so their ends tell. */
function sharedBytes(runs: usize, runCount: u32): u32 {
  let key: usize = 0
  let most: u32 = 0
  for (let run: u32 = 0; run < runCount; run++) {
    const record = recordAt(runs, run)
    if (exhausted(record)) continue
    const first = elementAt(record)
    if (key == 0) {
      key = <usize>load<u32>(first)
      most = load<u32>(first, 4)
    }
    most = sharedWith(key, most, first)
    most = sharedWith(key, most, <usize>load<u32>(record) + (<usize>(load<u32>(record, 8) - 1) << 3))
    if (most == 0) break
  }
  return most
}

/** First 8 bytes of a key, big-endian, zero-padded. Reads before the key, never after it. */
function prefixOf(key: usize, keyBytes: u32): u64 {
  if (keyBytes >= 8) return bswap<u64>(load<u64>(key))
  if (keyBytes == 0) return 0
  return bswap<u64>(load<u64>(key + keyBytes - 8)) << (<u64>(8 - keyBytes) << 3)
}

/** Compares two keys whose first 8 bytes behind the shared ones, zero-padded, are equal. */
function compareTails(left: usize, right: usize): i32 {
  const leftKey = <usize>load<u32>(left), rightKey = <usize>load<u32>(right)
  const leftBytes = load<u32>(left, 4), rightBytes = load<u32>(right, 4)
  const end = <usize>min(leftBytes, rightBytes)
  let at: usize = 8 + <usize>shared
  while (at + 8 <= end) {
    const a = load<u64>(leftKey + at), b = load<u64>(rightKey + at)
    if (a != b) return bswap<u64>(a) < bswap<u64>(b) ? -1 : 1
    at += 8
  }
  while (at < end) {
    const a = load<u8>(leftKey + at), b = load<u8>(rightKey + at)
    if (a != b) return a < b ? -1 : 1
    at++
  }
  return <i32>(leftBytes > rightBytes) - <i32>(leftBytes < rightBytes)
}

function headAt<K>(element: usize, flip: K): K {
  if (isSigned<K>()) return <K>(load<K>(element) ^ flip)
  return <K>(<K>prefixOf(<usize>load<u32>(element) + <usize>shared, load<u32>(element, 4) - shared) ^ flip)
}

/** Order of two elements by head, then (refs only) by the rest of the key; `flip` is all ones when descending. */
function compareElements<K>(leftHead: K, left: usize, rightHead: K, right: usize, flip: K): i32 {
  if (leftHead != rightHead) return leftHead < rightHead ? -1 : 1
  if (isSigned<K>()) return 0
  return flip == 0 ? compareTails(left, right) : compareTails(right, left)
}

function runAtRank(runs: usize, rank: u32): u32 {
  return load<u32>(recordAt(runs, rank), 24)
}

function setRunAtRank(runs: usize, rank: u32, run: u32): void {
  store<u32>(recordAt(runs, rank), run, 24)
}

/** Whether run `a` comes before run `b`: by head key, then the newer first. */
function before<K>(runs: usize, a: u32, b: u32, flip: K): bool {
  const left = recordAt(runs, a), right = recordAt(runs, b)
  const order = compareElements<K>(load<K>(left, 16), elementAt(left), load<K>(right, 16), elementAt(right), flip)
  return order < 0 || (order == 0 && a < b)
}

/** Places `run` among the ranks (rank, live) that follow `rank`, moving those before it down. */
function sink<K>(runs: usize, rank: u32, live: u32, run: u32, flip: K): void {
  while (rank + 1 < live) {
    const next = runAtRank(runs, rank + 1)
    if (before<K>(runs, run, next, flip)) break
    setRunAtRank(runs, rank, next)
    rank++
  }
  setRunAtRank(runs, rank, run)
}

/** Sorts the runs that have rows into ranks; returns how many, or -1 when a run that is not final has none. */
function rankRuns<K>(runs: usize, runCount: u32, flip: K): i32 {
  let live: u32 = 0
  for (let run: u32 = runCount; run-- > 0; ) {
    const record = recordAt(runs, run)
    if (exhausted(record)) {
      if (!(load<u32>(record, 12) & final)) return -1
      continue
    }
    store<K>(record, headAt<K>(elementAt(record), flip), 16)
    // From the last run to the first: the ranks used so far move up by one.
    for (let rank = live; rank > 0; rank--) setRunAtRank(runs, rank, runAtRank(runs, rank - 1))
    live++
    sink<K>(runs, 0, live, run, flip)
  }
  return live
}

/** Passes the first rank's row: 1 it has more, 0 it is exhausted and final, -1 it is exhausted and not final. */
function passFirst<K>(runs: usize, live: u32, flip: K): i32 {
  const run = runAtRank(runs, 0)
  const record = recordAt(runs, run)
  store<u32>(record, load<u32>(record, 4) + 1, 4)
  if (!exhausted(record)) {
    store<K>(record, headAt<K>(elementAt(record), flip), 16)
    sink<K>(runs, 0, live, run, flip)
    return 1
  }
  for (let rank: u32 = 1; rank < live; rank++) setRunAtRank(runs, rank - 1, runAtRank(runs, rank))
  return load<u32>(record, 12) & final ? 0 : -1
}

function writeWinner(out: usize, index: u32, run: u32, row: u32): void {
  store<u64>(out + (<usize>index << 3), <u64>run | (<u64>row << 32))
}

/** The only run that is left gives all its rows up to the limit. */
function drainOne(runs: usize, run: u32, out: usize, written: u32, limit: u32): u32 {
  const record = recordAt(runs, run)
  const position = load<u32>(record, 4)
  const count = min(limit - written, load<u32>(record, 8) - position)
  for (let i: u32 = 0; i < count; i++) writeWinner(out, written + i, run, position + i)
  store<u32>(record, position + count, 4)
  return written + count
}

function mergeMany<K>(runs: usize, runCount: u32, out: usize, written: u32, limit: u32, flip: K): u32 {
  const ranked = rankRuns<K>(runs, runCount, flip)
  if (ranked < 0) return written
  let live: u32 = ranked
  while (live > 1 && written < limit) {
    const winner = runAtRank(runs, 0)
    const record = recordAt(runs, winner)
    const element = elementAt(record)
    const head = load<K>(record, 16)
    writeWinner(out, written++, winner, load<u32>(record, 4))
    let open = true
    do {
      const passed = passFirst<K>(runs, live, flip)
      if (passed <= 0) live--
      if (passed < 0) open = false
      if (live == 0) break
      const next = recordAt(runs, runAtRank(runs, 0))
      if (compareElements<K>(load<K>(next, 16), elementAt(next), head, element, flip) != 0) break
    } while (true)
    if (!open) return written
  }
  return live == 1 && written < limit ? drainOne(runs, runAtRank(runs, 0), out, written, limit) : written
}

/** Two runs of i64 keys without branches on the keys: both positions advance by the outcome of two comparisons. */
function mergeTwoI64(runs: usize, out: usize, limit: u32, flip: i64): u32 {
  const a = <usize>load<u32>(runs), b = <usize>load<u32>(runs, 32)
  let aRow = load<u32>(runs, 4), bRow = load<u32>(runs, 36)
  const aEnd = load<u32>(runs, 8), bEnd = load<u32>(runs, 40)
  let written: u32 = 0
  while (aRow < aEnd && bRow < bEnd && written < limit) {
    const aKey = load<i64>(a + (<usize>aRow << 3)) ^ flip, bKey = load<i64>(b + (<usize>bRow << 3)) ^ flip
    const takeA = <u32>(aKey <= bKey), takeB = <u32>(bKey <= aKey)
    writeWinner(out, written++, 1 - takeA, select<u32>(aRow, bRow, takeA != 0))
    aRow += takeA
    bRow += takeB
  }
  store<u32>(runs, aRow, 4)
  store<u32>(runs, bRow, 36)
  return written
}

function mergeTwoRefs(runs: usize, out: usize, limit: u32, flip: u64): u32 {
  const a = <usize>load<u32>(runs), b = <usize>load<u32>(runs, 32)
  let aRow = load<u32>(runs, 4), bRow = load<u32>(runs, 36)
  const aEnd = load<u32>(runs, 8), bEnd = load<u32>(runs, 40)
  let written: u32 = 0
  if (aRow >= aEnd || bRow >= bEnd) return 0
  let aAt = a + (<usize>aRow << 3), bAt = b + (<usize>bRow << 3)
  let aHead = headAt<u64>(aAt, flip), bHead = headAt<u64>(bAt, flip)
  while (written < limit) {
    const order = compareElements<u64>(aHead, aAt, bHead, bAt, flip)
    if (order <= 0) {
      writeWinner(out, written++, 0, aRow++)
      aAt += 8
    } else writeWinner(out, written++, 1, bRow)
    if (order >= 0) {
      bRow++
      bAt += 8
    }
    if (aRow >= aEnd || bRow >= bEnd) break
    if (order <= 0) aHead = headAt<u64>(aAt, flip)
    if (order >= 0) bHead = headAt<u64>(bAt, flip)
  }
  store<u32>(runs, aRow, 4)
  store<u32>(runs, bRow, 36)
  return written
}

export function mergeRefs(runs: usize, runCount: u32, out: usize, limit: u32): u32 {
  const flip: u64 = runCount > 0 && (load<u32>(runs, 12) & descending) ? u64.MAX_VALUE : 0
  shared = sharedBytes(runs, runCount)
  const written = runCount == 2 ? mergeTwoRefs(runs, out, limit, flip) : 0
  return mergeMany<u64>(runs, runCount, out, written, limit, flip)
}

export function mergeI64(runs: usize, runCount: u32, out: usize, limit: u32): u32 {
  const flip: i64 = runCount > 0 && (load<u32>(runs, 12) & descending) ? -1 : 0
  const written = runCount == 2 ? mergeTwoI64(runs, out, limit, flip) : 0
  return mergeMany<i64>(runs, runCount, out, written, limit, flip)
}

/** The first position in [from, end) whose key is not before the element's, found in steps that double; `end` when all are. */
function firstNotBefore<K>(keys: usize, from: u32, end: u32, element: usize): u32 {
  const head = headAt<K>(element, 0)
  let low = from, step: u32 = 1
  while (low + step <= end && isBefore<K>(keys, low + step - 1, head, element)) {
    low += step
    step <<= 1
  }
  let high = min<u32>(end, low + step - 1)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore<K>(keys, middle, head, element)) low = middle + 1
    else high = middle
  }
  return low
}

function isBefore<K>(keys: usize, position: u32, head: K, element: usize): bool {
  const at = keys + (<usize>position << 3)
  return compareElements<K>(headAt<K>(at, 0), at, head, element, 0) < 0
}

/** Both sides are passed over in doubling steps, so that few keys among many cost in proportion to the few. */
function hide<K>(run: usize, older: usize, count: u32, selection: usize): u32 {
  const keys = <usize>load<u32>(run)
  const end = load<u32>(run, 8)
  let position = load<u32>(run, 4)
  let row: u32 = 0, hidden: u32 = 0
  while (row < count && position < end) {
    const olderAt = older + (<usize>row << 3)
    position = firstNotBefore<K>(keys, position, end, olderAt)
    if (position == end) break
    const key = keys + (<usize>position << 3)
    row = firstNotBefore<K>(older, row, count, key)
    if (row == count) break
    const found = older + (<usize>row << 3)
    if (compareElements<K>(headAt<K>(found, 0), found, headAt<K>(key, 0), key, 0) != 0) continue
    const byte = selection + (row >> 3), bit: u32 = 1 << (row & 7), bits: u32 = load<u8>(byte)
    hidden += <u32>((bits & bit) != 0)
    store<u8>(byte, <u8>(bits & ~bit))
    position++
    row++
  }
  store<u32>(run, position, 4)
  return hidden
}

export function mergeHideRefs(run: usize, older: usize, count: u32, selection: usize): u32 {
  shared = 0
  return hide<u64>(run, older, count, selection)
}

export function mergeHideI64(run: usize, older: usize, count: u32, selection: usize): u32 {
  return hide<i64>(run, older, count, selection)
}

export function mergeGather8(winners: usize, count: u32, sources: usize, out: usize): void {
  const end = winners + (<usize>count << 3)
  while (winners < end) {
    const source = <usize>load<u32>(sources + (<usize>load<u32>(winners) << 2))
    store<u64>(out, load<u64>(source + (<usize>load<u32>(winners, 4) << 3)))
    winners += 8
    out += 8
  }
}

export function mergeGatherBits(winners: usize, count: u32, sources: usize, out: usize): u32 {
  let any: u64 = 0
  for (let base: u32 = 0; base < count; base += 64) {
    const until = min<u32>(64, count - base)
    let word: u64 = 0
    for (let i: u32 = 0; i < until; i++) {
      const winner = winners + (<usize>(base + i) << 3)
      const bitmap = <usize>load<u32>(sources + (<usize>load<u32>(winner) << 2))
      if (bitmap == 0) continue
      const row = load<u32>(winner, 4)
      word |= <u64>((load<u8>(bitmap + (row >> 3)) >> (row & 7)) & 1) << i
    }
    store<u64>(out + (base >> 3), word)
    any |= word
  }
  return <u32>(any != 0)
}
