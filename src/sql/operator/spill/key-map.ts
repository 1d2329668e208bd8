/**
 * A hash table by keys of one or several values, for millions of them: open addressing with the hashes beside the entries'
 * numbers, so that a key that is not there costs one look, and no key has to be made one string. A table that grows moves
 * in one go, which would hold the event loop for tenths of a second; so a large one is kept in parts that grow each by
 * itself.
 */
import type { EngineValue } from '../../../engine/engine.ts'
import { valueBytes } from './query-memory.ts'

export interface KeyMap<Value> {
  /** Values of a key; undefined: as many as the first has. */
  width: number | undefined
  parts: readonly Part<Value>[]
}

interface Part<Value> {
  /** By place: the hash, then the entry's number from 1; 0 where there is none. */
  index: Int32Array
  /** By entry: `width` values. */
  readonly keys: EngineValue[]
  readonly values: Value[]
}

/** What a key takes beside its values, and what it stands for. */
const mapEntryBytes = 48
/** What an empty map takes. */
export const mapBytes = 320

const partBits = 6
/** Copying so many keys into parts takes a few milliseconds. */
const splitKeys = 32_768
const placesMin = 8

export function newKeyMap<Value>(width?: number): KeyMap<Value> {
  return { width, parts: [newPart()] }
}

function newPart<Value>(): Part<Value> {
  return { index: new Int32Array(2 * placesMin), keys: [], values: [] }
}

/** What the key of these values takes in a map. */
export function keyBytes(key: readonly EngineValue[], width: number): number {
  let bytes = mapEntryBytes
  for (let i = 0; i < width; i++) bytes += valueBytes(key[i]!)
  return bytes
}

/** The key is the first values of `key`, of which `hash` is the hash. */
export function lookUp<Value>(map: KeyMap<Value>, key: readonly EngineValue[], hash: number): Value | undefined {
  const part = partOf(map, hash)
  const entry = part.index[placeOf(part, key, map.width ?? 0, hash) + 1]!
  return entry === 0 ? undefined : part.values[entry - 1]
}

export function hasKey(map: KeyMap<unknown>, key: readonly EngineValue[], hash: number): boolean {
  const part = partOf(map, hash)
  return part.index[placeOf(part, key, map.width ?? 0, hash) + 1]! > 0
}

export function put<Value>(map: KeyMap<Value>, key: readonly EngineValue[], hash: number, value: Value): void {
  const width = (map.width ??= key.length)
  const part = partOf(map, hash)
  const { index, keys, values } = part
  const place = placeOf(part, key, width, hash)
  const entry = index[place + 1]!
  if (entry > 0) {
    values[entry - 1] = value
    return
  }
  for (let i = 0; i < width; i++) keys.push(key[i]!)
  index[place] = hash
  index[place + 1] = values.push(value)
  if (values.length * 4 > index.length) grow(part)
  if (map.parts.length === 1 && values.length >= splitKeys) split(map, part)
}

export function* valuesOf<Value>({ parts }: KeyMap<Value>): Generator<Value> {
  for (const { values } of parts) yield* values
}

function partOf<Value>({ parts }: KeyMap<Value>, hash: number): Part<Value> {
  return parts.length === 1 ? parts[0]! : parts[hash >>> (32 - partBits)]!
}

/** Where the key is in the index, or would be. At least half of the places are free. */
function placeOf({ index, keys }: Part<unknown>, key: readonly EngineValue[], width: number, hash: number): number {
  const mask = index.length - 1
  for (let place = (hash << 1) & mask; ; place = (place + 2) & mask) {
    const entry = index[place + 1]!
    if (entry === 0 || (index[place] === hash && isKeyAt(keys, (entry - 1) * width, key, width))) return place
  }
}

function isKeyAt(keys: readonly EngineValue[], at: number, key: readonly EngineValue[], width: number): boolean {
  for (let i = 0; i < width; i++) if (keys[at + i] !== key[i] && !isSame(keys[at + i]!, key[i]!)) return false
  return true
}

function isSame(a: EngineValue, b: EngineValue): boolean {
  return Object.is(a, b) || (a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0)
}

function grow(part: Part<unknown>): void {
  const { index } = part
  const larger = new Int32Array(index.length * 2)
  for (let place = 0; place < index.length; place += 2) if (index[place + 1]! > 0) enter(larger, index[place]!, index[place + 1]!)
  part.index = larger
}

/** At the first free place: the key is not there. */
function enter(index: Int32Array, hash: number, entry: number): void {
  const mask = index.length - 1
  let place = (hash << 1) & mask
  while (index[place + 1] !== 0) place = (place + 2) & mask
  index[place] = hash
  index[place + 1] = entry
}

function split<Value>(map: KeyMap<Value>, { index, keys, values }: Part<Value>): void {
  const hashes = new Int32Array(values.length)
  for (let place = 0; place < index.length; place += 2) if (index[place + 1]! > 0) hashes[index[place + 1]! - 1] = index[place]!
  const width = map.width ?? 0
  map.parts = Array.from({ length: 2 ** partBits }, () => newPart<Value>())
  for (let entry = 0; entry < values.length; entry++) put(map, keys.slice(entry * width, (entry + 1) * width), hashes[entry]!, values[entry]!)
}
