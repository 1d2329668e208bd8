/**
 * Numbers from 0 on of which small ones are drawn more often, by Zipf's law: Gray et al., "Quickly generating billion-record
 * synthetic databases" (1994), with the constant of YCSB.
 */
import type { Random } from '../../../src/runtime/random.ts'

const theta = 0.99

export interface Zipfian {
  /** Below `count`, which may have grown since the last call. */
  next(count: number): number
}

export function zipfian(random: Random): Zipfian {
  const zetaOfTwo = 1 + 0.5 ** theta, alpha = 1 / (1 - theta)
  let summed = 0, zeta = 0
  return {
    next(count) {
      for (; summed < count; summed++) zeta += 1 / (summed + 1) ** theta
      const eta = (1 - (2 / count) ** (1 - theta)) / (1 - zetaOfTwo / zeta)
      const share = random.nextFloat()
      if (share * zeta < 1) return 0
      if (share * zeta < zetaOfTwo) return 1
      return Math.min(count - 1, Math.floor(count * (eta * share - eta + 1) ** alpha))
    },
  }
}
