/** Groups of integers that lie close together; twin of assembly/scan/group-dense.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'

export type DenseGroups = Pick<ScanExports, 'scanGroupsDense' | 'scanGroupsDenseLearn'>

export function createDenseGroups({ u8, u32, i32 }: LinearMemory): DenseGroups {
  const isSet = (bitmap: Pointer, row: number): boolean => bitmap !== 0 && ((u8[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) === 1

  /** One beyond the place of NULL stands for all values outside. */
  const placeOf = (base: number, capacity: number, values: Pointer, nulls: Pointer, row: number): number => {
    if (isSet(nulls, row)) return capacity
    const word = (values >>> 2) + 2 * row
    const place = i32[word + 1]! * 0x1_0000_0000 + u32[word]! - base
    return place >= 0 && place < capacity ? place : capacity + 1
  }

  return {
    scanGroupsDense(index, base, capacity, values, nulls, selection, count, groups, missed) {
      let missedCount = 0
      u8.fill(0, missed, missed + ((count + 63) >>> 6) * 8)
      for (let row = 0; row < count; row++) {
        if (selection !== 0 && !isSet(selection, row)) continue
        const known = u32[(index >>> 2) + placeOf(base, capacity, values, nulls, row)]!
        if (known !== 0) {
          u32[(groups >>> 2) + row] = known - 1
          continue
        }
        u8[missed + (row >>> 3)]! |= 1 << (row & 7)
        missedCount++
      }
      return missedCount
    },
    scanGroupsDenseLearn(index, base, capacity, values, nulls, selection, count, groups) {
      for (let row = 0; row < count; row++) {
        if (!isSet(selection, row)) continue
        const place = placeOf(base, capacity, values, nulls, row)
        if (place <= capacity) u32[(index >>> 2) + place] = u32[(groups >>> 2) + row]! + 1
      }
    },
  }
}
