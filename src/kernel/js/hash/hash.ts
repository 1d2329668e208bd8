/** The 2 x 32-bit key hash of assembly/hash/hash.ts. Writes both hashes where the caller says: a pair costs no object. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'

const laneMul1 = 0xcc9e2d51 | 0
const laneMul2 = 0x1b873593 | 0
const seed1 = 0x9e3779b9 | 0
const seed2 = 0x85ebca6b | 0

export interface KeyHash {
  /** Hashes `keyBytes` bytes at `key` to the two u32 at `out`. */
  hashBytes(key: Pointer, keyBytes: number, out: Pointer): void
  /** Hashes the 8 bytes that two little-endian words are. */
  hashWords(word0: number, word1: number, out: Pointer): void
  /** The first of the two hashes alone, unsigned. */
  firstOfBytes(key: Pointer, keyBytes: number): number
}

export function createKeyHash({ u8, u32, view }: LinearMemory): KeyHash {
  // The lanes before the final mixing, left here by `absorb`: a typed array, since numbers in closures are boxed.
  const lanes = new Int32Array(2)
  const store = (a: number, b: number, out: Pointer): void => {
    const sum = (a + b) | 0, mixed = mix((b + sum) | 0)
    const first = (mix(sum) + mixed) | 0
    u32[out >>> 2] = first
    u32[(out >>> 2) + 1] = mixed + first
  }
  const absorb = (key: Pointer, keyBytes: number): void => {
    let a = seed1 ^ keyBytes, b = (seed2 + keyBytes) | 0
    const full = key + (keyBytes & ~7)
    for (let at = key; at < full; at += 8) {
      a = stepFirst(a, b, view.getInt32(at, true))
      b = stepSecond(a, b, view.getInt32(at + 4, true))
    }
    const rest = keyBytes & 7
    if (rest !== 0) {
      let word0 = 0, word1 = 0
      for (let i = rest - 1; i >= 0; i--) {
        if (i >= 4) word1 = (word1 << 8) | u8[full + i]!
        else word0 = (word0 << 8) | u8[full + i]!
      }
      a = stepFirst(a, b, word0)
      b = stepSecond(a, b, word1)
    }
    lanes[0] = a
    lanes[1] = b
  }
  return {
    hashBytes(key, keyBytes, out) {
      absorb(key, keyBytes)
      store(lanes[0]!, lanes[1]!, out)
    },
    hashWords(word0, word1, out) {
      const start = (seed2 + 8) | 0
      const a = stepFirst(seed1 ^ 8, start, word0)
      store(a, stepSecond(a, start, word1), out)
    },
    firstOfBytes(key, keyBytes) {
      absorb(key, keyBytes)
      return finishFirst(lanes[0]!, lanes[1]!) >>> 0
    },
  }
}

function finishFirst(a: number, b: number): number {
  const sum = (a + b) | 0
  return (mix(sum) + mix((b + sum) | 0)) | 0
}

function stepFirst(a: number, b: number, word: number): number {
  return (Math.imul(rotl(a ^ Math.imul(rotl(Math.imul(word, laneMul1), 15), laneMul2), 13) + b, 5) + 0xe6546b64) | 0
}

function stepSecond(a: number, b: number, word: number): number {
  return (Math.imul(rotl(b ^ Math.imul(rotl(Math.imul(word, laneMul2), 17), laneMul1), 17) + a, 5) + 0x561ccd1b) | 0
}

/** The finalizer of MurmurHash3: a bijection that lets every bit reach every other. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
