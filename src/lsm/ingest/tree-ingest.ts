/**
 * Ingests: rows of a table that nobody else reads or writes yet go straight to its table files (after RocksDB's ingestion of
 * external files), with no log and no memtable, which would only bring them there a second time. The files become the
 * table's by one manifest, which names the table too: what the log has of it may not be flushed yet. The caller's rows come
 * in the order of their keys, so the files do not overlap and stand below level 0 from the beginning.
 */
import { invariant } from '../../errors.ts'
import { startCompaction } from '../compaction/compact-tree.ts'
import type { IngestJob, JobResult } from '../compaction/job.ts'
import { openOutputs } from '../state/background.ts'
import { publish } from '../state/publish.ts'
import { noteTrouble, refuseWhenClosed } from '../state/tree-state.ts'
import type { TreeState } from '../state/tree-state.ts'
import { noTables } from '../state/version.ts'
import type { TreeIngest } from '../tree.ts'

/** A file under way holds a row group as it came and as it is encoded, what waits to be written, and 8 bytes a row for its filter. */
const fileBytesMin = 4 * 1024 * 1024, buffersBytes = 3 * 1024 * 1024, filterBytesPerRow = 8

const outputLevel = 1

/** `treeCount`: how many trees have one under way at a time. Undefined where there is no memory for so many files, or one is under way here. */
export function openIngest(state: TreeState, tableId: number, treeCount: number): TreeIngest | undefined {
  const { jobs, settings, shard } = state.options
  const fileBytesMax = (jobs.ingestBytesMax ?? 0) / treeCount
  const layout = state.layouts.get(tableId)
  if (fileBytesMax < fileBytesMin || layout === undefined || state.lanes.ingesting) return undefined
  state.lanes.ingesting = true
  const ingest = state.nextFileNumber++
  const fileRowsMax = (fileBytesMax - buffersBytes) / filterBytesPerRow
  let rowsBefore = 0, isOpen = true
  const run = (step: IngestJob['step']): Promise<JobResult> => {
    refuseWhenClosed(state)
    // All that memtables hold is newer.
    const sequence = state.manifest.flushedSequence
    return jobs.run({ kind: 'ingest', shard, ingest, layout, rowsBefore, step, fileRowsMax, sequence, settings }, state.closing.signal)
  }
  const end = (): void => {
    if (isOpen) state.lanes.ingesting = false
    isOpen = false
  }
  return {
    async append(rows) {
      await run({ kind: 'append', rows, fileNumber: state.nextFileNumber++ })
      rowsBefore += rows.rowCount
    },
    async publish() {
      if (rowsBefore > 0) await publishFiles(state, tableId, await run({ kind: 'finish' }))
      end()
    },
    async abandon() {
      if (!isOpen) return
      // What could not be deleted goes when the tree is opened next.
      if (!state.isClosed) await run({ kind: 'abandon' }).catch((error: unknown) => noteTrouble(state, 'dropping files of an import', error))
      end()
    },
  }
}

async function publishFiles(state: TreeState, tableId: number, { files: metas }: JobResult): Promise<void> {
  const outputs = await openOutputs(state, metas)
  try {
    await state.options.beforePublish()
    const isPublished = await publish(state, {
      edit() {
        if (!state.layouts.has(tableId)) return undefined
        invariant(!state.view.version.tables.has(tableId), 'a table that is ingested has files already')
        return { added: outputs.files.map((file) => ({ level: outputLevel, file })), removed: noTables, droppedTables: noTables }
      },
      // Asked for in the step in which the manifest is made.
      get changes() { return withTable(state, tableId) },
      onPublished: () => undefined,
    })
    if (!isPublished) await outputs.discard()
    state.counters.bytesIngested += metas.reduce((sum, { byteLength }) => sum + byteLength, 0)
  } catch (error) {
    await outputs.discard()
    throw error
  }
  // Their level may be above its target now, and no flush may come for long.
  startCompaction(state)
}

function withTable({ manifest, layouts }: TreeState, tableId: number): Pick<TreeState['manifest'], 'layouts' | 'maxTableId'> {
  return { layouts: [...manifest.layouts.filter((each) => each.tableId !== tableId), layouts.get(tableId)!], maxTableId: Math.max(manifest.maxTableId, tableId) }
}
