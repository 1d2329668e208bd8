/**
 * Twin of assembly/checksum.ts: xxh64 over pairs of 32-bit halves, since BigInt arithmetic would allocate at each step.
 * A 64-bit product needs one full 32 x 32 product and two truncated ones.
 */
import type { ChecksumExports } from '../checksum.ts'
import type { LinearMemory } from '../linear-memory.ts'
import { mulHigh } from './hash/mul-high.ts'

const prime1Low = 0x85ebca87, prime1High = 0x9e3779b1
const prime2Low = 0x27d4eb4f, prime2High = 0xc2b2ae3d
const prime3Low = 0x9e3779f9, prime3High = 0x165667b1
const prime4Low = 0xc2b2ae63, prime4High = 0x85ebca77
const prime5Low = 0x165667c5, prime5High = 0x27d4eb2f

export function createChecksumJs({ u8, u32, view }: LinearMemory): ChecksumExports {
  const lanes = new Int32Array(8)
  // The running hash, kept in two locals of this closure so that steps return nothing.
  let low = 0, high = 0

  const multiply = (byLow: number, byHigh: number): void => {
    high = (mulHigh(low, byLow) + Math.imul(low, byHigh) + Math.imul(high, byLow)) | 0
    low = Math.imul(low, byLow)
  }
  const add = (otherLow: number, otherHigh: number): void => {
    const sum = (low >>> 0) + (otherLow >>> 0)
    high = (high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
    low = sum | 0
  }
  const rotate = (bits: number): void => {
    const wasLow = low
    low = (low << bits) | (high >>> (32 - bits))
    high = (high << bits) | (wasLow >>> (32 - bits))
  }
  /** hash ^= round(0, word); the word's halves are consumed. */
  const xorRound = (wordLow: number, wordHigh: number): void => {
    const hashLow = low, hashHigh = high
    low = wordLow
    high = wordHigh
    multiply(prime2Low, prime2High)
    rotate(31)
    multiply(prime1Low, prime1High)
    low ^= hashLow
    high ^= hashHigh
  }
  const accumulate = (lane: number, at: number): void => {
    low = view.getInt32(at, true)
    high = view.getInt32(at + 4, true)
    multiply(prime2Low, prime2High)
    add(lanes[lane]!, lanes[lane + 1]!)
    rotate(31)
    multiply(prime1Low, prime1High)
    lanes[lane] = low
    lanes[lane + 1] = high
  }
  const addRotated = (lane: number, bits: number): void => {
    const laneLow = lanes[lane]!, laneHigh = lanes[lane + 1]!
    add((laneLow << bits) | (laneHigh >>> (32 - bits)), (laneHigh << bits) | (laneLow >>> (32 - bits)))
  }
  const stripes = (from: number, end: number): number => {
    lanes.set(laneStart)
    let at = from
    for (; at + 32 <= end; at += 32) {
      for (let lane = 0; lane < 8; lane += 2) accumulate(lane, at + 4 * lane)
    }
    low = 0
    high = 0
    addRotated(0, 1)
    addRotated(2, 7)
    addRotated(4, 12)
    addRotated(6, 18)
    for (let lane = 0; lane < 8; lane += 2) {
      xorRound(lanes[lane]!, lanes[lane + 1]!)
      multiply(prime1Low, prime1High)
      add(prime4Low, prime4High)
    }
    return at
  }
  const tail = (from: number, end: number): void => {
    let at = from
    for (; at + 8 <= end; at += 8) {
      xorRound(view.getInt32(at, true), view.getInt32(at + 4, true))
      rotate(27)
      multiply(prime1Low, prime1High)
      add(prime4Low, prime4High)
    }
    if (at + 4 <= end) {
      const word = view.getInt32(at, true)
      high ^= (mulHigh(word, prime1Low) + Math.imul(word, prime1High)) | 0
      low ^= Math.imul(word, prime1Low)
      rotate(23)
      multiply(prime2Low, prime2High)
      add(prime3Low, prime3High)
      at += 4
    }
    for (; at < end; at++) {
      const byte = u8[at]!
      high ^= (mulHigh(byte, prime5Low) + Math.imul(byte, prime5High)) | 0
      low ^= Math.imul(byte, prime5Low)
      rotate(11)
      multiply(prime1Low, prime1High)
    }
  }
  const avalanche = (): void => {
    low ^= high >>> 1
    multiply(prime2Low, prime2High)
    const wasLow = low
    low ^= (wasLow >>> 29) | (high << 3)
    high ^= high >>> 29
    multiply(prime3Low, prime3High)
    low ^= high
  }

  return {
    checksumXxh64(bytes, byteLength, out) {
      low = prime5Low | 0
      high = prime5High
      const at = byteLength >= 32 ? stripes(bytes, bytes + byteLength) : bytes
      add(byteLength, 0)
      tail(at, bytes + byteLength)
      avalanche()
      u32[out >>> 2] = low
      u32[(out >>> 2) + 1] = high
    },
  }
}

/** prime1 + prime2, prime2, 0, -prime1, as halves. */
const laneStart = Int32Array.of(
  (prime1Low + prime2Low) | 0, (prime1High + prime2High + (prime1Low + prime2Low > 0xffff_ffff ? 1 : 0)) | 0,
  prime2Low, prime2High, 0, 0, -prime1Low, ~prime1High,
)
