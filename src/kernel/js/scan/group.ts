/** Group numbers for rows; twin of assembly/scan/group.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { createGroupTables, noGroup } from './group-table.ts'
import type { Selections } from './selection.ts'

export type GroupKernels = Pick<ScanExports, 'scanGroupsBytes' | 'scanGroupsCreate' | 'scanGroupsCopy' | 'scanGroupsCount' | 'scanGroupsAssign' | 'scanGroupsMerge' | 'scanGroupsKeys' | 'scanGroupsFill' | 'scanGroupsMap' | 'scanGroupsUsed'>

export function createGroupKernels(memory: LinearMemory, { eachSelected }: Selections): GroupKernels {
  const { u8, u32, f64 } = memory
  const tables = createGroupTables(memory)
  const isSet = (bitmap: Pointer, row: number): boolean => ((u8[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) === 1

  /** Group of the value at an address, in the one form of its equals. */
  const ofFixed = (table: Pointer, at: Pointer, isF64: boolean, parent: number): number => {
    const value = isF64 ? f64[at >>> 3]! : 1
    if (value !== value) return tables.ofValue(table, 0, 0x7ff8_0000, parent, 0)
    if (value === 0) return tables.ofValue(table, 0, 0, parent, 0)
    return tables.ofValue(table, u32[at >>> 2]!, u32[(at >>> 2) + 1]!, parent, 0)
  }
  const ofEntry = (into: Pointer, from: Pointer, entry: Pointer, parent: number): number => {
    const at = entry >>> 2, low = u32[at]!, high = u32[at + 1]!, isNull = u32[at + 3]!
    return tables.isText(from) ? tables.ofText(into, tables.text(from, entry), high, parent, isNull) : tables.ofValue(into, low, high, parent, isNull)
  }
  const writeKey = (table: Pointer, entry: Pointer, out: number): boolean => {
    const at = entry >>> 2, isNull = u32[at + 3] === 1
    u32[out] = isNull ? 0 : tables.isText(table) ? tables.text(table, entry) : u32[at]!
    u32[out + 1] = isNull ? 0 : u32[at + 1]!
    return isNull
  }

  return {
    scanGroupsBytes: tables.byteLength,
    scanGroupsCreate: tables.init,
    scanGroupsCount: tables.count,
    scanGroupsCopy: (from, into) => (tables.copy(from, into) ? 0 : -1),
    scanGroupsAssign(table, vector, nulls, parents, selection, from, count, groups) {
      const texts = tables.isText(table), isF64 = tables.isF64(table)
      // Equal neighbours are common: the last value or ref is not looked up again.
      let lastLow = 0, lastHigh = 0, lastParent = 0, last = noGroup
      for (let row = from; row < count; row++) {
        if (selection !== 0 && !isSet(selection, row)) continue
        const parent = parents === 0 ? 0 : u32[(parents >>> 2) + row]!, at = (vector >>> 2) + 2 * row
        const low = u32[at]!, high = u32[at + 1]!
        let group = last
        if (nulls !== 0 && isSet(nulls, row)) {
          group = texts ? tables.ofText(table, 0, 0, parent, 1) : tables.ofValue(table, 0, 0, parent, 1)
        } else if (last === noGroup || low !== lastLow || high !== lastHigh || parent !== lastParent) {
          group = last = texts ? tables.ofText(table, low, high, parent, 0) : ofFixed(table, vector + 8 * row, isF64, parent)
          lastLow = low
          lastHigh = high
          lastParent = parent
        }
        if (group === noGroup) return row
        u32[(groups >>> 2) + row] = group
      }
      return count
    },
    scanGroupsMerge(into, from, parentMap, firstGroup, map) {
      const groups = tables.count(from)
      for (let group = firstGroup; group < groups; group++) {
        const entry = tables.entry(from, group), parent = u32[(entry >>> 2) + 2]!
        const merged = ofEntry(into, from, entry, parentMap === 0 ? parent : u32[(parentMap >>> 2) + parent]!)
        if (merged === noGroup) return group
        u32[(map >>> 2) + group] = merged
      }
      return groups
    },
    scanGroupsKeys(table, groups, firstGroup, count, vector, nulls, parents) {
      u8.fill(0, nulls, nulls + Math.ceil(count / 64) * 8)
      let nullCount = 0
      for (let i = 0; i < count; i++) {
        const entry = tables.entry(table, groups === 0 ? firstGroup + i : u32[(groups >>> 2) + i]!)
        if (writeKey(table, entry, (vector >>> 2) + 2 * i)) {
          u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
          nullCount++
        }
        if (parents !== 0) u32[(parents >>> 2) + i] = u32[(entry >>> 2) + 2]!
      }
      return nullCount
    },
    scanGroupsFill: (groups, count, group) => void u32.fill(group, groups >>> 2, (groups >>> 2) + count),
    scanGroupsMap(groups, selection, count, map) {
      eachSelected(selection, count, (row) => {
        u32[(groups >>> 2) + row] = u32[(map >>> 2) + u32[(groups >>> 2) + row]!]!
      })
    },
    scanGroupsUsed(groups, selection, count, used) {
      eachSelected(selection, count, (row) => {
        const group = u32[(groups >>> 2) + row]!
        u8[used + (group >>> 3)]! |= 1 << (group & 7)
      })
    },
  }
}
