/** The 2 x 32-bit key hash of assembly/hash/hash.ts. Writes both hashes where the caller says: a pair costs no object. */
import type { LinearMemory, Pointer } from '../linear-memory.ts'

const laneMul1 = 0xcc9e2d51 | 0
const laneMul2 = 0x1b873593 | 0
const seed1 = 0x9e3779b9 | 0
const seed2 = 0x85ebca6b | 0

export interface KeyHash {
  /** Hashes `keyBytes` bytes at `key` to the two u32 at `out`. */
  hashBytes(key: Pointer, keyBytes: number, out: Pointer): void
  /** Hashes the 8 bytes that two little-endian words are. */
  hashWords(word0: number, word1: number, out: Pointer): void
}

export function createKeyHash({ u8, u32, view }: LinearMemory): KeyHash {
  const finish = (a: number, b: number, out: Pointer): void => {
    a = (a + b) | 0
    b = mix((b + a) | 0)
    a = (mix(a) + b) | 0
    u32[out >>> 2] = a
    u32[(out >>> 2) + 1] = b + a
  }
  const hashWords = (word0: number, word1: number, out: Pointer): void => {
    const b = (seed2 + 8) | 0
    const a = stepFirst(seed1 ^ 8, b, word0)
    finish(a, stepSecond(a, b, word1), out)
  }
  const hashBytes = (key: Pointer, keyBytes: number, out: Pointer): void => {
    let a = seed1 ^ keyBytes, b = (seed2 + keyBytes) | 0
    const full = key + (keyBytes & ~7)
    let at = key
    for (; at < full; at += 8) {
      a = stepFirst(a, b, view.getInt32(at, true))
      b = stepSecond(a, b, view.getInt32(at + 4, true))
    }
    const rest = keyBytes & 7
    if (rest !== 0) {
      let word0 = 0, word1 = 0
      for (let i = rest - 1; i >= 0; i--) {
        if (i >= 4) word1 = (word1 << 8) | u8[at + i]!
        else word0 = (word0 << 8) | u8[at + i]!
      }
      a = stepFirst(a, b, word0)
      b = stepSecond(a, b, word1)
    }
    finish(a, b, out)
  }
  return { hashBytes, hashWords }
}

function stepFirst(a: number, b: number, word: number): number {
  return (Math.imul(rotl(a ^ Math.imul(rotl(Math.imul(word, laneMul1), 15), laneMul2), 13) + b, 5) + 0xe6546b64) | 0
}

function stepSecond(a: number, b: number, word: number): number {
  return (Math.imul(rotl(b ^ Math.imul(rotl(Math.imul(word, laneMul2), 17), laneMul1), 17) + a, 5) + 0x561ccd1b) | 0
}

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
