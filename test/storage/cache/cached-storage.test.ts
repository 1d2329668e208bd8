/** A cache on disk before storage that is far away: what it spares, and that nothing that happens to it does harm. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/runtime/clock.ts'
import { blockBytes, cacheOnDisk } from '../../../src/storage/cache/cached-storage.ts'
import type { CachedStorage } from '../../../src/storage/cache/cached-storage.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { describeStorage } from '../storage-conformance.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const name = 'sst/0/00000000000000000001.sst'
const byteLength = 5 * blockBytes + 1000
const contents = Uint8Array.from({ length: byteLength }, (_, i) => (i * 31 + (i >>> 8)) & 255)

let directory: ReturnType<typeof temporaryDirectory>
let disk: MemoryDisk

const open = (bytesMax = 1 << 30, bucket = disk): CachedStorage => cacheOnDisk(createMemoryStorage({ disk: bucket, syncReads: false }), { directory: directory.path, bytesMax }, systemClock)

beforeEach(async () => {
  directory = temporaryDirectory()
  disk = new Map()
  const bucket = createMemoryStorage({ disk })
  await bucket.createIfAbsent('format', [Buffer.from('database a')])
  await bucket.createIfAbsent(name, [contents])
})

afterEach(() => directory.remove())

async function read(storage: CachedStorage, byteOffset: number, length: number): Promise<void> {
  const reader = await storage.open(name, byteLength)
  const into = new Uint8Array(length)
  await reader.read(into, byteOffset)
  expect(Buffer.compare(into, contents.subarray(byteOffset, byteOffset + length))).toBe(0)
  await reader.close()
}

/** The files of blocks, with their paths. */
function blockFiles(): string[] {
  return readdirSync(directory.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted()
}

describe('a cache on disk', () => {
  it('answers again without a request, after a restart too', async () => {
    const storage = open()
    await read(storage, 100, 2 * blockBytes)
    // What tells the database, and three blocks by one request.
    expect(storage.counts).toMatchObject({ reads: 2, bytesRead: 10 + 3 * blockBytes })
    await storage.settled()
    await read(storage, 50, 2 * blockBytes)
    expect(storage.counts.reads).toBe(2)
    await read(storage, byteLength - 10, 10)
    expect(storage.counts).toMatchObject({ reads: 3, bytesRead: 10 + 3 * blockBytes + 1000 })
    await storage.close()
    const again = open()
    await read(again, 0, 3 * blockBytes)
    await read(again, byteLength - 1000, 1000)
    expect(again.counts.reads).toBe(1)
    expect(again.diskCache).toMatchObject({ hits: 4, misses: 0 })
    await again.close()
  })

  it('asks once for blocks that several want at a time, and by one request for each stretch of them', async () => {
    const storage = open()
    await read(storage, 2 * blockBytes, 10)
    await storage.settled()
    const reader = await storage.open(name, byteLength)
    const before = storage.counts.reads
    const into = Array.from({ length: 10 }, () => new Uint8Array(byteLength))
    await Promise.all(into.map((bytes) => reader.read(bytes, 0)))
    for (const bytes of into) expect(Buffer.compare(bytes, contents)).toBe(0)
    // Those before the block that is there, and those after it.
    expect(storage.counts.reads - before).toBe(2)
    await reader.close()
    await storage.close()
  })

  it('keeps nothing of a request that failed, and asks again', async () => {
    const storage = open()
    const reader = await storage.open(name, byteLength + blockBytes)
    await expect(reader.read(new Uint8Array(10), byteLength + 5)).rejects.toMatchObject({ code: '58030' })
    await reader.close()
    const missing = await storage.open('sst/0/00000000000000000002.sst', 1000)
    await expect(missing.read(new Uint8Array(10), 0)).rejects.toMatchObject({ code: '58P01' })
    await missing.close()
    await read(storage, 0, byteLength)
    await storage.close()
  })

  it('keeps what is written here', async () => {
    const storage = open()
    const other = 'sst/3/00000000000000000009.sst'
    const writer = await storage.create(other)
    for (let at = 0; at < byteLength; at += 100_000) await writer.append(contents.subarray(at, at + 100_000))
    await writer.publish()
    await storage.settled()
    const before = storage.counts.reads
    const reader = await storage.open(other, byteLength)
    const into = new Uint8Array(byteLength)
    await reader.read(into, 0)
    expect(Buffer.compare(into, contents)).toBe(0)
    expect(storage.counts.reads).toBe(before)
    await storage.delete(other)
    await storage.settled()
    expect(blockFiles()).toEqual([])
    await storage.close()
  })

  it('takes damaged blocks, and those of another name, for none', async () => {
    const storage = open()
    await read(storage, 0, byteLength)
    await storage.close()
    const files = blockFiles()
    expect(files).toHaveLength(6)
    for (const [i, path] of files.entries()) {
      const bytes = readFileSync(path)
      if (i === 0) bytes[5000]! ^= 1
      writeFileSync(path, i === 1 ? bytes.subarray(0, 20) : i === 2 ? readFileSync(files[3]!) : i === 4 ? Buffer.alloc(0) : bytes)
    }
    const again = open()
    await read(again, 0, byteLength)
    expect(again.diskCache).toMatchObject({ hits: 2, misses: 4, damaged: 4 })
    await again.settled()
    await read(again, 0, byteLength)
    expect(again.diskCache).toMatchObject({ hits: 8, misses: 4 })
    await again.close()
  })

  it('stays within its bytes, also with what an earlier process left', async () => {
    const storage = open()
    await read(storage, 0, byteLength)
    await storage.close()
    const small = open(3 * (blockBytes + 32))
    await small.settled()
    expect(blockFiles().length).toBeLessThanOrEqual(3)
    for (let i = 0; i < 12; i++) {
      await read(small, (i % 6) * blockBytes, 500)
      await small.settled()
      expect(blockFiles().reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThanOrEqual(3 * (blockBytes + 32))
    }
    expect(small.diskCache.evictions).toBeGreaterThan(3)
    await small.close()
  })

  it('may be deleted while it is used', async () => {
    const storage = open()
    await read(storage, 0, byteLength)
    await storage.settled()
    rmSync(join(directory.path, 'lsmt-blocks'), { recursive: true })
    await read(storage, 0, byteLength)
    await storage.settled()
    expect(blockFiles()).toHaveLength(6)
    expect(storage.diskCache).toMatchObject({ failures: 0, bytes: blockFiles().reduce((sum, path) => sum + statSync(path).size, 0) })
    await storage.close()
  })

  it('goes on without a disk that takes nothing', async () => {
    writeFileSync(join(directory.path, 'lsmt-blocks'), 'a file where the folder should be')
    const storage = open()
    await read(storage, 0, byteLength)
    await storage.settled()
    expect(storage.diskCache.failures).toBeGreaterThan(0)
    await read(storage, 0, byteLength)
    expect(storage.counts.reads).toBe(3)
    await storage.close()
  })

  it('tells databases apart, and never keeps what may change', async () => {
    const storage = open()
    await read(storage, 0, 1000)
    await storage.close()
    const other: MemoryDisk = new Map()
    const bucket = createMemoryStorage({ disk: other })
    await bucket.createIfAbsent('format', [Buffer.from('database b')])
    await bucket.createIfAbsent(name, [new Uint8Array(byteLength).fill(7)])
    const second = open(1 << 30, other)
    const reader = await second.open(name, byteLength), into = new Uint8Array(1000)
    await reader.read(into, 0)
    expect(into.every((byte) => byte === 7)).toBe(true)
    await second.createIfAbsent('manifest/0/1.manifest', [Buffer.from('one')])
    await second.open('manifest/0/1.manifest', 3).then((object) => object.read(new Uint8Array(3), 0))
    await second.close()
    expect(blockFiles().every((path) => path.includes('.sst/'))).toBe(true)
    expect(blockFiles()).toHaveLength(2)
  })
})

describeStorage('memory behind a cache on disk', async () => {
  const cache = temporaryDirectory()
  const inner = createMemoryStorage({ syncReads: false })
  const storage = cacheOnDisk(inner, { directory: cache.path, bytesMax: 1 << 20 }, systemClock)
  return {
    storage,
    dispose: async () => {
      await storage.close()
      cache.remove()
    },
  }
})
