/** Arithmetic of vectors; twin of assembly/vector/arithmetic-i64.ts and arithmetic-f64.ts. */
import type { LinearMemory } from '../../linear-memory.ts'
import { vectorOperator } from '../../vector.ts'
import type { VectorExports } from '../../vector.ts'
import { firstActive } from './active.ts'
import { createIntegers } from './integers.ts'

const { add, subtract, multiply, quotient, remainder, roundedQuotient, floorQuotient } = vectorOperator

const integerOperators: Readonly<Record<number, (a: bigint, b: bigint) => bigint>> = {
  [add]: (a, b) => a + b,
  [subtract]: (a, b) => a - b,
  [multiply]: (a, b) => a * b,
  [quotient]: (a, b) => a / b,
  [remainder]: (a, b) => a % b,
  [roundedQuotient](a, b) {
    const half = (b < 0n ? -b : b) / 2n
    return (a < 0n ? a - half : a + half) / b
  },
  [floorQuotient]: (a, b) => a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n),
}

/** In safe numbers; a result that is none is computed again in bigints. */
const numberOperators: Readonly<Record<number, (a: number, b: number) => number>> = {
  [add]: (a, b) => a + b,
  [subtract]: (a, b) => a - b,
  [multiply]: (a, b) => a * b,
  [quotient]: (a, b) => Math.trunc(a / b),
  [remainder]: (a, b) => a % b,
  [floorQuotient]: (a, b) => Math.floor(a / b),
}

const doubleOperators: Readonly<Record<number, (a: number, b: number) => number>> = {
  [add]: (a, b) => a + b,
  [subtract]: (a, b) => a - b,
  [multiply]: (a, b) => a * b,
  [quotient]: (a, b) => a / b,
  [remainder]: (a, b) => a % b,
}

export function createArithmetic(memory: LinearMemory): Pick<VectorExports, 'vectorArithmeticI64' | 'vectorArithmeticF64'> {
  const { f64, i64 } = memory
  const integers = createIntegers(memory)
  return {
    vectorArithmeticI64(operator, left, leftStep, right, rightStep, active, count, range, out) {
      const exact = integerOperators[operator]!, inNumbers = numberOperators[operator]
      // As numbers they are the same bounds for all numbers that are safe.
      const low = i64[range >>> 3]!, high = i64[(range >>> 3) + 1]!, lowNumber = Number(low), highNumber = Number(high)
      return firstActive(memory, active, count, (row) => {
        const a = integers.read(left + leftStep * row), b = integers.read(right + rightStep * row)
        if (operator >= quotient && Number(b) === 0) return true
        const number = inNumbers !== undefined && typeof a === 'number' && typeof b === 'number' ? inNumbers(a, b) : Number.NaN
        if (Number.isSafeInteger(number)) {
          if (number < lowNumber || number > highNumber) return true
          integers.write(out + 8 * row, number)
          return false
        }
        const result = exact(BigInt(a), BigInt(b))
        if (result < low || result > high) return true
        integers.write(out + 8 * row, result)
        return false
      })
    },
    vectorArithmeticF64(operator, left, leftStep, right, rightStep, active, count, out) {
      const compute = doubleOperators[operator]!
      return firstActive(memory, active, count, (row) => {
        const a = f64[(left + leftStep * row) >>> 3]!, b = f64[(right + rightStep * row) >>> 3]!
        if (operator >= quotient && b === 0 && (operator === remainder || !Number.isNaN(a))) return true
        const result = compute(a, b)
        if (Math.abs(result) === Infinity && Number.isFinite(a) && Number.isFinite(b)) return true
        f64[(out >>> 3) + row] = result
        return false
      })
    },
  }
}
