/**
 * Follows a database that somebody else writes, over storage that is a bucket: claims nothing and writes nothing here. It looks
 * now and then. Each look lists the manifests first and the log after them, so that what no file has is in the log, or
 * else the log was lost sight of and everything is read anew. Then what has come is shown in one step for all shards,
 * so that no statement is ever half visible; only after that newer files take the place of what is in memory.
 */
import { LsmtError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { isReleased } from '../claim/log-place.ts'
import { newestClaim } from '../claim/writer-claim.ts'
import { readChain } from '../log/stream/stream-chain.ts'
import { recordsOfShard } from '../log/stream/stream-log.ts'
import type { ManifestState } from '../manifest.ts'
import { openVersion } from '../state/open/open-version.ts'
import type { TreeOptions } from '../state/tree-state.ts'
import type { Snapshot, Tree } from '../tree.ts'
import { adoptFiles, beginFreshStep, beginStep, dropStep, showStep, snapshotOf, takeRecord } from './follow-step.ts'
import type { FollowStep, FollowedShard } from './follow-step.ts'
import { createFollowedTree, emptyState } from './followed-tree.ts'
import { loadManifests, newerManifests } from './followed-manifests.ts'
import { cursorAfter, logStart, readBehind } from './log-cursor.ts'
import type { LogCursor } from './log-cursor.ts'
import { decide, pendingRecords, wholePrefix } from './pending-records.ts'
import type { PendingRecord } from './pending-records.ts'

export interface FollowerOptions extends Pick<TreeOptions, 'storage' | 'kernel' | 'cache' | 'settings' | 'clock' | 'jobs' | 'room' | 'memtableMemory'> {
  readonly shards: number
  /** Milliseconds between looks. */
  readonly followMs: number
  /** By shard, the state that is shown for ever; absent: the newest one. */
  readonly at?: readonly ManifestState[]
}

/** Given what is about to be visible, by shard, before anybody else sees it; what it resolves to is called in the step that shows it. */
export type PrepareStep = (next: readonly Snapshot[]) => Promise<() => void>

export interface FollowProgress {
  /** By shard, up to which sequence its log is visible. */
  readonly sequences: readonly number[]
  /** The newest object of the log that was read. */
  readonly logObject: number
  /** Records that were read and are not visible yet: others of their statement, or memory, are missing. */
  readonly waitingRecords: number
  /** Milliseconds since the last look that succeeded was begun: no write that was acknowledged longer ago is missing, unless records wait. */
  readonly behindMs: number
  readonly looks: number
  /** How often everything was read anew, the opening included. */
  readonly reloads: number
  /** Why the last look failed; it is made again. */
  readonly trouble: string | undefined
}

export interface Follower {
  readonly trees: readonly Tree[]
  /** Those whose files are in use, by shard; the same array until one of them changes. */
  readonly manifests: readonly ManifestState[]
  /** Reads what there is, then looks on its own. Called once, before anything is read. */
  open(prepare: PrepareStep): Promise<void>
  /** A look that begins after the call. */
  refresh(): Promise<void>
  /** Undefined where nothing is followed. */
  readonly progress: FollowProgress | undefined
  /** Ends the looks; the trees stay open. */
  close(): Promise<void>
}

interface FollowState {
  readonly options: FollowerOptions
  readonly shards: readonly FollowedShard[]
  prepare: PrepareStep
  cursor: LogCursor
  /** Read, not visible yet, in the order of the log. */
  pending: PendingRecord[]
  /** By shard, a manifest that is not in use yet. */
  newer: (ManifestState | undefined)[]
  /** Kept as long as none of them changes. */
  manifests: readonly ManifestState[]
  readonly closing: AbortController
  /** Settles when no look is under way. */
  tail: Promise<void>
  /** One that has not begun. */
  queued: Promise<void> | undefined
  loop: Promise<void>
  lookedMs: number
  looks: number
  reloads: number
  trouble: string | undefined
}

const stream = 0

export function createFollower(options: FollowerOptions): Follower {
  const shards = Array.from({ length: options.shards }, (_, shard): FollowedShard => ({ state: emptyState({ ...options, shard }), takenSequence: 0 }))
  const state: FollowState = {
    options, shards, prepare: async () => () => {}, cursor: logStart, pending: [], newer: [], manifests: [], closing: new AbortController(),
    tail: Promise.resolve(), queued: undefined, loop: Promise.resolve(), lookedMs: options.clock.monotonicMs(), looks: 0, reloads: 0, trouble: undefined,
  }
  return {
    trees: shards.map((shard) => createFollowedTree(shard.state)),
    async open(prepare) {
      state.prepare = prepare
      if (options.at !== undefined) return await showAnew(state, options.at, [])
      await againWhenGone(options, () => reload(state))
      state.loop = lookOnAndOn(state)
    },
    refresh: () => (options.at === undefined ? refresh(state) : Promise.resolve()),
    get manifests() { return manifestsOf(state) },
    get progress() { return options.at === undefined ? progressOf(state) : undefined },
    async close() {
      state.closing.abort()
      await state.loop
      await state.tail
    },
  }
}

function manifestsOf(state: FollowState): readonly ManifestState[] {
  const now = state.shards.map((shard) => shard.state.manifest)
  if (now.some((manifest, shard) => manifest !== state.manifests[shard])) state.manifests = now
  return state.manifests
}

function progressOf({ options: { clock }, shards, cursor, pending, lookedMs, looks, reloads, trouble }: FollowState): FollowProgress {
  return { sequences: shards.map(({ state }) => state.visibleSequence), logObject: cursor.id, waitingRecords: pending.length, behindMs: clock.monotonicMs() - lookedMs, looks, reloads, trouble }
}

async function lookOnAndOn(state: FollowState): Promise<void> {
  const { options: { clock, followMs }, closing: { signal } } = state
  while (!signal.aborted) {
    await clock.sleep(followMs, signal)
    // Kept as trouble; the next look may succeed.
    if (!signal.aborted) await refresh(state).catch(() => undefined)
  }
}

function refresh(state: FollowState): Promise<void> {
  if (state.queued !== undefined) return state.queued
  const look = state.tail.then(async () => {
    state.queued = undefined
    await lookOnce(state)
  })
  state.queued = look
  state.tail = look.catch(() => undefined)
  return look
}

async function lookOnce(state: FollowState): Promise<void> {
  if (state.closing.signal.aborted) return
  const startMs = state.options.clock.monotonicMs()
  state.looks++
  try {
    await againWhenGone(state.options, () => look(state))
    state.lookedMs = startMs
    state.trouble = undefined
  } catch (error) {
    state.trouble = error instanceof Error ? error.message : String(error)
    throw error
  }
}

/** How often that is tried; of the log, what is missing looks like damage when the manifests are older than it. */
const triesMax: Readonly<Partial<Record<ErrorCode, number>>> = { '58P01': 20, XX001: 5 }
const waitMsMax = 500

/** Files and objects may go while they are looked at; then there are newer ones. A writer that is quicker is left some time. */
async function againWhenGone({ clock }: FollowerOptions, step: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await step()
    } catch (error) {
      if (!(error instanceof LsmtError && tries < (triesMax[error.code] ?? 0))) throw error
      await clock.sleep(Math.min(waitMsMax, 2 ** tries))
    }
  }
}

async function look(state: FollowState): Promise<void> {
  const { options: { storage, kernel }, shards } = state
  const found = await newerManifests(storage, kernel, shards.map(({ state: { manifest } }, shard) => state.newer[shard] ?? manifest))
  for (const [shard, manifest] of found.entries()) if (manifest !== undefined) state.newer[shard] = manifest
  const objects = await readBehind({ storage, kernel, stream }, state.cursor)
  if (objects === 'lost') return await reload(state)
  state.pending.push(...pendingRecords(objects))
  state.cursor = cursorAfter(objects, state.cursor)
  await takePending(state).catch(async (error: unknown) => {
    // Files that cover what is in memory give memory back.
    await takeFiles(state)
    throw error
  })
  if (shards.some(({ state: { visibleSequence } }, shard) => (state.newer[shard]?.flushedSequence ?? 0) > visibleSequence)) return await reload(state)
  await takeFiles(state)
}

/** Bytes of records that are shown in one step, about; memory that they take is told before others are taken. */
const stepBytes = 4 * 1024 * 1024

async function takePending(state: FollowState): Promise<void> {
  for (;;) {
    const passed = state.shards.map(({ state: { visibleSequence } }, shard) => Math.max(visibleSequence, state.newer[shard]?.flushedSequence ?? 0))
    const { count, aborted } = decide(state.pending, passed)
    const taken = wholePrefix(state.pending.slice(0, count), stepBytes)
    if (taken.length === 0) return
    const steps = state.shards.map(beginStep)
    takeRecords(steps, taken, aborted)
    await show(state, steps)
    state.pending = state.pending.slice(taken.length)
  }
}

function takeRecords(steps: readonly FollowStep[], records: readonly PendingRecord[], aborted: ReadonlySet<string>): void {
  for (const record of records) takeRecord(steps[record.shard]!, record, record.part === undefined || !aborted.has(record.part.transactionId))
}

async function show({ prepare }: FollowState, steps: readonly FollowStep[]): Promise<void> {
  const snapshots = steps.map(snapshotOf)
  try {
    const showOthers = await prepare(snapshots)
    for (const step of steps) showStep(step)
    showOthers()
  } finally {
    for (const snapshot of snapshots) snapshot.release()
  }
}

async function takeFiles(state: FollowState): Promise<void> {
  for (const [shard, followed] of state.shards.entries()) {
    const manifest = state.newer[shard]
    if (manifest === undefined || manifest.flushedSequence > followed.state.visibleSequence) continue
    adoptFiles(followed, manifest, await openVersion(followed.state.options, manifest, { version: followed.state.view.version }))
    state.newer[shard] = undefined
  }
}

/** Reads everything anew, beside what is visible. */
async function reload(state: FollowState): Promise<void> {
  const { options: { storage, kernel }, shards } = state
  state.reloads++
  await refuseHiddenLog(state)
  const manifests = await loadManifests(storage, kernel, shards.length)
  const { objects } = await readChain({ storage, kernel, stream })
  // That none is missing between files and log.
  for (const { shard, flushedSequence } of manifests) recordsOfShard(stream, objects, shard, flushedSequence)
  await showAnew(state, manifests, pendingRecords(objects))
  state.cursor = cursorAfter(objects, logStart)
  state.newer = []
}

/** Shows files, and the records above them as far as they are decided, in place of all there was. */
async function showAnew(state: FollowState, manifests: readonly ManifestState[], records: readonly PendingRecord[]): Promise<void> {
  const { shards } = state
  const { count, aborted } = decide(records, manifests.map(({ flushedSequence }) => flushedSequence))
  const steps: FollowStep[] = []
  try {
    for (const [shard, followed] of shards.entries()) {
      const manifest = manifests[shard]!
      steps.push(beginFreshStep(followed, manifest, await openVersion(followed.state.options, manifest, { version: followed.state.view.version })))
    }
    takeRecords(steps, records.slice(0, count), aborted)
    await show(state, steps)
  } catch (error) {
    for (const step of steps) dropStep(step)
    throw error
  }
  state.pending = records.slice(count)
}

/** 0A000: files alone may hold a part of a statement whose others are in the log. */
async function refuseHiddenLog({ options: { storage, kernel } }: FollowState): Promise<void> {
  const newest = await newestClaim({ storage, kernel })
  if (newest?.log !== 'local' || (await isReleased(storage, newest.epoch))) return
  throw new LsmtError('0A000', `the writer of ${storage.description} keeps its log on a disk of its own: nobody else can follow it`, { hint: 'start the writer with its log in the bucket' })
}
