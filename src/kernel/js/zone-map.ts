/** Twin of assembly/zone-map.ts, which tells why each bound is certain. */
import type { LinearMemory, Pointer } from '../linear-memory.ts'
import { comparison } from '../zone-map.ts'
import type { ZoneMapExports } from '../zone-map.ts'
import { createVectorAggregates } from './aggregate/vectors.ts'
import { intervalOf, less64, orderedF64 } from './compare/interval.ts'
import type { KeyInterval } from './compare/interval.ts'
import { createTextOrder } from './compare/text.ts'

const kindF64 = 2
const kindBytes = 3
const noRow = 0xffff_ffff

/** One column's zone map and what a term asks of it. */
interface Probe {
  readonly map: Pointer
  readonly kind: number
  readonly op: number
  /** Row groups that do not meet it have no matching row. */
  readonly outer: KeyInterval
  /** Row groups inside it have only matching rows. */
  readonly inner: KeyInterval
}

const emptyInterval: KeyInterval = { empty: true, lowHigh: 0, lowLow: 0, highHigh: 0, highLow: 0 }

export function createZoneMapJs(memory: LinearMemory): ZoneMapExports {
  const { u8, u32, i32, i64, f64 } = memory
  const { initI64, initF64, aggregateI64, aggregateF64 } = createVectorAggregates(memory)
  const text = createTextOrder(memory)

  const accumulatorToZone = (out: Pointer, count: number): void => {
    const at = out >>> 2
    const present = f64[out >>> 3]!
    if (present === 0) u32.fill(0, at, at + 4)
    else u32.copyWithin(at, at + 2, at + 6)
    u32[at + 4] = count - present
    u32[at + 5] = 0
  }
  const compareRows = (refs: Pointer, row: number, other: number): number => {
    const a = (refs >>> 2) + 2 * row, b = (refs >>> 2) + 2 * other
    return text.compare(u32[a]!, u32[a + 1]!, u32[b]!, u32[b + 1]!)
  }
  const storePrefix = (out: Pointer, refs: Pointer, row: number): void => {
    const ref = (refs >>> 2) + 2 * row
    u32[(out >>> 2) + 1] = row === noRow ? 0 : text.prefix4(u32[ref]!, u32[ref + 1]!, 0)
    u32[out >>> 2] = row === noRow ? 0 : text.prefix4(u32[ref]!, u32[ref + 1]!, 4)
  }

  const probeOf = (term: Pointer): Probe => {
    const at = term >>> 2
    const map = u32[at]!, kind = u32[at + 1]!, op = u32[at + 2]!
    if (kind !== kindBytes) {
      const interval = intervalOf(op === comparison.ne ? comparison.eq : op, kind === kindF64 ? orderedF64(f64[(term >>> 3) + 2]!) : i64[(term >>> 3) + 2]!)
      return { map, kind, op, outer: interval, inner: interval }
    }
    const key = i64[(term >>> 3) + 2]! ^ -(1n << 63n)
    const exact = (u32[at + 3]! & 1) === 0 && (key & 0xffn) !== 0n
    if (op === comparison.eq || op === comparison.ne) return { map, kind, op, outer: intervalOf(comparison.eq, key), inner: emptyInterval }
    const outer = op === comparison.lt && !exact ? comparison.le : op === comparison.gt ? comparison.ge : op
    const inner = op === comparison.le ? comparison.lt : op === comparison.ge && !exact ? comparison.gt : op
    return { map, kind, op, outer: intervalOf(outer, key), inner: intervalOf(inner, key) }
  }
  const keyHigh = (at: Pointer, kind: number): number => {
    const high = i32[(at >>> 2) + 1]!
    if (kind === kindBytes) return high ^ 0x8000_0000
    if (kind !== kindF64) return high
    const value = f64[at >>> 3]!
    if (value !== value) return 0x7ff8_0000
    return value === 0 ? 0 : high < 0 ? high ^ 0x7fff_ffff : high
  }
  const keyLow = (at: Pointer, kind: number): number => {
    const low = u32[at >>> 2]!
    if (kind !== kindF64) return low
    const value = f64[at >>> 3]!
    return value !== value || value === 0 ? 0 : value < 0 ? ~low >>> 0 : low
  }
  const intervalState = ({ map, kind, op, outer, inner }: Probe, group: number, groups: number): number => {
    const leastHigh = keyHigh(map + 8 * group, kind), leastLow = keyLow(map + 8 * group, kind)
    const greatestHigh = keyHigh(map + 8 * (groups + group), kind), greatestLow = keyLow(map + 8 * (groups + group), kind)
    const none = outer.empty || less64(greatestHigh, greatestLow, outer.lowHigh, outer.lowLow) || less64(outer.highHigh, outer.highLow, leastHigh, leastLow)
    const all = !inner.empty && !less64(leastHigh, leastLow, inner.lowHigh, inner.lowLow) && !less64(inner.highHigh, inner.highLow, greatestHigh, greatestLow)
    const state = none ? 0 : all ? 2 : 1
    return op === comparison.ne ? 2 - state : state
  }
  const stateOf = (probe: Probe, group: number, groups: number, rows: number): number => {
    const { map, op } = probe
    if (map === 0) return op === comparison.isNull ? 2 : 0
    const nulls = u32[(map >>> 2) + 4 * groups + group]!
    if (op >= comparison.isNull) {
      const hits = op === comparison.isNull ? nulls : rows - nulls
      return hits === 0 ? 0 : hits === rows ? 2 : 1
    }
    if (nulls === rows) return 0
    return Math.min(intervalState(probe, group, groups), nulls === 0 ? 2 : 1)
  }

  return {
    zoneMapComputeI64(values, nulls, count, out) {
      initI64(out)
      aggregateI64(values, nulls, 0, count, out)
      accumulatorToZone(out, count)
    },
    zoneMapComputeF64(values, nulls, count, out) {
      initF64(out)
      aggregateF64(values, nulls, 0, count, out)
      accumulatorToZone(out, count)
    },
    zoneMapComputeBytes(refs, nulls, count, out) {
      let least = noRow, greatest = noRow, present = 0
      for (let row = 0; row < count; row++) {
        if (nulls !== 0 && ((u8[nulls + (row >>> 3)]! >>> (row & 7)) & 1) === 1) continue
        if (present === 0 || compareRows(refs, row, least) < 0) least = row
        if (present === 0 || compareRows(refs, row, greatest) > 0) greatest = row
        present++
      }
      storePrefix(out, refs, least)
      storePrefix(out + 8, refs, greatest)
      u32.fill(0, (out >>> 2) + 4, (out >>> 2) + 10)
      u32[(out >>> 2) + 4] = count - present
      u32[(out >>> 2) + 10] = least
      u32[(out >>> 2) + 11] = greatest
    },
    zoneMapPrune(terms, termCount, rowCounts, rowGroupCount, out) {
      const probes = Array.from({ length: termCount }, (_, i) => probeOf(terms + 32 * i))
      let kept = 0
      for (let group = 0; group < rowGroupCount; group++) {
        const rows = u32[(rowCounts >>> 2) + group]!
        let state = rows === 0 ? 0 : 2
        for (let i = 0; i < termCount && state > 0; i++) state = Math.min(state, stateOf(probes[i]!, group, rowGroupCount, rows))
        u8[out + group] = state
        if (state > 0) kept++
      }
      return kept
    },
    zoneMapRowGroupOf(prefixes, refs, texts, rowGroupCount, shared, key, keyBytes) {
      const firstKey = (index: number): Pointer => texts + u32[(refs >>> 2) + 2 * index]!
      const common = Math.min(keyBytes, shared)
      const order = shared === 0 ? 0 : text.compare(key, common, firstKey(0), shared)
      if (order !== 0) return order < 0 ? -1 : rowGroupCount - 1
      const high = text.prefix4(key, keyBytes, shared), low = text.prefix4(key, keyBytes, shared + 4)
      const isAbove = (index: number): boolean => {
        const firstHigh = u32[(prefixes >>> 2) + 2 * index]!, firstLow = u32[(prefixes >>> 2) + 2 * index + 1]!
        if (firstHigh !== high) return firstHigh > high
        if (firstLow !== low) return firstLow > low
        return text.compare(firstKey(index), u32[(refs >>> 2) + 2 * index + 1]!, key, keyBytes) > 0
      }
      let from = 0, to = rowGroupCount
      while (from < to) {
        const middle = (from + to) >>> 1
        if (isAbove(middle)) to = middle
        else from = middle + 1
      }
      return from - 1
    },
  }
}
