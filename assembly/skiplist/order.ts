// Late order: in a table that has grown, keys that come in no order are in the index at once but wait for their place in
// the leaves, until there are many or somebody reads in order. Then they are entered in the order of their prefixes, so that
// one after the other goes the way that the one before has gone. Each by itself reads blocks that no cache has, which is
// most of what a put at random takes. (The buffer and the multi-inserts of FloDB, Balmau et al. 2017, within one memtable.)
//
// Every read in order, and whoever hands the table to another thread, calls `orderCatchUp` first. It never needs memory
// that is not there: `batchPrepare` lets keys wait only as long as one segment has room for all blocks that they may take.
import { arenaAllocate } from './arena'
import { keyNodePrefix } from './key'
import { LATE_KEYS_MIN, TABLE_KEYS, TABLE_SHARED, TABLE_WAITING, TABLE_WAITING_COUNT, WAITING_BYTES, WAITING_COUNTS, WAITING_ENTRY_BYTES, WAITING_MAX, WAITING_SORTED, WAITING_SORTED_MIN } from './layout'
import { treeInsert } from './tree'

/** Bytes that the list of waiting keys takes from the arena before `inserts` more keys come; 0 when it is there, or none is wanted yet. */
export function orderListBytes(table: usize, inserts: u64): u64 {
  return load<u32>(table, TABLE_WAITING) != 0 || load<u32>(table, TABLE_KEYS) + inserts < LATE_KEYS_MIN ? 0 : WAITING_BYTES
}

export function orderProvideList(table: usize, inserts: u64): void {
  if (orderListBytes(table, inserts) != 0) store<u32>(table, <u32>arenaAllocate(table, WAITING_BYTES), TABLE_WAITING)
}

/** Enters a new node that is in the index, now or later. */
export function orderInsert(table: usize, node: usize): void {
  const list = <usize>load<u32>(table, TABLE_WAITING)
  if (list == 0) return treeInsert(table, node)
  const count = load<u32>(table, TABLE_WAITING_COUNT)
  store<u64>(list + <usize>count * WAITING_ENTRY_BYTES, node, 8)
  store<u32>(table, count + 1, TABLE_WAITING_COUNT)
  if (count + 1 == WAITING_MAX) orderCatchUp(table)
}

/** Enters all keys that wait. */
export function orderCatchUp(table: usize): void {
  const count = <usize>load<u32>(table, TABLE_WAITING_COUNT)
  if (count == 0) return
  store<u32>(table, 0, TABLE_WAITING_COUNT)
  const list = <usize>load<u32>(table, TABLE_WAITING)
  const sorted = count < WAITING_SORTED_MIN ? list : sortByPrefix(list, count, load<u32>(table, TABLE_SHARED))
  for (let i: usize = 0; i < count; i++) treeInsert(table, <usize>load<u64>(sorted + i * WAITING_ENTRY_BYTES, 8))
}

/**
 * Sorts the first `count` nodes by their 8 key bytes from `skip` on, those that tie as they came (radix sort, from the last
 * byte on, without bytes that all have in common); returns where they stand. Keys may share less than `skip` bytes, or more
 * than 8 behind it: then some are entered out of order, which costs time only.
 */
function sortByPrefix(list: usize, count: usize, skip: u32): usize {
  let differing: u64 = 0
  let first: u64 = 0
  for (let i: usize = 0; i < count; i++) {
    const entry = list + i * WAITING_ENTRY_BYTES
    const prefix = keyNodePrefix(<usize>load<u64>(entry, 8), skip)
    if (i == 0) first = prefix
    differing |= prefix ^ first
    store<u64>(entry, prefix)
  }
  let from = list
  let to = list + WAITING_SORTED
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    if (((differing >> shift) & 255) == 0) continue
    distribute(from, to, count, shift, list + WAITING_COUNTS)
    const filled = to
    to = from
    from = filled
  }
  return from
}

/** One pass: entries go to `to` by the byte at `shift` of their prefix. */
function distribute(from: usize, to: usize, count: usize, shift: u64, counts: usize): void {
  memory.fill(counts, 0, 1024)
  for (let i: usize = 0; i < count; i++) {
    const place = placeOf(from + i * WAITING_ENTRY_BYTES, shift, counts)
    store<u32>(place, load<u32>(place) + 1)
  }
  let before: u32 = 0
  for (let place = counts; place < counts + 1024; place += 4) {
    const here = load<u32>(place)
    store<u32>(place, before)
    before += here
  }
  for (let i: usize = 0; i < count; i++) {
    const entry = from + i * WAITING_ENTRY_BYTES
    const place = placeOf(entry, shift, counts)
    const at = load<u32>(place)
    store<u32>(place, at + 1)
    v128.store(to + <usize>at * WAITING_ENTRY_BYTES, v128.load(entry))
  }
}

function placeOf(entry: usize, shift: u64, counts: usize): usize {
  return counts + (<usize>((load<u64>(entry) >> shift) & 255) << 2)
}
