/** Hashes of keys, for tables and files in parts. Equal keys (as Map means it) have equal hashes. */
import type { EngineValue } from '../../../engine/engine.ts'

/** 32 bits of a key as `keyOf` gives it. Different seeds give hashes that know nothing of each other. */
export function hashOfKey(key: EngineValue, seed: number): number {
  const start = mixed(seed + 0x9e37_79b9)
  if (typeof key === 'string') return hashOfText(key, start)
  if (key === null) return start
  if (typeof key !== 'number' || !Number.isInteger(key)) return hashOfText(String(key), start)
  return mixed(mixed(start ^ key) ^ Math.floor(key / 0x1_0000_0000))
}

function hashOfText(text: string, start: number): number {
  let hash = start
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193)
  return mixed(hash)
}

/** The end of MurmurHash3 (Austin Appleby). */
function mixed(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return (h ^ (h >>> 16)) >>> 0
}
