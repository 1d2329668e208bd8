import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { createLinearHeap } from '../../src/kernel/heap/linear-heap.ts'
import type { LinearHeap } from '../../src/kernel/heap/linear-heap.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const full = process.env['LSMT_TEST_FULL'] === '1'
const KiB = 1024, MiB = 1024 * KiB

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof LsmtError) return error.code
    throw error
  }
  return 'none'
}

/** One byte per 16 bytes of the region, so that an overlap is seen at once. */
function mark(map: Uint8Array, heap: LinearHeap, pointer: number, bytes: number, from: number, to: number): void {
  const first = (pointer - heap.base) / 16
  const last = first + Math.max(1, Math.ceil(bytes / 16))
  for (let i = first; i < last; i++) {
    if (map[i] !== from) throw new Error(`granule ${i} is ${map[i]}, expected ${from}`)
    map[i] = to
  }
}

describe('linear heap', () => {
  it('gives aligned, non-zero addresses inside its region, also over an unaligned one', () => {
    const heap = createLinearHeap(3, 1000)
    const pointers = [1, 16, 17, 64, 0].map((bytes) => heap.allocate(bytes))
    for (const pointer of pointers) {
      expect(pointer).toBeGreaterThan(0)
      expect(pointer % 16).toBe(0)
    }
    expect(new Set(pointers).size).toBe(5)
    expect(heap.usedBytes).toBe(16 + 16 + 32 + 64 + 16)
  })

  it('never returns 0 for a region that starts there', () => {
    expect(createLinearHeap(0, 64).allocate(16)).toBe(16)
  })

  it('uses its whole region, says when it is full, and joins what is freed', () => {
    const heap = createLinearHeap(65_536, 1 * MiB)
    const whole = heap.allocate(1 * MiB)
    expect(heap.tryAllocate(16)).toBe(0)
    expect(codeOf(() => heap.allocate(16))).toBe('53200')
    heap.free(whole)
    const pieces = Array.from({ length: 1024 }, () => heap.allocate(1 * KiB))
    expect(heap.tryAllocate(1)).toBe(0)
    for (let i = 0; i < 1024; i += 2) heap.free(pieces[i]!)
    expect(heap.tryAllocate(2 * KiB)).toBe(0)
    for (let i = 1; i < 1024; i += 2) heap.free(pieces[i]!)
    expect(heap.usedBytes).toBe(0)
    expect(heap.allocate(1 * MiB)).toBe(whole)
  })

  it('finds the only block that fits although smaller ones share its size class', () => {
    const heap = createLinearHeap(16, 100_000)
    const small = heap.allocate(33 * 1024)
    heap.allocate(16)
    const large = heap.allocate(33 * 1024 + 256)
    heap.allocate(heap.byteLength - heap.usedBytes)
    heap.free(large)
    heap.free(small)
    expect(heap.tryAllocate(33 * 1024 + 128)).toBe(large)
  })

  it('refuses to free what it did not give', () => {
    const heap = createLinearHeap(65_536, 1 * MiB)
    const pointer = heap.allocate(100)
    expect(codeOf(() => heap.free(pointer + 16))).toBe('XX000')
    expect(codeOf(() => heap.free(0))).toBe('XX000')
    heap.free(pointer)
    expect(codeOf(() => heap.free(pointer))).toBe('XX000')
    expect(codeOf(() => heap.allocate(-1))).toBe('XX000')
    expect(codeOf(() => heap.allocate(Number.NaN))).toBe('XX000')
  })

  it('never overlaps over random allocations and frees', () => {
    for (let seed = 1; seed <= (full ? 40 : 4); seed++) {
      const random = seededRandom(seed)
      const heap = createLinearHeap(65_536, 8 * MiB)
      const map = new Uint8Array((8 * MiB) / 16)
      const live: { pointer: number; bytes: number }[] = []
      for (let step = 0; step < 20_000; step++) {
        if (live.length > 0 && random.below(100) < (step % 8000 < 4000 ? 40 : 60)) {
          const [freed] = live.splice(random.below(live.length), 1)
          mark(map, heap, freed!.pointer, freed!.bytes, 1, 0)
          heap.free(freed!.pointer)
        } else {
          const bytes = random.below(1 << random.below(18))
          const pointer = heap.tryAllocate(bytes)
          if (pointer === 0) continue
          mark(map, heap, pointer, bytes, 0, 1)
          live.push({ pointer, bytes })
        }
      }
      expect(heap.usedBytes, `seed ${seed}`).toBe(map.reduce((sum, granule) => sum + granule, 0) * 16)
      for (const { pointer } of live) heap.free(pointer)
      expect(heap.allocate(8 * MiB), `seed ${seed}`).toBe(65_536)
    }
  })

  it('holds hundreds of thousands of live allocations', () => {
    const heap = createLinearHeap(65_536, 1024 * MiB)
    const pointers = Array.from({ length: 300_000 }, (_, i) => heap.allocate(64 + (i % 50) * 16))
    const large = heap.allocate(512 * MiB)
    for (const pointer of pointers) heap.free(pointer)
    heap.free(large)
    expect(heap.usedBytes).toBe(0)
    expect(heap.allocate(1024 * MiB)).toBe(65_536)
  })
})
