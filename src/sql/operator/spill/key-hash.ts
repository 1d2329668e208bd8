/** Hashes of keys, for tables and files in parts. Equal values have equal hashes: NaN that of NaN, -0 that of 0. */
import type { EngineValue } from '../../../engine/engine.ts'

/** 32 bits of the first `width` values. */
export function hashOfKey(values: readonly EngineValue[], width: number): number {
  if (width === 0) return ofNull
  let hash = hashOfValue(values[0]!)
  for (let i = 1; i < width; i++) hash = mixed(Math.imul(hash, 0x0100_0193) ^ hashOfValue(values[i]!))
  return hash
}

/** Another hash of what has this one. Those of different seeds know nothing of each other, as far as the first tells keys apart. */
export function rehashed(hash: number, seed: number): number {
  return mixed(hash ^ mixed(seed + 0x9e37_79b9)) >>> 0
}

const ofNull = 0x2f0b_4c47
const ofNaN = 0x68e3_1da4

function hashOfValue(value: EngineValue): number {
  if (typeof value === 'number') return value === (value | 0) ? mixed(value) : hashOfDouble(value)
  if (typeof value === 'string') return hashOfText(value)
  if (value === null) return ofNull
  if (typeof value === 'bigint') return hashOfDouble(Number(value))
  let hash = value.length
  for (const byte of value) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return mixed(hash)
}

const doubles = new Float64Array(1)
const halves = new Int32Array(doubles.buffer)

function hashOfDouble(value: number): number {
  if (Number.isNaN(value)) return ofNaN
  doubles[0] = value
  return mixed(halves[0]! ^ mixed(halves[1]!))
}

function hashOfText(text: string): number {
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193)
  return mixed(hash)
}

/** The end of MurmurHash3 (Austin Appleby). */
function mixed(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return h ^ (h >>> 16)
}
