/**
 * Durable commits a second on the local disk: 1 writer and 64, records of 100 bytes. Against the log stands a file to
 * which every commit appends and syncs for itself, as simple programs do it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogWriter } from '../../src/lsm/log/log-writer.ts'
import { readLog } from '../../src/lsm/log/log-reader.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { KernelKind } from '../../src/settings.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import { measureContestants, type BenchOptions, type Contestant, type Measurement } from '../harness.ts'
import { createDiskRoom } from '../../src/lsm/disk-room.ts'

const MiB = 1024 * 1024
const recordBytes = 100

interface Work {
  readonly writers: number
  readonly commitsPerWriter: number
}

export async function* measure(options: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  for (const [writers, commits] of [[1, 2000], [64, 32_000]] as const) {
    const work = { writers, commitsPerWriter: options.smoke ? 2 : Math.ceil(commits / writers) }
    yield await measureContestants(`engine/log ${writers} writers`, [logOf('wasm', work), logOf('js', work), oneByOne(work)], options.smoke ? 1 : 3)
  }
}

function logOf(kind: KernelKind, work: Work): Contestant {
  return {
    name: `group commit, ${kind}`,
    run: () => inDirectory(async (directory) => {
      const kernel = openKernel(kind, reserveLinearMemory(64 * MiB))
      const storage = await openLocalStorage(directory)
      const log = await openLogWriter({
        storage, kernel, shard: 0, settings: { logSegmentBytes: 16 * MiB }, durability: 'sync', syncIntervalMs: 100, clock: systemClock, room: createDiskRoom(storage, systemClock),
        firstSegmentNumber: 1, writerEpoch: 1, baseSequence: 0,
      })
      let sequence = 0
      const elapsedMs = await timeWriters(work, () => {
        sequence++
        return log.append(sequence, batchOf(sequence))
      })
      await log.close()
      const { recordCount, lastSequence } = await readLog({ storage, kernel, shard: 0, afterSequence: 0 })
      await storage.close()
      const operations = work.writers * work.commitsPerWriter
      return { elapsedMs, operations, answer: `all there: ${recordCount === operations && lastSequence === operations}` }
    }),
  }
}

function oneByOne(work: Work): Contestant {
  return {
    name: 'write and sync each',
    run: () => inDirectory(async (directory) => {
      const file = await open(join(directory, 'log'), 'wx')
      let commits = 0
      const elapsedMs = await timeWriters(work, async () => {
        const byteOffset = commits++ * recordBytes
        await file.write(batchOf(commits), 0, recordBytes, byteOffset)
        await file.datasync()
      })
      const operations = work.writers * work.commitsPerWriter
      const { size } = await file.stat()
      await file.close()
      return { elapsedMs, operations, answer: `all there: ${size === operations * recordBytes}` }
    }),
  }
}

async function timeWriters(work: Work, commit: () => Promise<void>): Promise<number> {
  const start = systemClock.monotonicMs()
  await Promise.all(Array.from({ length: work.writers }, async () => {
    for (let i = 0; i < work.commitsPerWriter; i++) await commit()
  }))
  return systemClock.monotonicMs() - start
}

async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(process.env['LSMT_BENCH_DIR'] ?? tmpdir(), 'bench-log-'))
  try {
    return await run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function batchOf(baseSequence: number): Uint8Array {
  const batch = new Uint8Array(recordBytes)
  const view = new DataView(batch.buffer)
  view.setUint32(0, recordBytes, true)
  view.setUint32(4, 1, true)
  view.setFloat64(8, baseSequence, true)
  view.setUint32(16, 24, true)
  return batch
}
