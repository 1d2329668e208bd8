/** The files a job writes, one after the other in key order, each with its part of the range tombstones. */
import { invariant } from '../../errors.ts'
import { firstBoundary } from '../keys/key-bytes.ts'
import type { Boundary } from '../keys/key-bytes.ts'
import type { TableLayout } from '../layout.ts'
import { clipCover } from '../keys/range-cover.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import { createTableWriter } from '../table/table-writer.ts'
import type { TableMeta, TableWriter, WriteRows } from '../table/table.ts'
import type { CompactJob, FlushJob } from './job.ts'
import type { JobEnvironment } from './job-environment.ts'

export interface OutputOptions {
  readonly job: FlushJob | CompactJob
  readonly layout: TableLayout
  /** Range tombstones to keep. */
  readonly cover: RangeCover
  readonly fileNumbers: { readonly from: number; readonly count: number }
  readonly sequences: { readonly min: number; readonly max: number }
}

export interface OutputFiles {
  /** `firstKey` is that of the rows; a new file may begin with it. */
  append(firstKey: () => Uint8Array, rows: WriteRows): Promise<void>
  finish(): Promise<void>
  abort(): Promise<void>
}

interface OutputState {
  readonly environment: JobEnvironment
  readonly options: OutputOptions
  readonly written: TableMeta[]
  writer: TableWriter | undefined
  /** The file under way holds keys from here on. */
  lower: Uint8Array
  filesBegun: number
}

/** Finished files are added to `written`. */
export function createOutputFiles(environment: JobEnvironment, options: OutputOptions, written: TableMeta[]): OutputFiles {
  const state: OutputState = { environment, options, written, writer: undefined, lower: firstBoundary, filesBegun: 0 }
  return {
    async append(firstKey, rows) {
      if (isFull(state)) {
        const upper = firstKey()
        await finishFile(state, upper)
        state.lower = upper
      }
      state.writer ??= await begin(state)
      await state.writer.append(rows)
    },
    finish: () => finishFile(state, undefined),
    async abort() {
      await state.writer?.abort()
      state.writer = undefined
    },
  }
}

/** Flushes write one file whatever its size; compactions cut while they have file numbers. */
function isFull({ writer, options: { job, fileNumbers }, filesBegun }: OutputState): boolean {
  return writer !== undefined && writer.byteLength >= job.settings.tableFileBytes && filesBegun < fileNumbers.count
}

function begin(state: OutputState): Promise<TableWriter> {
  const { environment: { storage, kernel }, options: { job, layout, fileNumbers } } = state
  const fileNumber = fileNumbers.from + state.filesBegun++
  return createTableWriter({ storage, kernel, layout, fileNumber, shard: job.shard, settings: { ...job.settings, filterBitsPerKey: filterBitsOf(job) } })
}

function filterBitsOf({ settings, ...job }: OutputOptions['job']): number {
  const isLast = job.kind === 'compact' && job.isLastLevel
  return isLast ? settings.lastLevelFilterBitsPerKey : settings.filterBitsPerKey
}

/** Ends the file under way, which is to hold what is deleted below `upper`; a file may hold range tombstones alone. */
async function finishFile(state: OutputState, upper: Boundary): Promise<void> {
  const { options: { cover, sequences }, written } = state
  const tombstones = clipCover(cover, state.lower, upper)
  if (state.writer === undefined && tombstones.length === 0) return
  const writer = (state.writer ??= await begin(state))
  for (const { start, end } of tombstones) {
    invariant(end !== undefined, 'a range tombstone of a table file has an end')
    writer.addRangeTombstone({ start, end })
  }
  const meta = await writer.finish(sequences)
  state.writer = undefined
  written.push(meta)
}
