/** Twin of assembly/merge.ts, which explains the merge. Heads are kept as two 32-bit words beside the records. */
import type { LinearMemory, Pointer } from '../linear-memory.ts'
import type { MergeExports } from '../merge.ts'
import { createMergeLanes } from './merge/lanes.ts'

type Word = (element: Pointer) => number

/** What a merge needs to know of one form of keys: the head's two words as unsigned numbers, and the order of equal heads. */
interface KeyOrder {
  readonly high: Word
  readonly low: Word
  readonly compareRest: (left: Pointer, right: Pointer) => number
}

const finalFlag = 1, descendingFlag = 2

export function createMergeJs(memory: LinearMemory): MergeExports {
  const { u8, u32 } = memory
  const orders = { i64: i64Order(memory), refs: refsOrder(memory) }

  const merge = (runs: Pointer, runCount: number, out: Pointer, limit: number, order: KeyOrder): number => {
    const at = runs >>> 2
    const flip = runCount > 0 && (u32[at + 3]! & descendingFlag) !== 0 ? 0xffffffff : 0
    const high = new Uint32Array(runCount), low = new Uint32Array(runCount), ranks = new Int32Array(runCount)
    let live = 0, written = 0

    const elementOf = (run: number): Pointer => u32[at + 8 * run]! + 8 * u32[at + 8 * run + 1]!
    const cacheHead = (run: number, element: Pointer): void => {
      high[run] = order.high(element) ^ flip
      low[run] = order.low(element) ^ flip
    }
    const compare = (leftHigh: number, leftLow: number, left: Pointer, right: number): number => {
      if (leftHigh !== high[right]) return leftHigh < high[right]! ? -1 : 1
      if (leftLow !== low[right]) return leftLow < low[right]! ? -1 : 1
      const rest = order.compareRest(left, elementOf(right))
      return flip === 0 ? rest : -rest
    }
    const sink = (rank: number, run: number): void => {
      const element = elementOf(run)
      for (; rank + 1 < live; rank++) {
        const next = ranks[rank + 1]!
        const outcome = compare(high[run]!, low[run]!, element, next)
        if (outcome < 0 || (outcome === 0 && run < next)) break
        ranks[rank] = next
      }
      ranks[rank] = run
    }
    /** Passes the first rank's row; false when that run is exhausted and not final. */
    const passFirst = (): boolean => {
      const run = ranks[0]!
      const position = ++u32[at + 8 * run + 1]!
      if (position < u32[at + 8 * run + 2]!) {
        cacheHead(run, elementOf(run))
        sink(0, run)
        return true
      }
      ranks.copyWithin(0, 1, live)
      live--
      return (u32[at + 8 * run + 3]! & finalFlag) !== 0
    }

    for (let run = runCount - 1; run >= 0; run--) {
      if (u32[at + 8 * run + 1]! >= u32[at + 8 * run + 2]!) {
        if ((u32[at + 8 * run + 3]! & finalFlag) === 0) return 0
        continue
      }
      cacheHead(run, elementOf(run))
      ranks.copyWithin(1, 0, live)
      live++
      sink(0, run)
    }
    while (live > 0 && written < limit) {
      const winner = ranks[0]!
      const element = elementOf(winner), winnerHigh = high[winner]!, winnerLow = low[winner]!
      u32[(out >>> 2) + 2 * written] = winner
      u32[(out >>> 2) + 2 * written + 1] = u32[at + 8 * winner + 1]!
      written++
      let open = passFirst()
      while (live > 0 && compare(winnerHigh, winnerLow, element, ranks[0]!) === 0) open = passFirst() && open
      if (!open) break
    }
    return written
  }

  const hide = (run: Pointer, older: Pointer, count: number, selection: Pointer, order: KeyOrder): number => {
    const at = run >>> 2, keys = u32[at]!, end = u32[at + 2]!
    let position = u32[at + 1]!, row = 0, hidden = 0
    while (row < count && position < end) {
      position = firstNotBefore(order, keys, position, end, older + 8 * row)
      if (position === end) break
      row = firstNotBefore(order, older, row, count, keys + 8 * position)
      if (row === count) break
      if (compareElements(order, older + 8 * row, keys + 8 * position) !== 0) continue
      const byte = selection + (row >>> 3), bit = 1 << (row & 7)
      if ((u8[byte]! & bit) !== 0) hidden++
      u8[byte]! &= ~bit
      position++
      row++
    }
    u32[at + 1] = position
    return hidden
  }

  const merges: Omit<MergeExports, 'mergeLanes'> = {
    mergeRefs: (runs, runCount, out, limit) => merge(runs, runCount, out, limit, orders.refs),
    mergeI64: (runs, runCount, out, limit) => merge(runs, runCount, out, limit, orders.i64),
    mergeHideRefs: (run, older, count, selection) => hide(run, older, count, selection, orders.refs),
    mergeHideI64: (run, older, count, selection) => hide(run, older, count, selection, orders.i64),
    mergeGather8(winners, count, sources, out) {
      const pairs = winners >>> 2, addresses = sources >>> 2, to = out >>> 2
      for (let i = 0; i < 2 * count; i += 2) {
        const from = (u32[addresses + u32[pairs + i]!]! >>> 2) + 2 * u32[pairs + i + 1]!
        u32[to + i] = u32[from]!
        u32[to + i + 1] = u32[from + 1]!
      }
    },
    mergeGatherBits(winners, count, sources, out) {
      let any = 0
      const pairs = winners >>> 2, addresses = sources >>> 2
      u8.fill(0, out, out + Math.ceil(count / 64) * 8)
      for (let i = 0; i < count; i++) {
        const bitmap = u32[addresses + u32[pairs + 2 * i]!]!, row = u32[pairs + 2 * i + 1]!
        if (bitmap === 0 || ((u8[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) === 0) continue
        u8[out + (i >>> 3)]! |= 1 << (i & 7)
        any = 1
      }
      return any
    },
  }
  return { ...merges, ...createMergeLanes(memory, merges) }
}

function compareElements(order: KeyOrder, left: Pointer, right: Pointer): number {
  return order.high(left) - order.high(right) || order.low(left) - order.low(right) || order.compareRest(left, right)
}

/** The first position in [from, end) whose key is not before the element's, found in steps that double; `end` when all are. */
function firstNotBefore(order: KeyOrder, keys: Pointer, from: number, end: number, element: Pointer): number {
  const isBefore = (position: number): boolean => compareElements(order, keys + 8 * position, element) < 0
  let low = from, step = 1
  for (; low + step <= end && isBefore(low + step - 1); step *= 2) low += step
  let high = Math.min(end, low + step - 1)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

function i64Order({ u32 }: LinearMemory): KeyOrder {
  return {
    high: (element) => (u32[(element >>> 2) + 1]! ^ 0x80000000) >>> 0,
    low: (element) => u32[element >>> 2]!,
    compareRest: () => 0,
  }
}

function refsOrder({ u8, u32, view }: LinearMemory): KeyOrder {
  const word = (key: Pointer, keyBytes: number): number => {
    if (keyBytes >= 4) return view.getUint32(key)
    let bytes = 0
    for (let i = 0; i < keyBytes; i++) bytes |= u8[key + i]! << (24 - 8 * i)
    return bytes >>> 0
  }
  return {
    high: (element) => word(u32[element >>> 2]!, u32[(element >>> 2) + 1]!),
    low: (element) => word(u32[element >>> 2]! + 4, Math.max(0, u32[(element >>> 2) + 1]! - 4)),
    compareRest(left, right) {
      const leftKey = u32[left >>> 2]!, rightKey = u32[right >>> 2]!
      const leftBytes = u32[(left >>> 2) + 1]!, rightBytes = u32[(right >>> 2) + 1]!
      const shared = Math.min(leftBytes, rightBytes)
      for (let i = 8; i < shared; i++) {
        if (u8[leftKey + i] !== u8[rightKey + i]) return u8[leftKey + i]! - u8[rightKey + i]!
      }
      return leftBytes - rightBytes
    },
  }
}
