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
  const lanes = new Uint32Array(8)
  // The running hash: a typed array, since numbers in closures are boxed.
  const hash = new Int32Array(2)

  const multiply = (byLow: number, byHigh: number): void => {
    const low = hash[0]!
    hash[1] = mulHigh(low, byLow) + Math.imul(low, byHigh) + Math.imul(hash[1]!, byLow)
    hash[0] = Math.imul(low, byLow)
  }
  const add = (otherLow: number, otherHigh: number): void => {
    const sum = (hash[0]! >>> 0) + (otherLow >>> 0)
    hash[1] = hash[1]! + otherHigh + (sum > 0xffff_ffff ? 1 : 0)
    hash[0] = sum
  }
  const rotate = (bits: number): void => {
    const low = hash[0]!, high = hash[1]!
    hash[0] = (low << bits) | (high >>> (32 - bits))
    hash[1] = (high << bits) | (low >>> (32 - bits))
  }
  /** hash ^= word, where the word is given by its halves. */
  const xor = (low: number, high: number): void => {
    hash[0]! ^= low
    hash[1]! ^= high
  }
  /** hash ^= round(0, word). */
  const xorRound = (wordLow: number, wordHigh: number): void => {
    const hashLow = hash[0]!, hashHigh = hash[1]!
    hash[0] = wordLow
    hash[1] = wordHigh
    multiply(prime2Low, prime2High)
    rotate(31)
    multiply(prime1Low, prime1High)
    xor(hashLow, hashHigh)
  }
  /** lane = round(lane, word at `at`), in locals: this is the whole of the work on long inputs. */
  const accumulate = (lane: number, at: number): void => {
    const wordLow = view.getInt32(at, true), wordHigh = view.getInt32(at + 4, true)
    const sum = (Math.imul(wordLow, prime2Low) >>> 0) + lanes[lane]!
    const low = sum | 0
    const high = (mulHigh(wordLow, prime2Low) + Math.imul(wordLow, prime2High) + Math.imul(wordHigh, prime2Low) + lanes[lane + 1]! + (sum > 0xffff_ffff ? 1 : 0)) | 0
    const turnedLow = (low << 31) | (high >>> 1), turnedHigh = (high << 31) | (low >>> 1)
    lanes[lane] = Math.imul(turnedLow, prime1Low)
    lanes[lane + 1] = mulHigh(turnedLow, prime1Low) + Math.imul(turnedLow, prime1High) + Math.imul(turnedHigh, prime1Low)
  }
  const addRotated = (lane: number, bits: number): void => {
    const laneLow = lanes[lane]!, laneHigh = lanes[lane + 1]!
    add((laneLow << bits) | (laneHigh >>> (32 - bits)), (laneHigh << bits) | (laneLow >>> (32 - bits)))
  }
  const stripes = (from: number, end: number): number => {
    lanes.set(laneStart)
    let at = from
    for (; at + 32 <= end; at += 32) {
      accumulate(0, at)
      accumulate(2, at + 8)
      accumulate(4, at + 16)
      accumulate(6, at + 24)
    }
    hash.fill(0)
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
      xor(Math.imul(word, prime1Low), mulHigh(word, prime1Low) + Math.imul(word, prime1High))
      rotate(23)
      multiply(prime2Low, prime2High)
      add(prime3Low, prime3High)
      at += 4
    }
    for (; at < end; at++) {
      const byte = u8[at]!
      xor(Math.imul(byte, prime5Low), mulHigh(byte, prime5Low) + Math.imul(byte, prime5High))
      rotate(11)
      multiply(prime1Low, prime1High)
    }
  }
  const avalanche = (): void => {
    xor(hash[1]! >>> 1, 0)
    multiply(prime2Low, prime2High)
    xor((hash[0]! >>> 29) | (hash[1]! << 3), hash[1]! >>> 29)
    multiply(prime3Low, prime3High)
    xor(hash[1]!, 0)
  }

  return {
    checksumXxh64(bytes, byteLength, out) {
      hash[0] = prime5Low
      hash[1] = prime5High
      const at = byteLength >= 32 ? stripes(bytes, bytes + byteLength) : bytes
      add(byteLength, 0)
      tail(at, bytes + byteLength)
      avalanche()
      u32[out >>> 2] = hash[0]!
      u32[(out >>> 2) + 1] = hash[1]!
    },
  }
}

/** prime1 + prime2, prime2, 0, -prime1, as halves. */
const laneStart = Int32Array.of(
  (prime1Low + prime2Low) | 0, (prime1High + prime2High + (prime1Low + prime2Low > 0xffff_ffff ? 1 : 0)) | 0,
  prime2Low, prime2High, 0, 0, -prime1Low, ~prime1High,
)
