/** The bytes of an image, as a chunk of the cache: evicted like any other while nobody pins them, and then gone. */
import { invariant } from '../../errors.ts'
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { ObjectReader, ObjectWriter } from '../../storage/storage.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'

/** What a table writer writes. */
export interface WrittenParts {
  readonly parts: readonly Uint8Array[]
  readonly storage: { create(): Promise<ObjectWriter> }
}

export function collectParts(): WrittenParts {
  const parts: Uint8Array[] = []
  const writer: ObjectWriter = {
    append: async (bytes) => void parts.push(bytes.slice()),
    publish: async () => undefined,
    abort: async () => void parts.splice(0),
  }
  return { parts, storage: { create: async () => writer } }
}

export interface CachedObject {
  /** To be read only while it is pinned. */
  readonly object: ObjectReader
  readonly isGone: boolean
  /** Keeps the bytes until as many calls of `unpin`; false where they are gone. */
  pin(): boolean
  unpin(): void
}

/** undefined where the cache has no room. */
export function putInCache(cache: ChunkCache, { u8 }: LinearMemory, parts: readonly Uint8Array[], byteLength: number): CachedObject | undefined {
  const frame = cache.tryReserve(byteLength)
  if (frame === 0) return undefined
  let end = cache.addressOf(frame)
  for (const part of parts) {
    u8.set(part, end)
    end += part.length
  }
  const slot = cache.addFile(1)
  cache.publish(slot, 0, frame)
  cache.unpin(frame)
  const readSync = (into: Uint8Array, byteOffset: number): void => {
    const address = cache.peek(slot, 0) + byteOffset
    invariant(slot.frames[0] !== 0, 'an image is read that the cache has let go of')
    into.set(u8.subarray(address, address + into.length))
  }
  return {
    object: {
      byteLength, readSync,
      read: async (into, byteOffset) => readSync(into, byteOffset),
      // No request to storage.
      readCounted: async (into, byteOffset) => readSync(into, byteOffset),
      close: async () => cache.removeFile(slot),
    },
    get isGone() { return slot.frames[0] === 0 },
    pin: () => cache.pin(slot, 0) !== 0,
    unpin: () => cache.unpin(frame),
  }
}
