/** Pages that a memtable will fill are brought in by the worker before. Needs the compiled worker (`npm run build`). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { assignBaseSequence } from '../../../src/lsm/batch.ts'
import { createInlineRunner } from '../../../src/lsm/compaction/inline-runner.ts'
import { createWorkerRunner } from '../../../src/lsm/compaction/worker-runner.ts'
import type { ImageKeeper } from '../../../src/lsm/image/image.ts'
import { createMemtableMemory } from '../../../src/lsm/state/memtable-memory.ts'
import { createMemtable, createOwnMemtable } from '../../../src/lsm/state/memtable.ts'
import type { Memtable } from '../../../src/lsm/state/memtable.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'

const MiB = 1024 * 1024
const noImages: ImageKeeper = { imagesOf: () => ({ find: () => undefined, noteRead: () => {}, free: () => {} }), settled: () => Promise.resolve() }

it('come into the process though nobody has written there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lsmt-touch-')), storage = await openLocalStorage(directory)
  const memory = reserveLinearMemory(272 * MiB), kernel = openKernel('wasm', memory, { base: 65_536, byteLength: 256 * MiB })
  const cache = createChunkCache(kernel.heap, MiB), fallback = createInlineRunner({ storage, kernel, cache, clock: systemClock, sliceMsMax: 2 })
  const jobs = createWorkerRunner({ memory: memory.wasm, region: { base: 257 * MiB, byteLength: 8 * MiB }, kernelKind: 'wasm', cacheBytesMax: 4 * MiB, storageAddress: { kind: 'local', directory }, fallback })
  const before = process.memoryUsage.rss()
  jobs.touch!(kernel.heap.allocate(224 * MiB), 224 * MiB)
  while (process.memoryUsage.rss() < before + 160 * MiB) await systemClock.sleep(5)
  await jobs.close()
  await storage.close()
  await rm(directory, { recursive: true })
})

it('are asked for where a tree’s memtable goes on, not where it begins, nor of one of a transaction', () => {
  const kernel = openKernel('wasm', reserveLinearMemory(32 * MiB))
  const touched: number[] = []
  const memory = createMemtableMemory(() => false, (_, byteLength) => touched.push(byteLength))
  const fill = (memtable: Memtable): void => {
    for (let batch = 0; batch < 20; batch++) {
      const builder = createBatchBuilder()
      for (let i = 0; i < 100; i++) builder.put(1, Buffer.from(`key ${batch * 100 + i}`), Buffer.alloc(200))
      const bytes = builder.finish(), address = kernel.heap.allocate(bytes.length)
      assignBaseSequence(bytes, 1 + batch * 100)
      kernel.memory.u8.set(bytes, address)
      memtable.apply(address, bytes.length)
      kernel.heap.free(address)
    }
  }
  const own = createOwnMemtable(kernel, memory)
  fill(own)
  expect(touched).toEqual([])
  const memtable = createMemtable({ kernel, memory, images: noImages, expectedBytes: MiB }, 0)
  const firstBytes = memory.bytes
  expect(touched).toEqual([])
  fill(memtable)
  expect(touched.length).toBeGreaterThan(2)
  expect(touched.reduce((sum, bytes) => sum + bytes, 0)).toBe(memory.bytes - firstBytes)
})
