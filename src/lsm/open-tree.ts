/**
 * Opens a shard's tree in two steps, since what a shard's log holds of a statement over several shards counts only when
 * all their logs (or table files) hold their parts: first everything is read and nothing changed, then, when the engine
 * has judged the parts of all shards, the tree is opened with those that count.
 */
import { viewOf } from './batch.ts'
import { claimManifest } from './claim/claim-manifest.ts'
import type { FoundLog } from './log/log-source.ts'
import { partOf } from './log/logged-parts.ts'
import type { LoggedPart } from './log/logged-parts.ts'
import { segmentLog } from './log/segment-log.ts'
import { loadManifest } from './manifest-store.ts'
import type { ManifestState } from './manifest.ts'
import { emptyManifest } from './manifest.ts'
import { closeTree, createTree } from './state/create-tree.ts'
import { newTreeState } from './state/open/new-state.ts'
import { deleteUnreferenced, nextEpochUnderLock, standingFiles } from './state/open/take-shard.ts'
import { openVersion } from './state/open/open-version.ts'
import type { TableFileLengths } from './state/table-files.ts'
import { replaceView } from './state/tree-state.ts'
import type { TreeOptions, TreeState } from './state/tree-state.ts'
import type { Tree } from './tree.ts'
import { applyBatch, freeze, isFull } from './state/write-path.ts'

export interface RecoveredTree {
  readonly flushedSequence: number
  readonly parts: readonly LoggedPart[]
  /** Transaction ids of abort records in the log. */
  readonly aborted: ReadonlySet<string>
  /** Claims the shard, replays the log with the parts that `keepPart` keeps, and starts writing. May be called once. */
  open(keepPart: (part: LoggedPart) => boolean): Promise<Tree>
}

export async function recoverTree(options: TreeOptions): Promise<RecoveredTree> {
  const { storage, kernel, shard, claim } = options
  // Where claims decide, no earlier writer may publish any more before the log is read.
  const manifest = claim === undefined ? (await loadManifest(storage, kernel, shard)) ?? emptyManifest(shard) : await claimManifest({ ...options, claim }, options.listed?.manifestIds)
  const [log, files] = await Promise.all([(options.log ?? segmentLog(options)).read(manifest.flushedSequence), standingFiles(options)])
  const { parts, aborted } = await log.parts()
  return { flushedSequence: manifest.flushedSequence, parts, aborted, open: (keepPart) => open({ options, files, log }, manifest, keepPart) }
}

/** As it was before anything was changed. */
interface FoundShard {
  readonly options: TreeOptions
  readonly files: TableFileLengths
  readonly log: FoundLog
}

async function open(shard: FoundShard, found: ManifestState, keepPart: (part: LoggedPart) => boolean): Promise<Tree> {
  const { options, files, log } = shard
  const manifest = options.claim === undefined ? await nextEpochUnderLock(options, found) : found
  await deleteUnreferenced(options, manifest, files)
  const state = await createState(shard, manifest)
  try {
    await replay(state, log, keepPart)
    return createTree(state)
  } catch (error) {
    await closeTree(state)
    throw error
  }
}

async function createState({ options, files, log }: FoundShard, manifest: ManifestState): Promise<TreeState> {
  const lastSequence = Math.max(log.lastSequence, manifest.flushedSequence)
  const writer = await log.openWriter(manifest.writerEpoch, lastSequence)
  const version = await openVersion(options, manifest, { lengths: files }).catch(async (error: unknown) => {
    await writer.close()
    throw error
  })
  const state = newTreeState(options, manifest, writer, version)
  state.nextSequence = lastSequence + 1
  return state
}

/** Brings back what the log holds above the flushed sequence. */
async function replay(state: TreeState, log: FoundLog, keepPart: (part: LoggedPart) => boolean): Promise<void> {
  for await (const { payload, file, baseSequence } of log.records()) {
    const part = partOf(payload, file)
    if (part === undefined || keepPart(part)) applyBatch(state, payload, baseSequence)
    else state.visibleSequence = baseSequence + viewOf(payload).getUint32(4, true) - 1
    if (isFull(state)) freeze(state)
  }
  replaceView(state)
}
