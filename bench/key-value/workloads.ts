/**
 * What is done with a store, each as the operations in it and an answer that depends on all that was read. Random numbers
 * are of a fixed seed and drawn before the clock runs, so that all contestants and rounds do the same.
 */
import { seededRandom } from '../../src/runtime/random.ts'
import type { KeyValueStore, Write } from '../peers/key-value/store.ts'
import { missingKey, presentKey } from './entries.ts'
import type { Entries } from './entries.ts'

export interface Done {
  readonly operations: number
  readonly answer: string
}

export type Workload = (store: KeyValueStore) => Promise<Done>

export const batchSize = 1_000
const rangeEntries = 100

/** A sum that depends on what was read and on its order. */
interface Digest {
  value: number
}

function add(digest: Digest, text: string | undefined): void {
  digest.value = (Math.imul(digest.value, 31) + (text === undefined ? 7 : text.charCodeAt(0) * 256 + text.charCodeAt(text.length >> 1) + text.length)) | 0
}

export const fillInBatches = ({ keys, values }: Entries): Workload => async (store) => {
  for (let from = 0; from < keys.length; from += batchSize) {
    const written = store.putBatch(keys.slice(from, from + batchSize), values.slice(from, from + batchSize))
    if (written !== undefined) await written
  }
  return { operations: keys.length, answer: String(keys.length) }
}

/** One after the other. */
export const putSingly = ({ keys, values }: Entries, count: number): Workload => async (store) => {
  for (let i = 0; i < count; i++) {
    const written = store.put(keys[i]!, values[i]!)
    if (written !== undefined) await written
  }
  return { operations: count, answer: String(count) }
}

/** So many at a time; each writer goes on with the next entry when its last is answered. */
export const putAtOnce = ({ keys, values }: Entries, count: number, writers: number): Workload => async (store) => {
  let next = 0
  const writer = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await store.put(keys[i]!, values[i]!)
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return { operations: count, answer: String(count) }
}

export const getSync = (entryCount: number, reads: number): Workload => readSync(presentKey, entryCount, reads)
export const getMissing = (entryCount: number, reads: number): Workload => readSync(missingKey, entryCount, reads)

function readSync(keyOf: (index: number) => string, entryCount: number, reads: number): Workload {
  const keys = randomKeys(keyOf, entryCount, reads)
  return async (store) => {
    const digest = { value: 0 }
    for (const key of keys) add(digest, store.getSync(key))
    return await Promise.resolve({ operations: reads, answer: String(digest.value) })
  }
}

/** So many at a time, of a store that can be awaited. */
export function getAwaited(entryCount: number, reads: number, readers: number): Workload {
  const keys = randomKeys(presentKey, entryCount, reads)
  return async (store) => {
    const found: (string | undefined)[] = Array.from({ length: reads })
    let next = 0
    const reader = async (): Promise<void> => {
      for (let i = next++; i < reads; i = next++) found[i] = await store.get!(keys[i]!)
    }
    await Promise.all(Array.from({ length: readers }, reader))
    const digest = { value: 0 }
    for (const value of found) add(digest, value)
    return { operations: reads, answer: String(digest.value) }
  }
}

function randomKeys(keyOf: (index: number) => string, entryCount: number, count: number): readonly string[] {
  const random = seededRandom(13)
  return Array.from({ length: count }, () => keyOf(random.below(entryCount)))
}

export const scanAll: Workload = async (store) => {
  const digest = { value: 0 }
  let operations = 0
  const scanned = store.range(undefined, undefined, (key, value) => {
    operations++
    digest.value = (Math.imul(digest.value, 31) + value.charCodeAt(0) * 256 + key.charCodeAt(key.length - 1)) | 0
  })
  if (scanned !== undefined) await scanned
  return { operations, answer: `${operations} ${digest.value}` }
}

/** From keys at random; an operation is one range. */
export function shortRanges(entryCount: number, ranges: number): Workload {
  const starts = randomKeys(presentKey, entryCount - rangeEntries, ranges)
  return async (store) => {
    const digest = { value: 0 }
    let entries = 0
    const visit = (_: string, value: string): void => {
      entries++
      add(digest, value)
    }
    for (const start of starts) {
      const scanned = store.range(start, rangeEntries, visit)
      if (scanned !== undefined) await scanned
    }
    return { operations: ranges, answer: `${entries} ${digest.value}` }
  }
}

/** Of keys at random, in batches; so many of a hundred writes delete instead. */
export function overwrite({ keys, values }: Entries, count: number, deletesOfHundred: number): Workload {
  const random = seededRandom(19)
  const writes = Array.from({ length: count }, (): Write => {
    const value = values[random.below(values.length)]!
    return { key: keys[random.below(keys.length)]!, value: random.below(100) < deletesOfHundred ? undefined : value }
  })
  return async (store) => {
    for (let from = 0; from < count; from += batchSize) {
      const written = store.writeBatch(writes.slice(from, from + batchSize))
      if (written !== undefined) await written
    }
    return { operations: count, answer: String(count) }
  }
}
