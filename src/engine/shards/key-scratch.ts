/**
 * A piece of linear memory where keys are written to be hashed and looked up. What it holds is good until the next
 * call that writes keys, so never across an await.
 *
 * A key's shard is the second word of its bloom hash modulo the number of shards: part of the database's format. The
 * first word is what key locks go by.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { keyBytesMax, writeKey } from '../codec/key-codec.ts'
import { writeShortAscii } from '../codec/text-bytes.ts'
import type { EngineRow } from '../engine.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { KeysTogether } from './keys-together.ts'
import { shardOfHash } from './shard-of-hash.ts'

/** Keys written by one call at most, and bytes they may take if they are several. */
export const keysPerChunk = 1024
const chunkBytesMax = 1024 * 1024

/** Longest key in bytes. Its longest encoding, three bytes a character and each escaped, is what one key may reserve. */
export const keyLengthMax = 32 * 1024

const initialBytes = 64 * 1024

export interface KeyScratch {
  /** Writes the key of `values`; its address, bytes, hash and shard are then at index 0. */
  writeOne(access: TableAccess, values: EngineRow, ordinals: readonly number[]): void
  /** Writes a key that is one text, if it is short and ASCII; false, with nothing to be found at index 0, where it is not. */
  writeShortText(text: string): boolean
  /** Writes the keys of `rows` from index `from` on, up to `keysPerChunk`; returns how many, at indexes from 0. */
  writeMany(access: TableAccess, rows: readonly EngineRow[], from: number, ordinals: readonly number[]): number
  /** Puts key bytes, [from, to) of `bytes`, at index 0, to be looked up. */
  copyOne(bytes: Uint8Array, from: number, to: number): void
  addressOf(index: number): Pointer
  byteLengthOf(index: number): number
  hashOf(index: number): number
  /** Where the hash of the key at index 0 stands. */
  readonly firstHash: Pointer
  /** Takes one value that a key finds: 24 bytes. */
  readonly cell: Pointer
  readonly together: KeysTogether
  shardOf(index: number): number
  /** The key's bytes as a text, for maps by key. */
  identityOf(index: number): string
  free(): void
}

export function createKeyScratch(kernel: Kernel, shardCount: number): KeyScratch {
  const { heap, memory, memory: { u32 }, exports } = kernel
  const refs = heap.allocate(8 * keysPerChunk), hashes = heap.allocate(8 * keysPerChunk), cell = heap.allocate(24), together = new KeysTogether(kernel, shardCount)
  const refsWord = refs >>> 2, hashesWord = hashes >>> 2
  let keys = heap.allocate(initialBytes), capacity = initialBytes

  function reserve(byteLength: number): void {
    if (byteLength <= capacity) return
    heap.free(keys)
    keys = heap.allocate(byteLength)
    capacity = byteLength
  }

  function write(access: TableAccess, index: number, at: Pointer, values: EngineRow, ordinals: readonly number[]): number {
    const byteLength = writeKey(access.keys, memory, at, values, ordinals)
    if (byteLength > keyLengthMax) throw tooLong(access, byteLength)
    return place(index, at, byteLength)
  }

  function place(index: number, at: Pointer, byteLength: number): number {
    u32[refsWord + 2 * index] = at
    u32[refsWord + 2 * index + 1] = byteLength
    return byteLength
  }

  return {
    firstHash: hashes, cell, together,
    writeOne(access, values, ordinals) {
      reserve(boundedKeyBytes(access, values, ordinals))
      exports.bloomHash(keys, write(access, 0, keys, values, ordinals), hashes)
    },
    writeShortText(text) {
      if (!writeShortAscii(memory.u8, keys, text)) return false
      exports.bloomHash(keys, place(0, keys, text.length), hashes)
      return true
    },
    writeMany(access, rows, from, ordinals) {
      const { count, bytesMax } = fittingKeys(access, rows, from, ordinals)
      reserve(bytesMax)
      let at = keys
      for (let i = 0; i < count; i++) at += write(access, i, at, rows[from + i]!, ordinals)
      exports.bloomHashRefs(refs, count, hashes)
      return count
    },
    copyOne(bytes, from, to) {
      reserve(to - from)
      for (let i = from; i < to; i++) memory.u8[keys + i - from] = bytes[i]!
      exports.bloomHash(keys, place(0, keys, to - from), hashes)
    },
    addressOf: (index) => u32[refsWord + 2 * index]!,
    byteLengthOf: (index) => u32[refsWord + 2 * index + 1]!,
    hashOf: (index) => u32[hashesWord + 2 * index]!,
    shardOf: (index) => shardOfHash(u32[hashesWord + 2 * index + 1]!, shardCount),
    identityOf(index) {
      const from = u32[refsWord + 2 * index]!
      return memory.buffer.toString('latin1', from, from + u32[refsWord + 2 * index + 1]!)
    },
    free() {
      for (const pointer of [refs, hashes, cell, keys]) heap.free(pointer)
      together.free()
    },
  }
}

/** How many of the keys from `from` on one call writes, and an upper bound of their bytes. */
function fittingKeys(access: TableAccess, rows: readonly EngineRow[], from: number, ordinals: readonly number[]): { readonly count: number; readonly bytesMax: number } {
  let count = 0, bytesMax = 0
  for (; count < keysPerChunk && from + count < rows.length; count++) {
    const keyBytes = boundedKeyBytes(access, rows[from + count]!, ordinals)
    if (count > 0 && bytesMax + keyBytes > chunkBytesMax) break
    bytesMax += keyBytes
  }
  return { count, bytesMax }
}

/** Upper bound of a key's bytes. 54000 when a part of it is longer than keys may be. */
function boundedKeyBytes(access: TableAccess, values: EngineRow, ordinals: readonly number[]): number {
  for (let i = 0; i < ordinals.length; i++) {
    const value = values[ordinals[i]!]
    if ((typeof value === 'string' || value instanceof Uint8Array) && value.length > keyLengthMax) throw tooLong(access, value.length)
  }
  return keyBytesMax(values, ordinals)
}

function tooLong(access: TableAccess, byteLength: number): LsmtError {
  return new LsmtError('54000', `a key of table "${access.schema.name}" has at least ${byteLength} bytes, at most ${keyLengthMax} are possible`)
}
