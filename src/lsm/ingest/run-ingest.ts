/**
 * The body of ingests: rows that come in the order of their keys, to table files. A file stays open between the steps that
 * bring its rows, so that it is as large, and its row groups as full, as if all had come at once; what fails leaves none.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { JobEnvironment } from '../compaction/job-environment.ts'
import type { IngestJob, IngestRows, JobResult } from '../compaction/job.ts'
import { deleteOutputs } from '../compaction/run-job.ts'
import type { Vector } from '../page.ts'
import { createArena } from '../state/arena.ts'
import type { Arena } from '../state/arena.ts'
import { createTableWriter } from '../table/table-writer.ts'
import type { TableMeta, TableWriter, WriteRows } from '../table/table.ts'

/** Those of one thread. */
export interface Ingests {
  run(job: IngestJob, environment: JobEnvironment): Promise<JobResult>
  /** Drops those that are open, when their steps under way have ended. */
  close(): Promise<void>
}

interface OpenIngest {
  readonly shard: number
  readonly environment: JobEnvironment
  /** Of the file under way. */
  writer: TableWriter | undefined
  readonly written: TableMeta[]
  rowCount: number
  step: Promise<unknown>
}

export function createIngests(): Ingests {
  const open = new Map<string, OpenIngest>()

  /** What fails, and what comes to its end, is not open any more. */
  async function step(ingest: OpenIngest, job: IngestJob, environment: JobEnvironment): Promise<JobResult> {
    try {
      const files = await takeStep(ingest, job, environment)
      if (job.step.kind !== 'append') open.delete(nameOf(job))
      return { files }
    } catch (error) {
      open.delete(nameOf(job))
      await abandon(ingest, error)
      throw error
    }
  }

  return {
    run(job, environment) {
      const name = nameOf(job)
      const ingest = open.get(name) ?? { shard: job.shard, environment, writer: undefined, written: [], rowCount: 0, step: Promise.resolve() }
      if (ingest.rowCount !== job.rowsBefore && job.step.kind !== 'abandon') return Promise.reject(new LsmtError('XX000', `the thread that wrote files of an import lost ${job.rowsBefore - ingest.rowCount} rows of them; run it again`))
      open.set(name, ingest)
      const taken = step(ingest, job, environment)
      ingest.step = taken.catch(() => undefined)
      return taken
    },
    async close() {
      for (const ingest of open.values()) {
        await ingest.step
        await abandon(ingest, undefined)
      }
      open.clear()
    },
  }
}

const nameOf = ({ place, shard, ingest }: IngestJob): string => `${place?.folder ?? ''} ${shard} ${ingest}`

/** The files, when it is finished. */
async function takeStep(ingest: OpenIngest, job: IngestJob, environment: JobEnvironment): Promise<readonly TableMeta[]> {
  switch (job.step.kind) {
    case 'append':
      await append(ingest, job, job.step, environment)
      return []
    case 'finish':
      await finishFile(ingest, job)
      return ingest.written
    case 'abandon':
      await abandon(ingest, undefined)
      return []
  }
}

/** Rows gathered at a time: what is gathered is soon copied again, and should be in the processor's cache then. */
const rowsMax = 1024

async function append(ingest: OpenIngest, job: IngestJob, { rows, fileNumber }: Extract<IngestJob['step'], { kind: 'append' }>, { storage, kernel, pause }: JobEnvironment): Promise<void> {
  const { layout, shard, settings, fileRowsMax } = job
  if (ingest.writer !== undefined && (ingest.writer.byteLength >= settings.tableFileBytes || ingest.writer.rowCount >= fileRowsMax)) await finishFile(ingest, job)
  const writer = (ingest.writer ??= await createTableWriter({ storage, kernel, layout, fileNumber, shard, settings: { ...settings, filterBitsPerKey: settings.lastLevelFilterBitsPerKey } }))
  const arena = createArena(kernel.heap, (layout.columns.length + 1) * 9 * rowsMax)
  try {
    for (let from = 0; from < rows.rowCount; from += rowsMax) {
      arena.reset()
      await writer.append(gather(kernel, arena, rows, from, Math.min(rowsMax, rows.rowCount - from)))
      await pause()
    }
  } finally {
    arena.free()
  }
  ingest.rowCount += rows.rowCount
}

/** The rows from `from` on in their order, side by side. */
function gather({ exports, memory: { u32 } }: Kernel, arena: Arena, { order, keys, vectors }: IngestRows, from: number, rowCount: number): WriteRows {
  const pairs = order + 8 * from
  const source = arena.allocate(4)
  const gather8 = (values: Pointer): Pointer => {
    const out = arena.allocate(8 * rowCount)
    u32[source >>> 2] = values
    exports.mergeGather8(pairs, rowCount, source, out)
    return out
  }
  const gatherBits = (bits: Pointer): Pointer => {
    if (bits === 0) return 0
    const out = arena.allocate((rowCount + 7) >>> 3)
    u32[source >>> 2] = bits
    return exports.mergeGatherBits(pairs, rowCount, source, out) === 0 ? 0 : out
  }
  const gatherVector = (vector: Vector): Vector => (vector.kind === 'bytes' ? { kind: 'bytes', refs: gather8(vector.refs), nulls: gatherBits(vector.nulls) } : { kind: vector.kind, values: gather8(vector.values), nulls: gatherBits(vector.nulls) })
  return { rowCount, keys: gather8(keys), tombstones: 0, vectors: vectors.map((vector) => vector && gatherVector(vector)) }
}

async function finishFile(ingest: OpenIngest, { sequence }: IngestJob): Promise<void> {
  const { writer, written } = ingest
  if (writer === undefined) return
  written.push(await writer.finish({ min: sequence, max: sequence }))
  ingest.writer = undefined
}

async function abandon(ingest: OpenIngest, cause: unknown): Promise<void> {
  const { shard, environment, writer, written } = ingest
  ingest.writer = undefined
  await writer?.abort()
  await deleteOutputs(shard, environment, written.splice(0), cause)
}
