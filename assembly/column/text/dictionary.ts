/*
 * Building a sorted dictionary: distinct texts by hashing, in order of first appearance; then, only if the
 * dictionary is taken, sorted, so that codes compare as values. All state is in scratch:
 *
 *   slots     u32 × slotCount    entry + 1, open addressing
 *   hashes    u32 × count        by entry
 *   entries   ref × count        by entry
 *   codes     u32 × count        by row
 *   order     u32 × 2 × count    entries in order, and room to merge
 *   prefixes  u64 × count        by entry
 */
import { compareBytes, equalBytes, hashBytes, prefix64 } from './compare'

/** Every so many rows the dictionary is given up when nearly all rows so far were distinct. */
const PROBE_ROWS: i32 = 4096

/** The power of two at or above twice the count. */
export function slotCount(count: i32): i32 { return 1 << (32 - clz(max(count * 2, 16) - 1)) }

export function dictionaryScratchBytes(count: i32): i32 { return slotCount(count) * 4 + count * 32 + 64 }

function hashesAt(base: usize, count: i32): usize { return base + (<usize>slotCount(count) << 2) }
export function entriesAt(base: usize, count: i32): usize { return (hashesAt(base, count) + (<usize>count << 2) + 7) & ~7 }
export function codesAt(base: usize, count: i32): usize { return entriesAt(base, count) + (<usize>count << 3) }
function orderAt(base: usize, count: i32): usize { return codesAt(base, count) + (<usize>count << 2) }
function prefixesAt(base: usize, count: i32): usize { return (orderAt(base, count) + (<usize>count << 3) + 7) & ~7 }

/** Collects the distinct texts of `refs`; returns how many, or -1 when a dictionary would not pay. */
export function collectEntries(refs: usize, count: i32, base: usize): i32 {
  const slots = slotCount(count)
  memory.fill(base, 0, <usize>slots << 2)
  const codes = codesAt(base, count)
  let distinct = 0
  for (let row = 0; row < count; row++) {
    if ((row & (PROBE_ROWS - 1)) == 0 && row != 0 && distinct > row - (row >> 3)) return -1
    const ref = refs + (<usize>row << 3)
    const code = entryOf(load<u32>(ref), load<u32>(ref, 4), count, slots, base, distinct)
    store<u32>(codes + (<usize>row << 2), code)
    if (code == distinct) distinct++
  }
  return distinct
}

/** Entry of a text; a new one gets the number `distinct`. */
function entryOf(text: usize, byteLength: u32, count: i32, slots: i32, base: usize, distinct: i32): i32 {
  const hashes = hashesAt(base, count)
  const entries = entriesAt(base, count)
  const hash = hashBytes(text, byteLength)
  let slot = <i32>hash & (slots - 1)
  while (true) {
    const found = load<i32>(base + (<usize>slot << 2)) - 1
    if (found < 0) break
    const entry = entries + (<usize>found << 3)
    if (load<u32>(hashes + (<usize>found << 2)) == hash && load<u32>(entry, 4) == byteLength && equalBytes(load<u32>(entry), text, byteLength)) return found
    slot = (slot + 1) & (slots - 1)
  }
  store<i32>(base + (<usize>slot << 2), distinct + 1)
  store<u32>(hashes + (<usize>distinct << 2), hash)
  store<u32>(entries + (<usize>distinct << 3), <u32>text)
  store<u32>(entries + (<usize>distinct << 3), byteLength, 4)
  return distinct
}

export function entriesTextBytes(distinct: i32, count: i32, base: usize): u32 {
  const entries = entriesAt(base, count)
  let bytes: u32 = 0
  for (let i = 0; i < distinct; i++) bytes += load<u32>(entries + (<usize>i << 3), 4)
  return bytes
}

/** How many runs of equal codes there are. */
export function countRuns(count: i32, base: usize): i32 {
  const codes = codesAt(base, count)
  let runs = count == 0 ? 0 : 1
  for (let i = 1; i < count; i++) {
    if (load<u32>(codes + (<usize>i << 2)) != load<u32>(codes + (<usize>(i - 1) << 2))) runs++
  }
  return runs
}

/** Sorts the entries, turns codes into ranks and returns the address of the sorted entry numbers (u32 each). */
export function sortEntries(distinct: i32, count: i32, base: usize): usize {
  const prefixes = prefixesAt(base, count)
  const entries = entriesAt(base, count)
  let from = orderAt(base, count)
  let to = from + (<usize>count << 2)
  for (let i = 0; i < distinct; i++) {
    const entry = entries + (<usize>i << 3)
    store<u64>(prefixes + (<usize>i << 3), prefix64(load<u32>(entry), load<u32>(entry, 4)))
    store<u32>(from + (<usize>i << 2), i)
  }
  for (let width = 1; width < distinct; width <<= 1) {
    for (let low = 0; low < distinct; low += width << 1) {
      mergeHalves(from, to, low, min(low + width, distinct), min(low + (width << 1), distinct), entries, prefixes)
    }
    const swap = from
    from = to
    to = swap
  }
  // Hashes are done with: their room holds the ranks.
  const ranks = hashesAt(base, count)
  for (let i = 0; i < distinct; i++) store<u32>(ranks + (<usize>load<u32>(from + (<usize>i << 2)) << 2), i)
  const codes = codesAt(base, count)
  for (let row = 0; row < count; row++) {
    const code = codes + (<usize>row << 2)
    store<u32>(code, load<u32>(ranks + (<usize>load<u32>(code) << 2)))
  }
  return from
}

function below(a: u32, b: u32, entries: usize, prefixes: usize): bool {
  const x = load<u64>(prefixes + (<usize>a << 3))
  const y = load<u64>(prefixes + (<usize>b << 3))
  if (x != y) return x < y
  const left = entries + (<usize>a << 3)
  const right = entries + (<usize>b << 3)
  return compareBytes(load<u32>(left), load<u32>(left, 4), load<u32>(right), load<u32>(right, 4)) < 0
}

/** Merges the sorted halves [low, middle) and [middle, high). */
function mergeHalves(from: usize, to: usize, low: i32, middle: i32, high: i32, entries: usize, prefixes: usize): void {
  let left = low
  let right = middle
  if (middle >= high || below(load<u32>(from + (<usize>(middle - 1) << 2)), load<u32>(from + (<usize>middle << 2)), entries, prefixes)) {
    memory.copy(to + (<usize>low << 2), from + (<usize>low << 2), <usize>(high - low) << 2)
    return
  }
  for (let i = low; i < high; i++) {
    const takeLeft = right >= high || (left < middle
      && !below(load<u32>(from + (<usize>right << 2)), load<u32>(from + (<usize>left << 2)), entries, prefixes))
    store<u32>(to + (<usize>i << 2), load<u32>(from + (<usize>(takeLeft ? left : right) << 2)))
    if (takeLeft) left++
    else right++
  }
}
