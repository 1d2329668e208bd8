/*
 * The merge of lanes: a tree of losers as ../merge.ts has it (Knuth, The Art of Computer Programming 3, 5.4.1), which goes on when a lane
 * brings its next rows. Each row's head stands in a list beside its key: 8 key bytes, big-endian, zero-padded, behind those that all rows
 * that were brought begin with, or an i64 key moved up by half its range. Heads of a page are read one after another, so that the
 * processor waits for many keys at a time; a match, which has to wait for the one before, then reads no key but of heads that are alike.
 */
import { textCompareFrom } from '../compare/text'
import { headBehind, sharedWith } from './heads'
import { laneAt, laneBring, laneHasDeleted, laneIsOver, runAt } from './lane'
import { KIND_I64, LANE_ROWS, WALK_KEY_KIND, WALK_LANE_COUNT, WALK_LIMIT, WALK_REFERENCE, WALK_RUNS, WALK_SHARED, WALK_WINNERS, WALK_WRITTEN } from './layout'

/* A run: 0 its heads, 4 position, 8 end; of the node of the same number (at 0: the winner's head) 16 head of the loser, 24 its lane, 28 the winner when all matches were played. */
const NODE_HEAD: usize = 16
const NODE_LOSER: usize = 24
const NODE_WINNER: usize = 28

const NO_HEAD: u64 = u64.MAX_VALUE

function isExhausted(run: usize): bool {
  return load<u32>(run, 4) >= load<u32>(run, 8)
}

/** Of a lane's next row; of one that has none left, one that no head comes after. */
function headOf(run: usize): u64 {
  return isExhausted(run) ? NO_HEAD : load<u64>(<usize>load<u32>(run) + (<usize>load<u32>(run, 4) << 3))
}

function keyOf(walk: usize, lane: u32, row: u32): usize {
  return <usize>load<u32>(laneAt(walk, lane), LANE_ROWS) + (<usize>row << 3)
}

function isI64(walk: usize): bool {
  return load<u32>(walk, WALK_KEY_KIND) == KIND_I64
}

/** Order of two keys whose heads are alike. */
function compareAlike(walk: usize, left: usize, right: usize): i32 {
  return isI64(walk) ? 0 : textCompareFrom(load<u32>(left), load<u32>(left, 4), load<u32>(right), load<u32>(right, 4), 8 + load<u32>(walk, WALK_SHARED))
}

/** Whether lane `a` comes before lane `b`, whose heads are alike: by the rest of the key, then the newer first; without rows, last. */
function beforeAlike(walk: usize, a: u32, b: u32): bool {
  const left = runAt(walk, a), right = runAt(walk, b)
  if (isExhausted(left)) return false
  if (isExhausted(right)) return true
  const order = compareAlike(walk, keyOf(walk, a, load<u32>(left, 4)), keyOf(walk, b, load<u32>(right, 4)))
  return order < 0 || (order == 0 && a < b)
}

/** Plays all matches, from the lowest up; returns the winner. */
function playAll(walk: usize): u32 {
  const count = load<u32>(walk, WALK_LANE_COUNT)
  for (let node = count - 1; node > 0; node--) {
    const left = winnerBelow(walk, count, node << 1), right = winnerBelow(walk, count, (node << 1) + 1)
    const leftHead = headOf(runAt(walk, left)), rightHead = headOf(runAt(walk, right))
    const leftWins = leftHead == rightHead ? beforeAlike(walk, left, right) : leftHead < rightHead, at = runAt(walk, node)
    store<u64>(at, leftWins ? rightHead : leftHead, NODE_HEAD)
    store<u32>(at, leftWins ? right : left, NODE_LOSER)
    store<u32>(at, leftWins ? left : right, NODE_WINNER)
  }
  const winner = count > 1 ? load<u32>(runAt(walk, 1), NODE_WINNER) : 0
  store<u64>(load<u32>(walk, WALK_RUNS), headOf(runAt(walk, winner)), NODE_HEAD)
  return winner
}

function winnerBelow(walk: usize, count: u32, node: u32): u32 {
  return node < count ? load<u32>(runAt(walk, node), NODE_WINNER) : node - count
}

/** The winner after the next row of `lane`, the winner before, has come in its place. Nobody can foresee who wins, so that no branch depends on it. */
function replay(walk: usize, lane: u32): u32 {
  let head = headOf(runAt(walk, lane))
  for (let node = (lane + load<u32>(walk, WALK_LANE_COUNT)) >> 1; node > 0; node >>= 1) {
    const at = runAt(walk, node), loserHead = load<u64>(at, NODE_HEAD), loser = load<u32>(at, NODE_LOSER)
    let turns = <u32>(loserHead < head)
    if (loserHead == head) turns = <u32>beforeAlike(walk, loser, lane)
    const headChange = (head ^ loserHead) & -<u64>turns, laneChange = (lane ^ loser) & -turns
    store<u64>(at, loserHead ^ headChange, NODE_HEAD)
    store<u32>(at, loser ^ laneChange, NODE_LOSER)
    head ^= headChange
    lane ^= laneChange
  }
  store<u64>(load<u32>(walk, WALK_RUNS), head, NODE_HEAD)
  return lane
}

/** Writes the winners that are not deleted until there are as many as wanted, or no row is left; otherwise, negative, why a lane brings no more. All lanes that are not over have rows. */
export function mergeRows(walk: usize): i32 {
  const limit = load<u32>(walk, WALK_LIMIT), winners = <usize>load<u32>(walk, WALK_WINNERS)
  let written = load<u32>(walk, WALK_WRITTEN), winner = playAll(walk)
  while (written < limit) {
    const run = runAt(walk, winner), row = load<u32>(run, 4), key = keyOf(walk, winner, row)
    if (isExhausted(run)) break
    if (!laneHasDeleted(walk, laneAt(walk, winner), row)) {
      store<u64>(winners + (<usize>written << 3), <u64>winner | (<u64>row << 32))
      store<u32>(walk, ++written, WALK_WRITTEN)
    }
    // Its older rows are hidden, also where a lane has to be waited for: what that brings next comes after them.
    let stopped = 0, head = load<u64>(<usize>load<u32>(walk, WALK_RUNS), NODE_HEAD)
    do {
      const passed = pass(walk, winner, written < limit)
      stopped = min(stopped, passed)
      winner = passed == SHARES_LESS ? playAll(walk) : replay(walk, winner)
      if (passed == SHARES_LESS) head = headOfKey(walk, key)
    } while (load<u64>(<usize>load<u32>(walk, WALK_RUNS), NODE_HEAD) == head && isAgain(walk, winner, key))
    if (stopped < 0) return stopped
  }
  return 0
}

function isAgain(walk: usize, lane: u32, key: usize): bool {
  const run = runAt(walk, lane)
  return !isExhausted(run) && compareAlike(walk, keyOf(walk, lane, load<u32>(run, 4)), key) == 0
}

const SHARES_LESS: i32 = 1

/** Passes over a lane's row, and brings the next where that was the last. Negative: why there are none; `SHARES_LESS`: all heads are others. */
function pass(walk: usize, lane: u32, mayBring: bool): i32 {
  const run = runAt(walk, lane)
  store<u32>(run, load<u32>(run, 4) + 1, 4)
  if (!mayBring || !isExhausted(run) || laneIsOver(laneAt(walk, lane))) return 0
  const outcome = laneBring(walk, laneAt(walk, lane), run)
  return outcome < 0 ? outcome : <i32>noteRows(walk, lane)
}

/** Writes the heads of the rows that a lane has brought; whether those of all lanes are others, since keys share less than was known. */
function noteRows(walk: usize, lane: u32): bool {
  const before = load<u32>(walk, WALK_SHARED), shared = sharedByRows(walk, lane, before)
  if (shared == before) {
    writeHeads(walk, lane)
    return false
  }
  store<u32>(walk, shared, WALK_SHARED)
  writeAllHeads(walk)
  return true
}

/** The same of all rows that were brought, once every lane that is not over has some. */
export function noteAllRows(walk: usize): void {
  let shared: u32 = u32.MAX_VALUE
  store<u32>(walk, 0, WALK_REFERENCE)
  for (let lane: u32 = 0; lane < load<u32>(walk, WALK_LANE_COUNT); lane++) shared = sharedByRows(walk, lane, shared)
  store<u32>(walk, shared, WALK_SHARED)
  writeAllHeads(walk)
}

/** How many of the first `most` bytes of one key for all, the first that is met, those of a lane's rows begin with: they are in order, so the first and the last tell. */
function sharedByRows(walk: usize, lane: u32, most: u32): u32 {
  const run = runAt(walk, lane)
  if (isI64(walk) || isExhausted(run)) return most
  const first = keyOf(walk, lane, load<u32>(run, 4)), last = keyOf(walk, lane, load<u32>(run, 8) - 1)
  if (load<u32>(walk, WALK_REFERENCE) == 0) store<u32>(walk, load<u32>(first), WALK_REFERENCE)
  const reference = <usize>load<u32>(walk, WALK_REFERENCE)
  return sharedWith(reference, sharedWith(reference, most, first), last)
}

function writeAllHeads(walk: usize): void {
  for (let lane: u32 = 0; lane < load<u32>(walk, WALK_LANE_COUNT); lane++) writeHeads(walk, lane)
}

function writeHeads(walk: usize, lane: u32): void {
  const run = runAt(walk, lane), heads = <usize>load<u32>(run), end = load<u32>(run, 8)
  let row = load<u32>(run, 4), key = keyOf(walk, lane, row)
  if (isI64(walk)) {
    for (; row < end; row++, key += 8) store<u64>(heads + (<usize>row << 3), load<u64>(key) ^ 0x8000000000000000)
    return
  }
  const shared = load<u32>(walk, WALK_SHARED)
  for (; row < end; row++, key += 8) store<u64>(heads + (<usize>row << 3), headBehind(key, shared))
}

function headOfKey(walk: usize, key: usize): u64 {
  return isI64(walk) ? load<u64>(key) ^ 0x8000000000000000 : headBehind(key, load<u32>(walk, WALK_SHARED))
}
