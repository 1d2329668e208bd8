/** Twin of assembly/merge/parts.ts. */
import { runsHeadBytes, runsMemtableBytes, runsRunBytes } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { laneBytes, laneKinds, laneRowsBytes, laneRunBytes, walkPartBytes } from '../../merge.ts'
import { createTextOrder } from '../compare/text.ts'
import { tableEntries, tableRangeCount } from '../skiplist/layout.ts'
import { createZoneMapJs } from '../zone-map.ts'
import { laneWords } from './lane.ts'
import type { Bound, Walk } from './lane.ts'

/** false where a memtable has range tombstones. */
export function createMakeLanes(memory: LinearMemory): (walk: Walk) => boolean {
  const { u8, u32, f64 } = memory, { compare } = createTextOrder(memory), { zoneMapRowGroupOf } = createZoneMapJs(memory)
  const word = (record: Pointer, byteOffset: number): number => u32[(record + byteOffset) >>> 2]!
  const laneCountWord = ({ address }: Walk): number => (address + 76) >>> 2
  const laneAt = ({ lanes }: Walk, index: number): Pointer => lanes + index * laneBytes

  function addLane(walk: Walk, part: number, kind: number, entries: number): Pointer {
    const index = u32[laneCountWord(walk)]!++, lane = laneAt(walk, index), run = walk.runs + index * laneRunBytes
    u8.fill(0, lane, lane + laneBytes)
    u8.fill(0, run, run + laneRunBytes)
    u32[(lane >>> 2) + laneWords.part] = part
    u32[(lane >>> 2) + laneWords.kind] = kind
    u32[(lane >>> 2) + laneWords.rows] = walk.rows + index * laneRowsBytes(walk.capacity, walk.columns.length)
    f64[(lane >>> 3) + 7] = entries
    return lane
  }

  function addMemtables(walk: Walk, part: number, runs: Pointer, sequence: number): boolean {
    for (let i = 0, at = runs + runsHeadBytes; i < word(runs, 0); i++, at += runsMemtableBytes) {
      const table = word(at, 0), entries = f64[(table + tableEntries) >>> 3]!
      if (word(table, tableRangeCount) !== 0) return false
      if (entries === 0) continue
      const lane = addLane(walk, part, laneKinds.memtable, entries)
      f64[lane >>> 3] = word(at, 4) === 0 ? sequence : Number.MAX_SAFE_INTEGER
      u32[(lane >>> 2) + laneWords.source] = table
    }
    return true
  }

  function addFiles(walk: Walk, part: number, runs: Pointer): void {
    for (let i = 0, run = runs + runsHeadBytes + word(runs, 0) * runsMemtableBytes; i < word(runs, 4); i++, run += runsRunBytes) {
      if (!reachesIn(walk, run)) continue
      const lane = addLane(walk, part, laneKinds.file, f64[(word(run, 28) >>> 3) + 1]!)
      u32[(lane >>> 2) + laneWords.run] = run
      u32[(lane >>> 2) + laneWords.file] = fileOf(walk, run)
    }
  }

  function reachesIn({ lower, upper, hasUpper }: Walk, run: Pointer): boolean {
    const compareTo = (ref: Pointer, { address, byteLength }: Bound): number => compare(word(run, 16) + word(ref, 0), word(ref, 4), address, byteLength)
    return compareTo(word(run, 28), lower) >= 0 && (!hasUpper || compareTo(word(run, 12), upper) < 0)
  }

  const fileOf = ({ lower: { address, byteLength } }: Walk, run: Pointer): number =>
    word(run, 0) === 1 ? 0 : Math.max(0, zoneMapRowGroupOf(word(run, 8), word(run, 12), word(run, 16), word(run, 0), word(run, 4), address, byteLength))

  function shareRows(walk: Walk): void {
    const lanes = Array.from({ length: u32[laneCountWord(walk)]! }, (_, i) => laneAt(walk, i))
    const entriesOf = (lane: Pointer): number => f64[(lane >>> 3) + 7]!, all = lanes.reduce((sum, lane) => sum + entriesOf(lane), 0)
    for (const lane of lanes) {
      const expected = walk.limit * entriesOf(lane) / all
      u32[(lane >>> 2) + laneWords.pageRows] = Math.max(8, (Math.floor(expected + Math.sqrt(expected)) + 4) & ~7)
    }
  }

  return (walk) => {
    const { address } = walk
    u32[laneCountWord(walk)] = 0
    for (let part = 0, at = word(address, 0); part < word(address, 4); part++, at += walkPartBytes) {
      if (!addMemtables(walk, part, word(at, 8), f64[at >>> 3]!)) return false
      addFiles(walk, part, word(at, 8))
    }
    shareRows(walk)
    return true
  }
}
