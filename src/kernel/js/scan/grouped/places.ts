/** The places of i64 values in a window; twin of assembly/scan/grouped/places.ts. */
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import type { ScanExports } from '../../../scan.ts'
import { blockCount, blockRows, columnKinds, createChunkLayout, encodings } from '../../column/layout.ts'

const widthMax = 31, two32 = 0x1_0000_0000

export function createPlaces(memory: LinearMemory): Pick<ScanExports, 'scanPlaces' | 'scanPlacesChunk' | 'scanPlacesUsed'> {
  const { u8, u32, i32, f64 } = memory
  const layout = createChunkLayout(memory)
  const isSet = (bitmap: Pointer, row: number): boolean => bitmap !== 0 && ((u8[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) === 1

  return {
    scanPlacesChunk(chunk, base, capacity, places) {
      if (layout.kind(chunk) !== columnKinds.i64 || layout.encoding(chunk) !== encodings.frame || layout.nulls(chunk) !== 0) return -1
      for (let block = 0; block < blockCount(layout.count(chunk)); block++) {
        const entry = layout.entry(chunk, block), width = layout.width(entry), packed = layout.packed(chunk, entry)
        const offset = layout.baseHigh(entry) * two32 + (layout.baseLow(entry) >>> 0) - base, to = (places >>> 2) + block * blockRows
        if (width > widthMax || !(offset >= 0 && offset < capacity)) return -1
        for (let row = 0; row < layout.rowsOf(chunk, block); row++) {
          const place = layout.packedGet(packed, width, row) + offset
          if (place >= capacity) return -1
          u32[to + row] = place
        }
      }
      return 0
    },
    scanPlaces(values, nulls, selection, count, base, capacity, places) {
      for (let row = 0, at = values >>> 2, to = places >>> 2; row < count; row++, at += 2, to++) {
        if (selection !== 0 && !isSet(selection, row)) continue
        const isNull = isSet(nulls, row), place = i32[at + 1]! * two32 + u32[at]! - base
        if (!isNull && !(place >= 0 && place < capacity)) return -1
        u32[to] = isNull ? capacity : place
      }
      return 0
    },
    scanPlacesUsed(accumulators, stride, placeCount, used) {
      let count = 0
      for (let place = 0; place < placeCount; place++) {
        u32[(used >>> 2) + count] = place
        if (f64[(accumulators + stride * place) >>> 3] !== 0) count++
      }
      return count
    },
  }
}
