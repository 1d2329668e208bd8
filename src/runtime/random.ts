import { randomFillSync } from 'node:crypto'

/** Chance as a dependency, so that one seed replays a whole run. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  nextU32(): number
  /** Uniform float in [0, 1). */
  nextFloat(): number
  /** Uniform integer in [0, limit). */
  below(limit: number): number
}

/** Deterministic generator: sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32. */
export function seededRandom(seed: number): Random {
  let s = seed >>> 0
  const splitmix = (): number => {
    s = (s + 0x9e3779b9) >>> 0
    let z = s
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let a = splitmix(), b = splitmix(), c = splitmix(), d = 1
  const nextU32 = (): number => {
    const t = (a + b + d) >>> 0
    d = (d + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = ((c << 21) | (c >>> 11)) >>> 0
    c = (c + t) >>> 0
    return t
  }
  for (let i = 0; i < 12; i++) nextU32()
  return fromU32(nextU32)
}

/** Chance from the operating system, for identifiers; asked for many words at a time, since a call costs as much as hundreds of them. */
export const systemRandom: Random = fromU32(systemWords(256))

function systemWords(count: number): () => number {
  const words = new Uint32Array(count)
  let next = count
  return () => {
    if (next === count) {
      randomFillSync(words)
      next = 0
    }
    return words[next++]!
  }
}

function fromU32(nextU32: () => number): Random {
  return {
    nextU32,
    nextFloat: () => nextU32() / 0x1_0000_0000,
    below: (limit) => Math.floor((nextU32() / 0x1_0000_0000) * limit),
  }
}
