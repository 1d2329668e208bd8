/** Writes what a memtable has of a table as a table file that is nowhere but in the chunk cache. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { TreeSettings } from '../../settings.ts'
import { writeRows } from '../compaction/run-job.ts'
import { firstBoundary } from '../keys/key-bytes.ts'
import { emptyCover } from '../keys/range-cover.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import { createMemtableSource } from '../read/merge/memtable-source.ts'
import { createRowMerge } from '../read/merge/merged-rows.ts'
import type { ReadContext } from '../read/read-context.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'
import { openTable } from '../table/table-reader.ts'
import { createTableWriter } from '../table/table-writer.ts'
import type { TableReader, TableWriter } from '../table/table.ts'
import { collectParts, putInCache } from './image-object.ts'
import type { CachedObject } from './image-object.ts'

export interface EncodeOptions {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly settings: TreeSettings
  readonly shard: number
  /** An image of more is given up. */
  readonly byteLengthMax: number
  /** Lets others run when it is time; rejects when nobody wants the image any more. */
  pause(): Promise<void>
}

/** Some hundred microseconds' work. */
const rowsMax = 256

/** No file has it. */
const fileNumber = 0

export interface EncodedImage {
  readonly reader: TableReader
  /** What the reader reads. */
  readonly bytes: CachedObject
}

/** Each key's newest version up to `sequence`, tombstones included; undefined where there is none, or no room for them. The caller keeps the memtable. */
export async function encodeImage(options: EncodeOptions, shape: RowLayout, memtable: Pointer, sequence: number): Promise<EncodedImage | undefined> {
  const { kernel, cache, settings, shard } = options, { parts, storage } = collectParts()
  const writer = await createTableWriter({ storage, kernel, layout: shape.layout, fileNumber, shard, settings: { ...settings, filterBitsPerKey: 0 } })
  try {
    await writeVersions(options, { kernel, shape, reverse: false, stats: undefined }, memtable, sequence, writer)
    if (writer.rowCount === 0 || writer.byteLength > options.byteLengthMax) {
      await writer.abort()
      return undefined
    }
    const meta = await writer.finish({ min: 0, max: sequence }), bytes = putInCache(cache, kernel.memory, parts, meta.byteLength)
    return bytes && { bytes, reader: await openTable({ storage: { open: async () => bytes.object }, kernel, cache, meta, shard, tail: 'whileHeld' }) }
  } catch (error) {
    await writer.abort()
    throw error
  }
}

async function writeVersions({ byteLengthMax, pause }: EncodeOptions, context: ReadContext, memtable: Pointer, sequence: number, writer: TableWriter): Promise<void> {
  const merge = createRowMerge(context, { sources: [createMemtableSource(context, memtable, sequence, emptyCover)], keepTombstones: true, rowsMax })
  try {
    merge.open(firstBoundary, undefined)
    for (let rows = await merge.next(); rows !== undefined && writer.byteLength <= byteLengthMax; rows = await merge.next()) {
      await writer.append(writeRows(context, rows, rows.keys()))
      await pause()
    }
  } finally {
    merge.close()
  }
}
