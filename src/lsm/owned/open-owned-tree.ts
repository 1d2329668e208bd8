/** Takes a shard over from whoever owned it before, with what its log has: all of that is committed. */
import { invariant, LsmtError } from '../../errors.ts'
import { viewOf } from '../batch.ts'
import { claimManifest } from '../claim/claim-manifest.ts'
import type { FoundLog } from '../log/log-source.ts'
import type { Log } from '../log/log.ts'
import { lastSequenceOf } from '../log/segment-scan.ts'
import type { ManifestState } from '../manifest.ts'
import { commit, release } from '../replicated/apply.ts'
import type { Applying } from '../replicated/apply.ts'
import { createEntryWindow } from '../replicated/entry-window.ts'
import { createPartLedger } from '../replicated/part-ledger.ts'
import type { ReplicatedEntry } from '../replicated/replicated-tree.ts'
import { admit } from '../state/back-pressure.ts'
import { createTree, flushSoonOf } from '../state/create-tree.ts'
import { newTreeState } from '../state/open/new-state.ts'
import { openVersion } from '../state/open/open-version.ts'
import { deleteUnreferenced, standingFiles } from '../state/open/take-shard.ts'
import { poison, replaceView } from '../state/tree-state.ts'
import type { TreeOptions } from '../state/tree-state.ts'
import type { Tree } from '../tree.ts'
import type { OwnedTree, OwnedTreeOptions } from './owned-tree.ts'

interface OwnedState extends Applying {
  readonly options: OwnedTreeOptions
  readonly log: Log
  /** Entries that wait until they may go to the log. */
  readonly waiting: ReplicatedEntry[]
}

/** Nobody lags behind an owner; so many bytes of entries go at a time. */
const recentBytesMax = 256 * 1024

/** 55006 when a later writer has come. */
export async function openOwnedTree(options: OwnedTreeOptions): Promise<OwnedTree> {
  if (options.durability !== 'sync') throw new LsmtError('0A000', `a shard of a cluster with durability ${options.durability} is not supported: what is acknowledged is in the bucket`)
  const manifest = await claimManifest(options, options.listed?.manifestIds)
  const found = await options.log.read(manifest.flushedSequence)
  await options.assertStillMine()
  await deleteUnreferenced(options, manifest, await standingFiles(options))
  const writer = await found.openWriter(manifest.writerEpoch, Math.max(found.lastSequence, manifest.flushedSequence))
  try {
    const owned = await openState(options, manifest, found, writer)
    return ownedTree(owned)
  } catch (error) {
    await writer.close()
    throw error
  }
}

async function openState(options: OwnedTreeOptions, manifest: ManifestState, found: FoundLog, log: Log): Promise<OwnedState> {
  const { flushedSequence } = manifest
  const window = createEntryWindow(flushedSequence, recentBytesMax), parts = createPartLedger()
  for await (const { baseSequence, payload } of found.records()) {
    const entry = entryOf(payload, baseSequence)
    window.push(entry)
    parts.note(entry)
  }
  const treeOptions: TreeOptions = { ...options, beforePublish: () => Promise.resolve() }
  const version = await openVersion(treeOptions, manifest)
  const tree = newTreeState(treeOptions, manifest, logOfTree(log, () => trim(owned)), version)
  tree.nextSequence = window.lastSequence + 1
  // With the tables that files have.
  replaceView(tree)
  const owned: OwnedState = {
    options, tree, flushSoon: flushSoonOf(tree), log, window, parts, waiting: [],
    committed: window.lastSequence, released: 0, releases: [], tablesSequence: flushedSequence, isApplying: false, shown: () => {},
  }
  return owned
}

function entryOf(batch: Uint8Array, baseSequence: number): ReplicatedEntry {
  return { epoch: 0, baseSequence, lastSequence: lastSequenceOf(baseSequence, viewOf(batch).getUint32(4, true)), batch }
}

function ownedTree(owned: OwnedState): OwnedTree {
  const { tree: state, window, parts } = owned
  const tree = createTree(state, refuse)
  const foundSequence = window.lastSequence, foundInFiles = state.manifest.flushedSequence
  commit(owned, foundSequence)
  return {
    tree,
    foundSequence,
    get lastSequence() { return window.lastSequence },
    get durableSequence() { return owned.committed },
    append: (batch) => append(owned, batch),
    release: (throughSequence) => release(owned, throughSequence),
    get flushedSequence() { return state.manifest.flushedSequence },
    logged: () => parts.logged(state.manifest.flushedSequence),
    get tablesSequence() { return owned.tablesSequence },
    visibleParts: () => parts.visible(),
    get partsAfter() { return Math.max(foundInFiles, parts.settledThrough) },
    settle: (throughSequence) => void parts.settle(throughSequence, state.manifest.flushedSequence),
    close: () => tree.close(),
  }
}

const refuse: Tree['append'] = () => {
  throw new LsmtError('XX000', 'internal error: a batch was appended to an owned shard as if it were alone')
}

/** The tree says when it has flushed, and asks for nothing else of the log but to be heard when that keeps too much. */
function logOfTree(log: Log, onFlushed: () => Promise<void>): Log {
  return {
    ...log,
    get counts() { return log.counts },
    get failure() { return log.failure },
    append: () => Promise.reject(new LsmtError('XX000', 'internal error: a tree that is owned appends to its log')),
    truncateBelow: onFlushed,
  }
}

function trim({ tree, log, parts }: OwnedState): Promise<void> {
  const { flushedSequence } = tree.manifest
  parts.flushed(flushedSequence)
  return log.truncateBelow(flushedSequence)
}

function append(owned: OwnedState, batch: Uint8Array): void {
  const { window, parts, tree, waiting } = owned
  const entry = entryOf(batch, viewOf(batch).getFloat64(8, true))
  invariant(entry.baseSequence === window.lastSequence + 1, () => `an entry of sequence ${entry.baseSequence} after ${window.lastSequence}`)
  window.push(entry)
  parts.note(entry)
  tree.nextSequence = window.lastSequence + 1
  waiting.push(entry)
  if (waiting.length === 1) write(owned)
}

/** In their order; the first that has to wait keeps those behind it. */
function write(owned: OwnedState): void {
  const { waiting, tree } = owned
  while (waiting.length > 0) {
    const admitted = admit(tree, waiting[0]!.batch.length)
    if (admitted !== undefined) {
      admitted.then(() => {
        writeFirst(owned)
        write(owned)
      }, (error: unknown) => poison(tree, error))
      return
    }
    writeFirst(owned)
  }
}

function writeFirst(owned: OwnedState): void {
  const { log, tree, options, waiting } = owned
  const { baseSequence, lastSequence, batch } = waiting.shift()!
  log.append(baseSequence, batch).then(() => {
    commit(owned, lastSequence)
    options.onDurable?.(lastSequence)
  }, (error: unknown) => poison(tree, error))
}
