/** The kernels of expressions in JavaScript, put together from their parts. */
import type { LinearMemory } from '../linear-memory.ts'
import { bitsOperator } from '../vector.ts'
import type { VectorExports } from '../vector.ts'
import { firstActive } from './vector/active.ts'
import { createArithmetic } from './vector/arithmetic.ts'
import { createIntegers } from './vector/integers.ts'
import { createTests } from './vector/tests.ts'
import { createSelections } from './scan/selection.ts'

export function createVectorJs(memory: LinearMemory): VectorExports {
  return { ...createArithmetic(memory), ...createTests(memory), ...createConversions(memory), ...createBitmaps(memory), ...createJoin(memory) }
}

const beyondI64 = 2 ** 63

function createConversions(memory: LinearMemory): Pick<VectorExports, 'vectorToF64' | 'vectorToI64' | 'vectorRoundF64'> {
  const { f64, i64 } = memory
  const integers = createIntegers(memory)
  return {
    vectorToF64(values, active, count, out) {
      firstActive(memory, active, count, (row) => {
        f64[(out >>> 3) + row] = Number(integers.read(values + 8 * row))
        return false
      })
    },
    vectorToI64(values, active, count, range, out) {
      const low = i64[range >>> 3]!, high = i64[(range >>> 3) + 1]!
      return firstActive(memory, active, count, (row) => {
        const rounded = roundedToEven(f64[(values >>> 3) + row]!)
        if (!(rounded < beyondI64 && rounded >= -beyondI64)) return true
        const value = Number.isSafeInteger(rounded) ? rounded + 0 : BigInt(rounded)
        if (value < low || value > high) return true
        integers.write(out + 8 * row, value)
        return false
      })
    },
    vectorRoundF64(rounding, values, count, out) {
      const round = roundings[rounding]!
      for (let row = 0; row < count; row++) f64[(out >>> 3) + row] = round(f64[(values >>> 3) + row]!)
    },
  }
}

const roundings: readonly ((value: number) => number)[] = [Math.floor, Math.ceil, Math.trunc, roundedToEven]

/** Between -1 and 0 it is -0. */
function roundedToEven(value: number): number {
  const floor = Math.floor(value)
  const rounded = value - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value)
  return rounded === 0 && value < 0 ? -0 : rounded
}

function createBitmaps(memory: LinearMemory): Pick<VectorExports, 'vectorSelect' | 'vectorFromBits' | 'vectorBits'> {
  const { u8, u32 } = memory
  const { scanSelectedCount } = createSelections(memory)
  const bitAt = (bitmap: number, row: number): number => (u8[bitmap + (row >>> 3)]! >>> (row & 7)) & 1
  return {
    vectorSelect(values, step, bits, count, out) {
      firstActive(memory, bits, count, (row) => {
        const from = (values + step * row) >>> 2, to = (out >>> 2) + 2 * row
        u32[to] = u32[from]!
        u32[to + 1] = u32[from + 1]!
        return false
      })
    },
    vectorFromBits(bits, count, out) {
      for (let row = 0; row < count; row++) {
        u32[(out >>> 2) + 2 * row] = bitAt(bits, row)
        u32[(out >>> 2) + 2 * row + 1] = 0
      }
    },
    vectorBits(operator, a, b, count, out) {
      for (let word = 0; word < 2 * Math.ceil(count / 64); word++) {
        const left = u32[(a >>> 2) + word]!, right = u32[(b >>> 2) + word]!, rows = count - 32 * word
        const bits = operator === bitsOperator.and ? left & right : operator === bitsOperator.andNot ? left & ~right : left | right
        u32[(out >>> 2) + word] = rows >= 32 ? bits : rows <= 0 ? 0 : bits & ((1 << rows) - 1)
      }
      return scanSelectedCount(out, count)
    },
  }
}

function createJoin({ u8, u32 }: LinearMemory): Pick<VectorExports, 'vectorJoinAscii'> {
  return {
    vectorJoinAscii(refs, count, out, outBytes, ends) {
      for (let row = 0, end = 0; row < count; row++) {
        const from = u32[(refs >>> 2) + 2 * row]!, byteLength = u32[(refs >>> 2) + 2 * row + 1]!
        if (byteLength > outBytes - end) return row
        for (let i = 0; i < byteLength; i++) {
          const byte = u8[from + i]!
          if (byte > 0x7f) return row
          u8[out + end + i] = byte
        }
        end += byteLength
        u32[(ends >>> 2) + row] = end
      }
      return count
    },
  }
}
