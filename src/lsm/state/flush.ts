/**
 * Flushes: frozen memtables become table files, oldest first, one at a time. The manifest that names a memtable's files
 * also carries the tables as they were when it was frozen: a table that was dropped by then leaves with it, files and
 * all, and what the log still holds of it is below the flushed sequence.
 */
import { LsmtError } from '../../errors.ts'
import type { FlushTable } from '../compaction/job.ts'
import { compareBytes } from '../keys/key-bytes.ts'
import type { TableLayout } from '../layout.ts'
import { publish } from './publish.ts'
import { canWork, openOutputs, reasonOf, withRetries } from './background.ts'
import { track } from './tree-state.ts'
import type { FrozenMemtable, TreeState } from './tree-state.ts'
import { noTables } from './version.ts'
import type { Levels, TableFile } from './version.ts'

/** Flushes what is frozen, in the background; `afterFlush` is called after each. */
export function startFlush(state: TreeState, afterFlush: () => void): void {
  state.lanes.flush ??= flushAll(state, afterFlush).finally(() => {
    state.lanes.flush = undefined
    // What was frozen between the last look and here found this one still at work.
    if (state.frozen.length > 0 && canWork(state)) startFlush(state, afterFlush)
  })
}

/** A flush that finds no memory is tried again so often before anyone is told. */
const memoryFailuresMax = 6

async function flushAll(state: TreeState, afterFlush: () => void): Promise<void> {
  let failures = 0
  await withRetries(state, 'flush', async () => {
    const oldest = state.frozen[0]
    if (oldest === undefined) return 'done'
    try {
      await flushMemtable(state, oldest)
    } catch (cause) {
      const error = await reasonOf(state, cause)
      // A compaction may just then have the memory that is needed; it goes on while this waits.
      if (!(error instanceof LsmtError && error.code === '53200' && ++failures < memoryFailuresMax)) failWaiters(state, error)
      throw error
    }
    failures = 0
    state.flushFailure = undefined
    afterFlush()
    return 'again'
  })
}

/** Those who wait for a flush learn of its failure; it is tried again all the same. */
function failWaiters(state: TreeState, error: unknown): void {
  const failure = error instanceof Error ? error : new Error(String(error))
  state.flushFailure = failure
  for (const waiter of state.waiters.splice(0)) waiter.reject(failure)
}

async function flushMemtable(state: TreeState, frozen: FrozenMemtable): Promise<void> {
  const { jobs, settings, shard, beforePublish } = state.options
  const tables = frozen.layouts.map((layout): FlushTable => ({ layout, fileNumber: state.nextFileNumber++, olderMaxKey: maxKeyOf(state.view.version.tables.get(layout.tableId)) }))
  const result = await jobs.run({ kind: 'flush', shard, memtable: frozen.memtable.handle, minSequence: frozen.minSequence, maxSequence: frozen.maxSequence, tables, settings }, state.closing.signal)
  const files = await openOutputs(state, result.files)
  try {
    await beforePublish()
    await publishFlush(state, frozen, files)
  } catch (error) {
    await files.discard()
    throw error
  }
  state.counters.flushes++
  state.counters.bytesFlushed += result.files.reduce((sum, { byteLength }) => sum + byteLength, 0)
  track(state, state.log.truncateBelow(frozen.maxSequence), 'deleting log segments')
}

async function publishFlush(state: TreeState, frozen: FrozenMemtable, { files }: { readonly files: readonly TableFile[] }): Promise<void> {
  await publish(state, {
    edit() {
      const known = new Set(layoutsAfter(state, frozen).map(({ tableId }) => tableId))
      return {
        added: files.map((file) => ({ level: 0, file })),
        removed: noTables,
        droppedTables: new Set([...state.view.version.tables.keys()].filter((tableId) => !known.has(tableId))),
      }
    },
    get changes() { return { flushedSequence: frozen.maxSequence, layouts: layoutsAfter(state, frozen), maxTableId: Math.max(frozen.maxTableId, state.manifest.maxTableId) } },
    onPublished() {
      state.frozen = state.frozen.filter((each) => each !== frozen)
      // The tree's own reference; views keep theirs.
      frozen.memtable.release()
    },
  })
}

/** The tables as of the frozen memtable, and those that were made after it and have files already, by ingests. */
function layoutsAfter({ manifest }: TreeState, { layouts, maxTableId }: FrozenMemtable): readonly TableLayout[] {
  return [...layouts, ...manifest.layouts.filter(({ tableId }) => tableId > maxTableId)]
}

function maxKeyOf(levels: Levels | undefined): Uint8Array | undefined {
  let max: Uint8Array | undefined
  for (const { meta } of (levels ?? []).flat()) if (max === undefined || compareBytes(meta.maxKey, max) > 0) max = meta.maxKey
  return max
}

