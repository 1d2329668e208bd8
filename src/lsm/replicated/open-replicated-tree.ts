/** Opens the copy of a shard that stands on this disk. Nothing of its log is applied: what of it is committed is told later. */
import { LsmtError } from '../../errors.ts'
import { fileNumberOf, logFolder } from '../file-names.ts'
import { readLog } from '../log/log-reader.ts'
import type { ReadLog } from '../log/log-reader.ts'
import type { Log } from '../log/log.ts'
import { openLogWriter } from '../log/log-writer.ts'
import type { LogWriter } from '../log/log-writer.ts'
import { loadManifest } from '../manifest-store.ts'
import { emptyManifest } from '../manifest.ts'
import type { ManifestState } from '../manifest.ts'
import { createTree, flushSoonOf } from '../state/create-tree.ts'
import { newTreeState } from '../state/open/new-state.ts'
import { openVersion } from '../state/open/open-version.ts'
import { deleteUnreferenced, nextEpoch, standingFiles } from '../state/open/take-shard.ts'
import type { TableFileLengths } from '../state/table-files.ts'
import { replaceView } from '../state/tree-state.ts'
import type { TreeOptions } from '../state/tree-state.ts'
import type { Tree } from '../tree.ts'
import { append, storeEpoch, truncate } from './append.ts'
import { commit, release } from './apply.ts'
import { exportFiles } from './export-files.ts'
import { findLog } from './found-log.ts'
import type { FoundLog } from './found-log.ts'
import { readAfter } from './read-after.ts'
import { readReplicaRecord, writeReplicaRecord } from './replica-record.ts'
import type { RecordFloor, ReplicaRecord } from './replica-record.ts'
import type { ReplicaState } from './replica-state.ts'
import type { ReplicatedTree, ReplicatedTreeOptions } from './replicated-tree.ts'
import { tellTrimmed, trimLog } from './trim.ts'

const recentBytesDefault = 8 * 1024 * 1024

/** XX001 when what stands there is damaged, or not all there. */
export async function openReplicatedTree(options: ReplicatedTreeOptions): Promise<ReplicatedTree> {
  if (options.durability !== 'sync') throw new LsmtError('0A000', `a replica with durability ${options.durability} is not supported: what it promises is on disk`)
  const { record, manifest: before } = await settleInstall(options)
  const manifest = await nextEpoch(options, before)
  const lengths = await standingFiles(options)
  await deleteUnreferenced(options, manifest, lengths)
  const log = await readLog({ ...options, afterSequence: manifest.flushedSequence })
  const found = await findLog(manifest, record, log, options.recentBytesMax ?? recentBytesDefault)
  const writer = await openWriter(options, record, log, found)
  try {
    return replicatedTree(await openState(options, manifest, record, found, writer, lengths))
  } catch (error) {
    await writer.close()
    throw error
  }
}

/** Ends an installation of files that a crash left half done: where its manifest stands, it is carried through. */
export async function settleInstall(floor: RecordFloor): Promise<{ readonly record: ReplicaRecord; readonly manifest: ManifestState }> {
  const { storage, kernel, shard } = floor
  const manifest = (await loadManifest(storage, kernel, shard)) ?? emptyManifest(shard)
  const record = await readReplicaRecord(floor)
  const { install } = record
  const isDone = install !== undefined && manifest.id >= install.manifestId && manifest.flushedSequence >= install.through.sequence
  const start = isDone ? install : record.start
  // First, so that the log is whole again when the record says that all is done.
  if (start !== undefined) await deleteSegments(floor, start.segmentsThrough)
  return { record: install === undefined ? record : await writeReplicaRecord(floor, { ...record, start, install: undefined }), manifest }
}

async function deleteSegments({ storage, shard }: RecordFloor, throughNumber: number): Promise<void> {
  const folder = logFolder(shard)
  for (const { name } of await storage.list(folder)) if ((fileNumberOf(name, folder, 'wal') ?? Infinity) <= throughNumber) await storage.delete(name)
}

function openWriter(options: ReplicatedTreeOptions, { start }: ReplicaRecord, { files, lastSegmentNumber }: ReadLog, { epochs, window }: FoundLog): Promise<LogWriter> {
  return openLogWriter({
    ...options,
    firstSegmentNumber: Math.max(lastSegmentNumber, start?.segmentsThrough ?? 0) + 1,
    writerEpoch: epochs.at(-1)!.epoch,
    baseSequence: window.lastSequence,
    segmentsBefore: files,
  })
}

async function openState(options: ReplicatedTreeOptions, manifest: ManifestState, record: ReplicaRecord, { epochs, window, parts }: FoundLog, log: LogWriter, lengths: TableFileLengths): Promise<ReplicaState> {
  const treeOptions: TreeOptions = { ...options, beforePublish: () => Promise.resolve() }
  const version = await openVersion(treeOptions, manifest, { lengths })
  const tree = newTreeState(treeOptions, manifest, logOfTree(log, () => trimLog(replica)), version)
  tree.nextSequence = window.lastSequence + 1
  // With the tables that files have.
  replaceView(tree)
  const replica: ReplicaState = {
    options, tree, flushSoon: flushSoonOf(tree), log, window, parts, epochs, writtenEpoch: epochs.at(-1)!.epoch,
    committed: manifest.flushedSequence, released: 0, releases: [], tablesSequence: manifest.flushedSequence, isApplying: false, shown: () => tellTrimmed(replica),
    record, recording: undefined, holds: new Set(), trimmedSequence: manifest.flushedSequence, cursors: new Map(),
  }
  return replica
}

/** What the tree may do with the log: it says when it has flushed, by which the log goes as far as it may. */
function logOfTree(log: LogWriter, onFlushed: () => void): Log {
  return {
    append: () => Promise.reject(refusal()),
    admit: (payloadBytes) => log.admit(payloadBytes),
    sync: () => log.sync(),
    roll: () => log.roll(),
    truncateBelow() {
      onFlushed()
      return Promise.resolve()
    },
    get counts() { return log.counts },
    get failure() { return log.failure },
    close: () => log.close(),
  }
}

const refusal = (): LsmtError => new LsmtError('XX000', 'internal error: a batch was appended to a replica as if it were alone')

const refuse: Tree['append'] = () => {
  throw refusal()
}

function replicatedTree(replica: ReplicaState): ReplicatedTree {
  const { tree: state, epochs, window, parts, record } = replica
  const tree = createTree(state, refuse)
  const { flushedSequence: foundInFiles } = state.manifest
  return {
    found: { storedEpoch: record.storedEpoch, startSequence: state.manifest.flushedSequence, lastSequence: window.lastSequence, epochs },
    tree,
    storeEpoch: (epoch) => storeEpoch(replica, epoch),
    append: (entries) => append(replica, entries),
    truncate: (toSequence) => truncate(replica, toSequence),
    commit: (throughSequence) => commit(replica, throughSequence),
    release: (throughSequence) => release(replica, throughSequence),
    readAfter: (sequence, bytesMax) => readAfter(replica, sequence, bytesMax),
    get flushedSequence() { return state.manifest.flushedSequence },
    logged: () => parts.logged(state.manifest.flushedSequence),
    get tablesSequence() { return replica.tablesSequence },
    visibleParts: () => parts.visible(),
    get partsAfter() { return Math.max(foundInFiles, parts.settledThrough) },
    settle(throughSequence) {
      if (parts.settle(throughSequence, state.manifest.flushedSequence)) trimLog(replica)
    },
    exportFiles: () => exportFiles(replica, tree),
    close: async () => {
      // Whoever asked for what failed there was told.
      await replica.recording?.catch(() => undefined)
      await tree.close()
    },
  }
}
