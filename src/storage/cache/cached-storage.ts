/**
 * A storage that is far away with a cache of its table files on a local disk: they never change, so whatever was read of
 * one, or written to it here, may be kept, in blocks, across restarts. Everything else goes through. Blocks are told by the
 * database's identity and the file's name, so a directory may serve several databases, and one that took another's place.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../runtime/clock.ts'
import type { DiskCacheCounts, KeptBlock, ObjectReader, ObjectWriter, Storage } from '../storage.ts'
import { openBlockFiles } from './block-files.ts'
import type { BlockFiles, BlockFilesSettings } from './block-files.ts'

export interface CachedStorage extends Storage {
  readonly diskCache: Readonly<DiskCacheCounts>
  /** Resolves when what is to be kept stands in the cache. */
  settled(): Promise<void>
}

/** What is read of an object at once; of a store where a request costs as much as a megabyte. */
export const blockBytes = 256 * 1024
/** A file that is written here is kept in memory until it is published, if it is no longer. */
const writtenBytesMax = 64 * 1024 * 1024

/** The object that no two databases have alike: it is written once and holds the database's id. */
const identityName = 'format'
/** Of a database as a whole, or of a shard in a folder of its own. */
const isKept = (name: string): boolean => /(^|\/)sst\/.*\.sst$/.test(name)

/**
 * Takes the storage over: closing this closes it. Of a storage that reads synchronously, which is near, nothing is kept.
 * With `tellOwner` it is a worker's handle beside the owner's: what it writes is kept, and told by blocks to the owner, who
 * counts them and makes room; what it reads is looked for in the cache and not brought there, as it is about to be replaced.
 */
export function cacheOnDisk(storage: Storage, settings: BlockFilesSettings, clock: Clock, tellOwner?: (block: KeptBlock) => void): CachedStorage {
  const files = openBlockFiles(settings, clock, tellOwner)
  let identity: Promise<string> | undefined
  /** undefined where it cannot be told now. */
  const prefixOf = async (name: string): Promise<string | undefined> => {
    identity ??= storage.read(identityName).then((bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 32))
    try {
      return `${await identity}/${name}/`
    } catch {
      // A database that is being made has none yet.
      identity = undefined
      return undefined
    }
  }
  return {
    ...storage,
    diskCache: files.counts,
    noteKept: files.note,
    settled: files.settled,
    async open(name, byteLength) {
      const object = await storage.open(name, byteLength)
      if (!isKept(name) || object.readSync !== undefined) return object
      const prefix = await prefixOf(name)
      return prefix === undefined ? object : cachedReader(object, files, prefix, tellOwner === undefined)
    },
    async create(name) {
      const writer = await storage.create(name)
      if (!isKept(name)) return writer
      return keepingWriter(writer, async (bytes) => {
        const prefix = await prefixOf(name)
        if (prefix !== undefined) keep(files, prefix, 0, bytes)
      })
    },
    async delete(name) {
      await storage.delete(name)
      if (!isKept(name)) return
      const prefix = await prefixOf(name)
      if (prefix !== undefined) files.forget(prefix)
    },
    async close() {
      await storage.close()
      await files.settled()
    },
  }
}

const blockName = (prefix: string, index: number): string => `${prefix}${String(index).padStart(8, '0')}`

/** `bytes` begin with block `first`. */
function keep(files: BlockFiles, prefix: string, first: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += blockBytes) files.write(blockName(prefix, first + at / blockBytes), bytes.subarray(at, at + blockBytes))
}

type Loading = Promise<ReadonlyMap<number, Uint8Array>>
type OnRequest = (byteLength: number) => void

function cachedReader(object: ObjectReader, files: BlockFiles, prefix: string, keepsReads: boolean): ObjectReader {
  const { byteLength } = object
  /** Blocks on their way, by index; those of one request come together. */
  const running = new Map<number, Loading>()
  let closed = false

  /** Blocks from the disk, and what is not there from the object, neighbours by one request. */
  const load = async (indexes: readonly number[], onRequest: OnRequest): Promise<ReadonlyMap<number, Uint8Array>> => {
    const found = await Promise.all(indexes.map((index) => files.read(blockName(prefix, index))))
    const blocks = new Map<number, Uint8Array>()
    found.forEach((bytes, i) => { if (bytes !== undefined) blocks.set(indexes[i]!, bytes) })
    await Promise.all(neighbours(indexes.filter((index) => !blocks.has(index))).map(async ({ from, to }) => {
      const start = from * blockBytes, bytes = Buffer.allocUnsafe(Math.min(to * blockBytes, byteLength) - start)
      onRequest(bytes.length)
      await object.read(bytes, start)
      if (keepsReads) keep(files, prefix, from, bytes)
      for (let index = from; index < to; index++) blocks.set(index, bytes.subarray((index - from) * blockBytes, (index - from + 1) * blockBytes))
    }))
    return blocks
  }
  const blocksOf = async (first: number, last: number, onRequest: OnRequest): Promise<readonly Uint8Array[]> => {
    const indexes = Array.from({ length: last - first + 1 }, (_, i) => first + i)
    const missing = indexes.filter((index) => !running.has(index))
    let own: Loading | undefined
    if (missing.length > 0) {
      const loading = own = load(missing, onRequest).finally(() => { for (const index of missing) running.delete(index) })
      for (const index of missing) running.set(index, loading)
    }
    return Promise.all(indexes.map(async (index) => {
      const loading = running.get(index)!
      // The failure of another's may concern that one alone.
      return (await (loading === own ? loading : loading.catch(() => load([index], onRequest)))).get(index)!
    }))
  }
  const readCounted = async (into: Uint8Array, byteOffset: number, onRequest: OnRequest): Promise<void> => {
    // The object tells what is wrong with it.
    if (closed || into.length === 0 || byteOffset < 0 || byteOffset + into.length > byteLength) return object.read(into, byteOffset)
    const first = Math.floor(byteOffset / blockBytes), last = Math.floor((byteOffset + into.length - 1) / blockBytes)
    const blocks = await blocksOf(first, last, onRequest)
    blocks.forEach((bytes, i) => {
      const start = (first + i) * blockBytes
      const from = Math.max(start, byteOffset), to = Math.min(start + bytes.length, byteOffset + into.length)
      into.set(bytes.subarray(from - start, to - start), from - byteOffset)
    })
  }
  return {
    byteLength,
    readSync: undefined,
    read: (into, byteOffset) => readCounted(into, byteOffset, () => {}),
    readCounted,
    async close() {
      closed = true
      await object.close()
    },
  }
}

/** Ascending numbers as stretches [from, to). */
function neighbours(indexes: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  const stretches: { from: number; to: number }[] = []
  for (const index of indexes) {
    const last = stretches.at(-1)
    if (last?.to === index) last.to++
    else stretches.push({ from: index, to: index + 1 })
  }
  return stretches
}

/** Hands over what was written once it is published, unless it was too long. */
function keepingWriter(writer: ObjectWriter, keepAll: (bytes: Uint8Array) => Promise<void>): ObjectWriter {
  let parts: Uint8Array[] = []
  let byteLength = 0
  return {
    async append(bytes) {
      byteLength += bytes.length
      if (byteLength <= writtenBytesMax) parts.push(Uint8Array.from(bytes))
      else parts = []
      await writer.append(bytes)
    },
    async publish() {
      await writer.publish()
      if (byteLength <= writtenBytesMax) await keepAll(Buffer.concat(parts))
      parts = []
    },
    async abort() {
      parts = []
      await writer.abort()
    },
  }
}
