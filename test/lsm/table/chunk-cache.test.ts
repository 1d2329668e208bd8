/** The chunk cache: bounded, pins hold, evicted chunks cannot be found, nothing leaks. */
import { describe, expect, it } from 'vitest'
import { createLinearHeap } from '../../../src/kernel/heap/linear-heap.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { CachedFile, ChunkCache, Frame } from '../../../src/lsm/table/chunk-cache.ts'

const heapOf = (byteLength: number): ReturnType<typeof createLinearHeap> => createLinearHeap(65_536, byteLength)

/** Reserves and publishes a chunk, unpinned. */
function load(cache: ChunkCache, file: CachedFile, index: number, byteLength: number): void {
  cache.unpin(cache.publish(file, index, cache.reserve(byteLength)))
}

describe('chunk cache', () => {
  it('finds what was published, and counts', () => {
    const cache = createChunkCache(heapOf(1 << 20), 1 << 16)
    const file = cache.addFile(4)
    expect(cache.lookup(file, 2)).toBe(0)
    const frame = cache.reserve(100)
    expect(cache.lookup(file, 2)).toBe(0)
    expect(cache.publish(file, 2, frame)).toBe(frame)
    expect(cache.lookup(file, 2)).toBe(cache.addressOf(frame))
    expect(cache.counts).toMatchObject({ hits: 1, misses: 2, chunks: 1, evictions: 0 })
    cache.unpin(frame)
  })

  it('gives the chunk that came first when two loads meet', () => {
    const heap = heapOf(1 << 20)
    const cache = createChunkCache(heap, 1 << 16)
    const file = cache.addFile(1)
    const [first, second] = [cache.reserve(100), cache.reserve(100)]
    expect(cache.publish(file, 0, first)).toBe(first)
    expect(cache.publish(file, 0, second)).toBe(first)
    cache.unpin(first)
    cache.unpin(first)
    expect(() => cache.unpin(first)).toThrow(/not pinned/)
    expect(cache.counts.chunks).toBe(1)
    cache.clear()
    expect(heap.usedBytes).toBe(0)
  })

  it('evicts what was not used since the hand passed', () => {
    const cache = createChunkCache(heapOf(1 << 20), 4 * 1024)
    const file = cache.addFile(10)
    for (let index = 0; index < 4; index++) load(cache, file, index, 1000)
    for (let index = 4; index < 10; index++) {
      cache.lookup(file, 1)
      load(cache, file, index, 1000)
      expect(cache.peek(file, 1), `after loading ${index}`).not.toBe(0)
    }
    expect(cache.counts).toMatchObject({ chunks: 4, evictions: 6 })
    expect(cache.counts.chunkBytes).toBeLessThanOrEqual(4 * 1024)
  })

  it('refuses with 53200 when all is pinned, by its bound and by the heap', () => {
    for (const cache of [createChunkCache(heapOf(1 << 20), 3000), createChunkCache(heapOf(4096), 1 << 20)]) {
      const file = cache.addFile(8)
      const frames: Frame[] = []
      const pinMore = (): void => {
        for (let index = 0; index < 8; index++) frames.push(cache.publish(file, index, cache.reserve(900)))
      }
      expect(pinMore).toThrow(expect.objectContaining({ code: '53200' }))
      expect(frames.length).toBeGreaterThan(0)
      for (let index = 0; index < frames.length; index++) expect(cache.peek(file, index)).not.toBe(0)
      cache.unpin(frames.pop()!)
      load(cache, file, 7, 900)
      expect(cache.counts.evictions).toBe(1)
      for (const frame of frames) cache.unpin(frame)
    }
  })

  it('counts scratch against the bound and evicts for it', () => {
    const heap = heapOf(1 << 20)
    const cache = createChunkCache(heap, 8192)
    const file = cache.addFile(8)
    for (let index = 0; index < 7; index++) load(cache, file, index, 1000)
    cache.scratch(4000)
    expect(cache.counts.evictions).toBeGreaterThanOrEqual(3)
    expect(() => cache.scratch(5000)).toThrow(expect.objectContaining({ code: '53200' }))
    cache.clear()
    expect(cache.counts.scratchBytes).toBe(0)
  })

  it('frees pinned chunks of a removed file with their last pin', () => {
    const heap = heapOf(1 << 20)
    const cache = createChunkCache(heap, 8192)
    const file = cache.addFile(2)
    load(cache, file, 0, 500)
    const frame = cache.publish(file, 1, cache.reserve(500))
    cache.removeFile(file)
    expect(cache.counts.chunks).toBe(1)
    cache.unpin(frame)
    expect(cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0 })
    expect(heap.usedBytes).toBe(0)
  })

  it('replaces a chunk by a larger form of it, within its bound', () => {
    const heap = heapOf(1 << 20)
    const cache = createChunkCache(heap, 4 * 1024)
    const file = cache.addFile(4)
    for (let index = 0; index < 4; index++) load(cache, file, index, 900)
    for (let read = 0; read < 300; read++) cache.notePartRead(file, 1)
    expect([cache.partReads(file, 1), cache.partReads(file, 2), cache.hasRoom(2000), cache.hasRoom(300)]).toEqual([255, 0, false, true])
    const before = cache.peek(file, 1)
    let written: readonly number[] = []
    expect(cache.rewrite(file, 1, 2000, (from, to) => { written = [from, to]; return true })).toBe(true)
    expect(written).toEqual([before, cache.peek(file, 1)])
    expect(cache.partReads(file, 1)).toBe(0)
    // Until it is written it takes room beside the form that it replaces.
    expect(cache.counts).toMatchObject({ expansions: 1, evictions: 2, chunks: 2 })
    expect(cache.counts.chunkBytes).toBeLessThanOrEqual(4 * 1024)
    cache.removeFile(file)
    expect([cache.counts.chunkBytes, heap.usedBytes]).toEqual([0, 0])
  })

  it('leaves a chunk where it is when it is pinned, gone, or cannot be written, and when there is no room', () => {
    const heap = heapOf(1 << 20)
    const cache = createChunkCache(heap, 4 * 1024)
    const file = cache.addFile(4)
    for (let index = 0; index < 3; index++) load(cache, file, index, 900)
    const never = (): boolean => { throw new Error('was written') }
    const pinned = cache.pin(file, 0), place = cache.peek(file, 0)
    expect(cache.rewrite(file, 0, 1000, never)).toBe(false)
    expect(cache.rewrite(file, 3, 1000, never)).toBe(false)
    expect(cache.rewrite(file, 1, 5000, never)).toBe(false)
    expect(cache.rewrite(file, 1, 1000, () => false)).toBe(false)
    expect(cache.peek(file, 0)).toBe(place)
    expect(cache.peek(file, 1)).not.toBe(0)
    expect(cache.counts.expansions).toBe(0)
    cache.unpin(pinned)
    cache.clear()
    expect(heap.usedBytes).toBe(0)
  })

  it('forgets how often a chunk was asked for when the hand passes', () => {
    const cache = createChunkCache(heapOf(1 << 20), 4 * 1024)
    const file = cache.addFile(10)
    load(cache, file, 0, 1000)
    for (let index = 1; index < 9; index++) {
      cache.lookup(file, 0)
      cache.notePartRead(file, 0)
      load(cache, file, index, 1000)
    }
    expect(cache.partReads(file, 0)).toBeLessThan(4)
  })

  it('keeps its books over random work', () => {
    const seed = 20_261
    const random = seededRandom(seed)
    const heap = heapOf(1 << 18)
    const cache = createChunkCache(heap, 40_000)
    const files = Array.from({ length: 5 }, () => cache.addFile(50))
    const pins = new Map<Frame, number>()
    for (let step = 0; step < 20_000; step++) {
      const file = files[random.below(5)]!
      const index = random.below(50)
      const choice = random.below(10)
      if (choice < 6) {
        const frame = cache.pin(file, index)
        if (frame === 0) load(cache, file, index, 1 + random.below(2000))
        else if (pins.size < 10) pins.set(frame, (pins.get(frame) ?? 0) + 1)
        else cache.unpin(frame)
      } else if (choice < 9) {
        const [frame, count] = [...pins][random.below(Math.max(1, pins.size))] ?? []
        if (frame === undefined) continue
        cache.unpin(frame)
        if (count === 1) pins.delete(frame)
        else pins.set(frame, count! - 1)
      } else if (random.below(2) === 0) cache.scratch(1 + random.below(3000))
      else cache.rewrite(file, index, 1 + random.below(5000), () => random.below(4) > 0)
      expect(cache.counts.chunkBytes + cache.counts.scratchBytes, `seed ${seed}, step ${step}`).toBeLessThanOrEqual(40_000)
    }
    for (const [frame, count] of pins) for (let i = 0; i < count; i++) cache.unpin(frame)
    expect(cache.counts.evictions).toBeGreaterThan(100)
    for (const file of files) cache.removeFile(file)
    cache.clear()
    expect(cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0, scratchBytes: 0 })
    expect(heap.usedBytes).toBe(0)
  })
})
