/**
 * Every byte of every file of a small database, flipped in turn: verification names the file, or says where a torn tail
 * would be cut; opening and reading gives a typed error, or the rows that were written (short of a cut tail), never others.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyDatabase } from '../../src/engine/shards/verify-database.ts'
import { LsmtError } from '../../src/errors.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { copyFile, type MemoryDisk, type MemoryFile } from '../../src/storage/memory-disk.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

const settings = { shards: 1, kernelMemoryBytes: 16 * 1024 * 1024, cacheBytesMax: 1024 * 1024, tree: { logSegmentBytes: 4096, rowGroupBytes: 1024, memtableBytesMax: 256 * 1024 } }
const kernel = openKernel('wasm', reserveLinearMemory(16 * 1024 * 1024))
const full = Boolean(process.env['LSMT_TEST_FULL'])

type Rows = readonly string[]
let disk: MemoryDisk
let written: Rows
let appends = true
const storageOf = (source: MemoryDisk): Storage => createMemoryStorage({ disk: source, appends, syncReads: appends })

/** Two table files, deletes among them, and a log tail of several records that is only in the log. */
async function makeDatabase(): Promise<void> {
  disk = new Map()
  const storage = storageOf(disk)
  const engine = await openTestEngine(storage, settings)
  const kv = engine.table('kv')!
  await engine.insert(kv, Array.from({ length: 60 }, (_, i) => [`key-${i}`, `first value of ${i}`]), 'upsert')
  await engine.flush()
  await engine.insert(kv, Array.from({ length: 20 }, (_, i) => [`key-${i * 2}`, `second value of ${i * 2}`]), 'upsert')
  await engine.update(kv, [['key-3'], ['key-5']], () => 'delete')
  await engine.flush()
  for (let i = 0; i < 5; i++) await engine.insert(kv, [[`tail-${i}`, `in the log only ${i}`]], 'upsert')
  written = await readRows(disk)
  await engine.close()
}

const copyDisk = (source: MemoryDisk): MemoryDisk => new Map([...source].map(([name, file]) => [name, copyFile(file)]))

async function readRows(source: MemoryDisk): Promise<Rows> {
  const storage = storageOf(copyDisk(source))
  const engine = await openTestEngine(storage, settings)
  try {
    const table = engine.table('kv')!
    const rows: string[] = []
    const snapshot = engine.snapshot()
    for await (const batch of engine.scan(snapshot, { table, ordered: true, columns: [0, 1], predicate: [] })) rows.push(...batch.map((row) => row.join(' = ')))
    snapshot.release()
    return rows
  } finally {
    await engine.close()
  }
}

/** Bytes worth flipping: all of them, save that the zeros preallocated behind a log are sampled. */
function bytesOf(name: string, file: MemoryFile): number[] {
  let used = file.byteLength
  if (name.startsWith('wal/')) while (used > 0 && file.room[used - 1] === 0) used--
  const offsets = Array.from({ length: used }, (_, i) => i)
  for (let i = used; i < file.byteLength; i += i < used + 64 ? 1 : 997) offsets.push(i)
  return offsets
}

async function withFlipped<T>(name: string, byteOffset: number, use: (disk: MemoryDisk) => Promise<T>): Promise<T> {
  const flipped = new Map(disk)
  const file = copyFile(disk.get(name)!)
  file.room[byteOffset]! ^= 1 << byteOffset % 8
  flipped.set(name, file)
  return use(flipped)
}

async function verify(source: MemoryDisk): Promise<{ files: readonly string[]; tornTails: number }> {
  const walk = verifyDatabase(storageOf(source), kernel)
  const files: string[] = []
  for (;;) {
    const step = await walk.next()
    if (step.done === true) return { files, tornTails: step.value.tornTails.length }
    files.push(step.value.file)
  }
}

describe.each([['on a disk', true, ['format', 'manifest', 'sst', 'wal']], ['in a bucket', false, ['format', 'manifest', 'sst', 'wal', 'writer']]] as const)('a database %s with one byte flipped', (_, grows, folders) => {
  beforeAll(async () => {
    appends = grows
    await makeDatabase()
  })

  it('has nothing wrong before', async () => {
    expect(new Set([...disk.keys()].map((name) => name.split('/')[0]))).toEqual(new Set(folders))
    expect(await verify(disk)).toEqual({ files: [], tornTails: 0 })
    expect(written).toHaveLength(63)
  })

  it('is found by verification, wherever the byte is', async () => {
    let flips = 0
    for (const [name, file] of disk) {
      // That it is there is all that it says.
      if (name.endsWith('.ended')) continue
      for (const byteOffset of bytesOf(name, file)) {
        flips++
        const { files, tornTails } = await withFlipped(name, byteOffset, verify)
        const where = `${name}, byte ${byteOffset}`
        if (tornTails > 0) expect(name, where).toMatch(/^wal\//)
        else expect(files, where).toContain(name)
      }
    }
    expect(flips).toBeGreaterThan(5_000)
  }, 600_000)

  it('opens to an error that names the file, or to the rows that were written', async () => {
    const step = full ? 1 : 41
    let index = 0
    for (const [name, file] of disk) {
      for (const byteOffset of bytesOf(name, file)) {
        if (index++ % step === 0) await withFlipped(name, byteOffset, (flipped) => judgeReading(flipped, name, byteOffset))
      }
    }
  }, 1_200_000)
})

async function judgeReading(flipped: MemoryDisk, name: string, byteOffset: number): Promise<void> {
  const where = `${name}, byte ${byteOffset}`
  let rows: Rows
  try {
    rows = await readRows(flipped)
  } catch (error) {
    expect(error, where).toBeInstanceOf(LsmtError)
    expect(['XX001', 'XX002'], `${where}: ${String(error)}`).toContain((error as LsmtError).code)
    expect((error as LsmtError).evidence.file, where).toBe(name)
    return
  }
  // Only the newest log records may be missing, from the last on: what a torn tail would have cost.
  const missing = written.filter((row) => !rows.includes(row))
  expect(rows.filter((row) => !written.includes(row)), where).toEqual([])
  expect(missing, where).toEqual(name.startsWith('wal/') ? written.filter((row) => row.startsWith('tail-')).slice(5 - missing.length) : [])
}
