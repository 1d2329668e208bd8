/**
 * K-way merge of sorted key vectors, newest run first; contract in src/kernel/merge.ts.
 *
 * Each run's head key is cached in its record as one 64-bit number: an i64 key itself, or 8 key bytes
 * big-endian, zero-padded, so that most comparisons touch no key: the first ones behind those that all keys of
 * the call share, which the first and the last key of each run tell. A descending merge caches the
 * complement, which turns the order around. More than two runs are merged by a tree of losers (Knuth, The Art of
 * Computer Programming 3, 5.4.1): below node n are nodes 2n and 2n + 1, the runs follow the nodes, and each node keeps who
 * lost there, so that a winner's next row meets one run a level. Of keys that interleave nobody can foresee how they
 * compare, so that comparisons are not branched upon.
 *
 * Record: 0 u32 keys, 4 u32 position, 8 u32 end, 12 u32 flags; of the node of the same number (at 0: the winner's head)
 * 16 u64 head of the loser, 24 u32 its run, 28 u32 run that won when all matches were played.
 */
import { textCompareFrom } from './compare/text'
import { headBehind, sharedWith } from './merge/heads'

export { mergeLanes } from './merge/lanes'

const NODE_HEAD: usize = 16
const NODE_LOSER: usize = 24
const NODE_WINNER: usize = 28

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

/** Compares two keys whose first 8 bytes behind the shared ones, zero-padded, are equal. */
function compareTails(left: usize, right: usize): i32 {
  return textCompareFrom(load<u32>(left), load<u32>(left, 4), load<u32>(right), load<u32>(right, 4), 8 + shared)
}

function headAt<K>(element: usize, flip: K): K {
  if (isSigned<K>()) return <K>(load<K>(element) ^ flip)
  return <K>(<K>headBehind(element, shared) ^ flip)
}

/** Order of two elements by head, then (refs only) by the rest of the key; `flip` is all ones when descending. */
function compareElements<K>(leftHead: K, left: usize, rightHead: K, right: usize, flip: K): i32 {
  if (leftHead != rightHead) return leftHead < rightHead ? -1 : 1
  if (isSigned<K>()) return 0
  return flip == 0 ? compareTails(left, right) : compareTails(right, left)
}

/** The head of a run's next row; of a run that has none left, one that no head comes after. */
function headOf<K>(record: usize, flip: K): K {
  if (exhausted(record)) return isSigned<K>() ? <K>i64.MAX_VALUE : <K>u64.MAX_VALUE
  return headAt<K>(elementAt(record), flip)
}

/** Whether run `a` comes before run `b`, whose heads are alike: by the rest of the key, then the newer first; without rows, last. */
function beforeAlike<K>(runs: usize, a: u32, b: u32, flip: K): bool {
  const left = recordAt(runs, a), right = recordAt(runs, b)
  if (exhausted(left)) return false
  if (exhausted(right)) return true
  const order = compareElements<K>(0, elementAt(left), 0, elementAt(right), flip)
  return order < 0 || (order == 0 && a < b)
}

/** Plays all matches, from the lowest up; returns the winner. */
function playAll<K>(runs: usize, runCount: u32, flip: K): u32 {
  for (let node = runCount - 1; node > 0; node--) {
    const left = winnerBelow(runs, runCount, node << 1), right = winnerBelow(runs, runCount, (node << 1) + 1)
    const leftHead = headOf<K>(recordAt(runs, left), flip), rightHead = headOf<K>(recordAt(runs, right), flip)
    const leftWins = leftHead == rightHead ? beforeAlike<K>(runs, left, right, flip) : leftHead < rightHead
    const at = recordAt(runs, node)
    store<K>(at, leftWins ? rightHead : leftHead, NODE_HEAD)
    store<u32>(at, leftWins ? right : left, NODE_LOSER)
    store<u32>(at, leftWins ? left : right, NODE_WINNER)
  }
  const winner = runCount > 1 ? load<u32>(recordAt(runs, 1), NODE_WINNER) : 0
  store<K>(runs, headOf<K>(recordAt(runs, winner), flip), NODE_HEAD)
  return winner
}

function winnerBelow(runs: usize, runCount: u32, node: u32): u32 {
  return node < runCount ? load<u32>(recordAt(runs, node), NODE_WINNER) : node - runCount
}

/** The winner after the next row of `run`, the winner before, has come in its place. Nobody can foresee who wins, so that no branch depends on it. */
function replay<K>(runs: usize, runCount: u32, run: u32, flip: K): u32 {
  let head = headOf<K>(recordAt(runs, run), flip)
  for (let node = (run + runCount) >> 1; node > 0; node >>= 1) {
    const at = recordAt(runs, node)
    const loserHead = load<K>(at, NODE_HEAD), loser = load<u32>(at, NODE_LOSER)
    let turns = <u32>(loserHead < head)
    if (loserHead == head) turns = <u32>beforeAlike<K>(runs, loser, run, flip)
    const headChange = (head ^ loserHead) & -<K>turns, runChange = (run ^ loser) & -turns
    store<K>(at, loserHead ^ headChange, NODE_HEAD)
    store<u32>(at, loser ^ runChange, NODE_LOSER)
    head ^= headChange
    run ^= runChange
  }
  store<K>(runs, head, NODE_HEAD)
  return run
}

/** How many runs have rows, or -1 when a run that is not final has none. */
function liveRuns(runs: usize, runCount: u32): i32 {
  let live = 0
  for (let run: u32 = 0; run < runCount; run++) {
    const record = recordAt(runs, run)
    if (!exhausted(record)) live++
    else if (!(load<u32>(record, 12) & final)) return -1
  }
  return live
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
  let live = liveRuns(runs, runCount)
  if (live <= 0 || written == limit) return written
  let run = playAll<K>(runs, runCount, flip)
  while (live > 1 && written < limit) {
    const record = recordAt(runs, run)
    const element = elementAt(record)
    const head = load<K>(runs, NODE_HEAD)
    writeWinner(out, written++, run, load<u32>(record, 4))
    let open = true
    do {
      const passed = recordAt(runs, run)
      store<u32>(passed, load<u32>(passed, 4) + 1, 4)
      if (exhausted(passed)) {
        live--
        if (!(load<u32>(passed, 12) & final)) open = false
      }
      run = replay<K>(runs, runCount, run, flip)
    } while (live > 0 && compareElements<K>(load<K>(runs, NODE_HEAD), elementAt(recordAt(runs, run)), head, element, flip) == 0)
    if (!open) return written
  }
  return live == 1 && written < limit ? drainOne(runs, run, out, written, limit) : written
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
