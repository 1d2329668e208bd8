/** The bodies of flushes and compactions: runs in, merged, table files out; a pause between any two steps. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { boundaryAfter, copyOut, firstBoundary } from '../keys/key-bytes.ts'
import { keyForm } from '../layout.ts'
import type { TableLayout } from '../layout.ts'
import { memtableCover } from '../state/memtable.ts'
import { clipCover, coverOf, emptyCover, unionOfCovers } from '../keys/range-cover.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import { createRowLayout } from '../keys/row-layout.ts'
import { createMemtableSource } from '../read/merge/memtable-source.ts'
import { createRowMerge } from '../read/merge/merged-rows.ts'
import type { MergedRows, RowMerge } from '../read/merge/merged-rows.ts'
import type { ReadContext } from '../read/read-context.ts'
import { createTableSource } from '../read/merge/table-source.ts'
import type { RunFile } from '../read/merge/table-source.ts'
import { openTable } from '../table/table-reader.ts'
import { tableFileName } from '../table/table-file-name.ts'
import type { RangeTombstone, TableMeta, TableReader, WriteRows } from '../table/table.ts'
import type { CompactJob, FlushJob, FlushTable, JobResult } from './job.ts'
import type { JobEnvironment } from './job-environment.ts'
import { createOutputFiles } from './output-files.ts'
import type { OutputFiles } from './output-files.ts'

const compactionReadAhead = 16
/** About a millisecond's work. */
const rowsMax = 512

export async function runJob(job: FlushJob | CompactJob, environment: JobEnvironment): Promise<JobResult> {
  const written: TableMeta[] = []
  try {
    await (job.kind === 'flush' ? flush(job, environment, written) : compact(job, environment, written))
    return { files: written }
  } catch (error) {
    await deleteOutputs(job.shard, environment, written, error)
    throw error
  }
}

/** Of a job that failed with `cause`. */
export async function deleteOutputs(shard: number, { storage }: JobEnvironment, written: readonly TableMeta[], cause: unknown): Promise<void> {
  const outcomes = await Promise.allSettled(written.map(({ fileNumber }) => storage.delete(tableFileName(shard, fileNumber))))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  // What cannot be deleted now is unreferenced and goes when the tree is opened next.
  if (failed !== undefined) throw new LsmtError('58030', `a failed job left files behind: ${String(failed.reason)}`, {}, cause)
}

async function flush(job: FlushJob, environment: JobEnvironment, written: TableMeta[]): Promise<void> {
  for (const table of job.tables) {
    await flushTable(job, table, environment, written)
    await environment.pause()
  }
}

async function flushTable(job: FlushJob, { layout, fileNumber, olderMaxKey }: FlushTable, environment: JobEnvironment, written: TableMeta[]): Promise<void> {
  const { kernel } = environment
  const hasOlder = olderMaxKey !== undefined
  const own = hasOlder ? clipCover(memtableCover(kernel, job.memtable, layout.tableId, job.maxSequence), firstBoundary, boundaryAfter(olderMaxKey)) : emptyCover
  const outputs = createOutputFiles(environment, { job, layout, cover: own, fileNumbers: { from: fileNumber, count: 1 }, sequences: { min: job.minSequence, max: job.maxSequence } }, written)
  await withContext(kernel, layout, async (context) => {
    const source = createMemtableSource(context, job.memtable, job.maxSequence, emptyCover)
    await writeMerged(context, createRowMerge(context, { sources: [source], keepTombstones: hasOlder, rowsMax }), outputs, environment)
  })
}

async function compact(job: CompactJob, environment: JobEnvironment, written: TableMeta[]): Promise<void> {
  const { kernel, storage, cache } = environment
  const open = new Set<TableReader>()
  const close = async (reader: TableReader): Promise<void> => {
    open.delete(reader)
    await reader.close()
  }
  const runFile = (meta: TableMeta): RunFile => ({
    meta,
    async open() {
      const reader = await openTable({ storage, kernel, cache, meta, shard: job.shard, tail: 'now' })
      open.add(reader)
      return reader
    },
    done: close,
  })
  try {
    await compactRuns(job, job.runs.map((metas) => metas.map(runFile)), environment, written)
  } finally {
    for (const reader of open) await close(reader)
  }
}

async function compactRuns(job: CompactJob, runs: readonly (readonly RunFile[])[], environment: JobEnvironment, written: TableMeta[]): Promise<void> {
  const metas = job.runs.flat()
  const sequences = { min: Math.min(...metas.map(({ minSequence }) => minSequence)), max: Math.max(...metas.map(({ maxSequence }) => maxSequence)) }
  const columns = job.layout.columns.map((_, ordinal) => ordinal)
  const covers: RangeCover[] = []
  for (const files of runs) covers.push(unionOfCovers(covers.at(-1) ?? emptyCover, await coverOfRun(files, environment)))
  await withContext(environment.kernel, job.layout, async (context) => {
    const sources = runs.map((files, i) => createTableSource(context, { files, columns, cover: covers[i - 1] ?? emptyCover, readAhead: compactionReadAhead }))
    const cover = job.isLastLevel ? emptyCover : (covers.at(-1) ?? emptyCover)
    const outputs = createOutputFiles(environment, { job, layout: job.layout, cover, fileNumbers: job.fileNumbers, sequences }, written)
    await writeMerged(context, createRowMerge(context, { sources, keepTombstones: !job.isLastLevel, rowsMax }), outputs, environment)
  })
}

/** What a run's range tombstones delete; only files that have some are looked into. */
async function coverOfRun(files: readonly RunFile[], { pause }: JobEnvironment): Promise<RangeCover> {
  const tombstones: RangeTombstone[] = []
  for (const file of files) {
    if (file.meta.rangeTombstoneCount === 0) continue
    const reader = await file.open()
    tombstones.push(...reader.rangeTombstones)
    await file.done?.(reader)
    await pause()
  }
  return coverOf(tombstones)
}

async function withContext(kernel: Kernel, layout: TableLayout, use: (context: ReadContext) => Promise<void>): Promise<void> {
  const shape = createRowLayout(kernel, layout)
  try {
    await use({ kernel, shape, reverse: false, stats: undefined })
  } finally {
    shape.free()
  }
}

async function writeMerged(context: ReadContext, merge: RowMerge, outputs: OutputFiles, { pause }: JobEnvironment): Promise<void> {
  try {
    merge.open(firstBoundary, undefined)
    for (let rows = await merge.next(); rows !== undefined; rows = await merge.next()) {
      const keys = rows.keys()
      await outputs.append(firstKey(context, keys), writeRows(context, rows, keys))
      await pause()
    }
    await outputs.finish()
  } catch (error) {
    await outputs.abort()
    throw error
  } finally {
    merge.close()
  }
}

/** Merged rows as a table writer takes them; `keys` are theirs. */
export function writeRows({ shape }: ReadContext, rows: MergedRows, keys: number): WriteRows {
  const vectors = shape.layout.columns.map((_, ordinal) => (ordinal === shape.directOrdinal ? undefined : rows.column(ordinal)))
  return { rowCount: rows.count, keys, tombstones: rows.tombstones(), vectors }
}

function firstKey({ kernel: { memory }, shape }: ReadContext, keys: number): () => Uint8Array {
  return () => {
    if (keyForm(shape.layout) !== 'i64') return copyOut(memory, memory.u32[keys >>> 2]!, memory.u32[(keys >>> 2) + 1]!)
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE((memory.u32[(keys >>> 2) + 1]! ^ 0x8000_0000) >>> 0, 0)
    bytes.writeUInt32BE(memory.u32[keys >>> 2]!, 4)
    return bytes
  }
}
