/**
 * Table files over memory storage: rows of a 16-digit key and a text of 100 bytes written, then found by key with all
 * chunks cached and with none. The storage costs next to nothing, so this is what the file format itself takes.
 */
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import type { TableLayout } from '../../src/lsm/layout.ts'
import { createChunkCache } from '../../src/lsm/table/chunk-cache.ts'
import { openTable } from '../../src/lsm/table/table-reader.ts'
import type { TableMeta, TableReader } from '../../src/lsm/table/table.ts'
import { createTableWriter } from '../../src/lsm/table/table-writer.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { defaultTreeSettings } from '../../src/settings.ts'
import type { KernelKind } from '../../src/settings.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { measureContestants } from '../harness.ts'
import type { BenchOptions, Contestant, Measurement } from '../harness.ts'

const layout: TableLayout = { tableId: 1, columns: ['bytes', 'bytes'], key: [0] }
const keyBytes = 16
const textBytes = 100
const batchRows = 4096
const MiB = 1024 * 1024

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const rowCount = smoke ? 5000 : 300_000
  const files = (['wasm', 'js'] as const).map((kind) => prepare(kind, rowCount))
  const each = (run: (file: BenchFile) => Contestant['run']): Contestant[] => files.map((file) => ({ name: file.kernel.kind, run: run(file) }))
  const rounds = smoke ? 1 : 3
  yield await measureContestants('engine/table/write', each(writeRun), rounds)
  yield await measureContestants('engine/table/find warm', each((file) => findRun(file, 256 * MiB, smoke ? 1000 : 300_000)), rounds)
  yield await measureContestants('engine/table/find cold', each((file) => findRun(file, 4 * MiB, smoke ? 500 : 20_000)), rounds)
}

interface BenchFile {
  readonly kernel: Kernel
  readonly rowCount: number
  readonly keys: Pointer
  readonly texts: Pointer
  storage: Storage
  meta: TableMeta | undefined
}

/** Lays the rows out in linear memory, as refs. */
function prepare(kind: KernelKind, rowCount: number): BenchFile {
  const kernel = openKernel(kind, reserveLinearMemory(512 * MiB))
  const { heap, memory } = kernel
  const [keys, texts, data] = [heap.allocate(rowCount * 8), heap.allocate(rowCount * 8), heap.allocate(rowCount * (keyBytes + textBytes))]
  const random = seededRandom(1)
  for (let row = 0, at = data; row < rowCount; row++, at += keyBytes + textBytes) {
    memory.buffer.write(keyText(row * 2), at, 'latin1')
    for (let i = 0; i < textBytes; i += 4) memory.u32[(at + keyBytes + i) >>> 2] = random.nextU32() & 0x3f3f_3f3f
    memory.u32.set([at, keyBytes], (keys >>> 2) + row * 2)
    memory.u32.set([at + keyBytes, textBytes], (texts >>> 2) + row * 2)
  }
  return { kernel, rowCount, keys, texts, storage: createMemoryStorage(), meta: undefined }
}

const keyText = (key: number): string => String(key).padStart(keyBytes, '0')

const writeRun = (file: BenchFile) => async () => {
  file.storage = createMemoryStorage()
  const { storage, kernel, rowCount, keys, texts } = file
  const start = performance.now()
  const writer = await createTableWriter({ storage, kernel, layout, fileNumber: 1, shard: 0, settings: defaultTreeSettings })
  for (let first = 0; first < rowCount; first += batchRows) {
    const refs = texts + first * 8
    await writer.append({ rowCount: Math.min(batchRows, rowCount - first), keys: keys + first * 8, tombstones: 0, vectors: [undefined, { kind: 'bytes', refs, nulls: 0 }] })
  }
  file.meta = await writer.finish({ min: 1, max: rowCount })
  return { elapsedMs: performance.now() - start, operations: rowCount, answer: JSON.stringify({ ...file.meta, minKey: 0, maxKey: 0 }) }
}

const findRun = (file: BenchFile, cacheBytesMax: number, count: number) => async () => {
  const { storage, kernel, meta, rowCount } = file
  const cache = createChunkCache(kernel.heap, cacheBytesMax)
  const reader = await openTable({ storage, kernel, cache, meta: meta!, shard: 0 })
  const key = kernel.heap.allocate(keyBytes + 8), hash = key + keyBytes
  const random = seededRandom(2)
  const isWarm = cacheBytesMax > meta!.byteLength
  if (isWarm) (await reader.pin(0, meta!.rowGroupCount, ['key', 1])).unpin()
  let sum = 0
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    kernel.memory.buffer.write(keyText(random.below(rowCount * 2)), key, 'latin1')
    kernel.exports.bloomHash(key, keyBytes, hash)
    sum += find(reader, key, hash)
  }
  const elapsedMs = performance.now() - start
  kernel.heap.free(key)
  await reader.close()
  cache.clear()
  return { elapsedMs, operations: count, answer: String(sum) }
}

/** Row of a key, or 0. */
function find(reader: TableReader, key: Pointer, hash: Pointer): number {
  const rowGroup = reader.rowGroupOf(key, keyBytes)
  let found = reader.find(rowGroup, key, keyBytes, hash)
  if (found !== 'absent' && 'fetch' in found) {
    found.fetchSync?.()
    found = reader.find(rowGroup, key, keyBytes, hash)
  }
  return found === 'absent' ? 0 : (found as { readonly row: number }).row
}
