/**
 * A Map by keys for millions of them. A Map that grows copies itself in one go, which would hold the event loop for
 * tenths of a second, and ends at 16.7 million keys; so a large one is kept in parts that grow each by itself.
 */
import type { EngineValue } from '../../../engine/engine.ts'
import { hashOfKey } from './key-hash.ts'

export interface KeyMap<Value> {
  parts: readonly Map<EngineValue, Value>[]
}

/** What a key takes beside its value, and what it stands for. */
export const mapEntryBytes = 48
/** What an empty map takes. */
export const mapBytes = 256

const partCount = 64
/** Copying so many keys into parts takes a few milliseconds. */
const splitKeys = 32_768
/** Not one that partitions of rows use: the hashes of their keys have a part in common there. */
const seed = -1

export function newKeyMap<Value>(): KeyMap<Value> {
  return { parts: [new Map<EngineValue, Value>()] }
}

export function lookUp<Value>(map: KeyMap<Value>, key: EngineValue): Value | undefined {
  return partOf(map, key).get(key)
}

export function hasKey(map: KeyMap<unknown>, key: EngineValue): boolean {
  return partOf(map, key).has(key)
}

export function put<Value>(map: KeyMap<Value>, key: EngineValue, value: Value): void {
  const part = partOf(map, key)
  part.set(key, value)
  if (map.parts.length === 1 && part.size >= splitKeys) map.parts = split(part)
}

function partOf<Value>({ parts }: KeyMap<Value>, key: EngineValue): Map<EngineValue, Value> {
  return parts.length === 1 ? parts[0]! : parts[hashOfKey(key, seed) % partCount]!
}

function split<Value>(whole: ReadonlyMap<EngineValue, Value>): readonly Map<EngineValue, Value>[] {
  const parts = Array.from({ length: partCount }, () => new Map<EngineValue, Value>())
  for (const [key, value] of whole) parts[hashOfKey(key, seed) % partCount]!.set(key, value)
  return parts
}
