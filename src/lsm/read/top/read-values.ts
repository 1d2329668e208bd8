/** Values out of vectors, by row. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import type { Vector } from '../../page.ts'
import type { RankValue } from '../../top/rank.ts'
import { bitAt } from '../read-context.ts'

/** `isKept`: bytes are copied out; otherwise they are a view, good as long as the vector. */
export function valueReader({ u8, u32, i32, i64, f64 }: LinearMemory, vector: Vector, isKept: boolean): (row: number) => RankValue {
  const { nulls } = vector
  if (vector.kind === 'bytes') {
    const refs = vector.refs >>> 2
    return (row) => {
      if (bitAt(u8, nulls, row)) return null
      const from = u32[refs + 2 * row]!, to = from + u32[refs + 2 * row + 1]!
      return isKept ? u8.slice(from, to) : u8.subarray(from, to)
    }
  }
  if (vector.kind === 'f64') return (row) => (bitAt(u8, nulls, row) ? null : f64[(vector.values >>> 3) + row]!)
  const word = vector.values >>> 2
  return (row) => {
    if (bitAt(u8, nulls, row)) return null
    const number = i32[word + 2 * row + 1]! * 0x1_0000_0000 + u32[word + 2 * row]!
    return Number.isSafeInteger(number) ? number : i64[(vector.values >>> 3) + row]!
  }
}
