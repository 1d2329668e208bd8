/**
 * One step of a shard that follows: its next state, made beside the visible one and shown in one synchronous step, with
 * those of all shards. Records go to the memtable that is being filled, where no read sees them before the sequence
 * moves; when the log was lost sight of, to memtables of their own, above the files of a newer manifest.
 */
import { isDeepStrictEqual } from 'node:util'
import { decodeLayout, operation, readOperations, tableIdOf } from '../batch.ts'
import { createRowLayout } from '../keys/row-layout.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { TableLayout } from '../layout.ts'
import type { ManifestState } from '../manifest.ts'
import { createMemtable } from '../state/memtable.ts'
import type { Memtable } from '../state/memtable.ts'
import { TreeSnapshot } from '../state/snapshot/tree-snapshot.ts'
import { replaceView } from '../state/tree-state.ts'
import type { FrozenMemtable, TreeState } from '../state/tree-state.ts'
import { releaseVersion } from '../state/version.ts'
import type { Version } from '../state/version.ts'
import { createView } from '../state/view.ts'
import { applyOperations, freezeIfPossible, isFull } from '../state/write-path.ts'
import type { Snapshot } from '../tree.ts'
import type { PendingRecord } from './pending-records.ts'

export interface FollowedShard {
  readonly state: TreeState
  /** Up to which its memtables have the log: further than is visible when a step could not be shown. */
  takenSequence: number
}

export interface FollowStep {
  readonly shard: FollowedShard
  readonly state: TreeState
  /** Where the log was lost sight of: what takes the place of all that the tree has. */
  readonly fresh: { readonly manifest: ManifestState; readonly version: Version } | undefined
  /** Oldest first; the last takes records. */
  readonly memtables: Memtable[]
  readonly layouts: Map<number, TableLayout>
  readonly shapes: Map<number, RowLayout>
  /** Up to which the step shows. */
  sequence: number
  changesTables: boolean
}

export function beginStep(shard: FollowedShard): FollowStep {
  const { state } = shard
  return { shard, state, fresh: undefined, memtables: [state.active], layouts: new Map(state.layouts), shapes: new Map(state.shapes), sequence: state.visibleSequence, changesTables: false }
}

/** Takes over the reference to `version`. */
export function beginFreshStep(shard: FollowedShard, manifest: ManifestState, version: Version): FollowStep {
  const step: FollowStep = { shard, state: shard.state, fresh: { manifest, version }, memtables: [], layouts: new Map(), shapes: new Map(), sequence: manifest.flushedSequence, changesTables: true }
  try {
    addMemtable(step)
    for (const layout of manifest.layouts) define(step, layout)
    return step
  } catch (error) {
    dropStep(step)
    throw error
  }
}

function addMemtable({ state, memtables, sequence }: FollowStep): void {
  memtables.push(createMemtable(state.memtables, sequence))
}

/** Takes the shard's next record; `counts` false: of a statement that never came to be. 53200 when there is no memory for it, and then nothing was taken. */
export function takeRecord(step: FollowStep, { payload, file, lastSequence, isControl, hasTables }: PendingRecord, counts: boolean): void {
  const { shard, state, memtables, fresh } = step
  if (lastSequence <= step.sequence) return
  const isTaken = fresh === undefined && lastSequence <= shard.takenSequence
  if (counts && !isControl && !isTaken) applyOperations(state, memtables.at(-1)!, payload)
  if (fresh === undefined) shard.takenSequence = Math.max(shard.takenSequence, lastSequence)
  step.sequence = lastSequence
  if (counts && hasTables) changeTables(step, payload, file)
  if (fresh !== undefined && memtables.at(-1)!.usedBytes() > state.options.settings.memtableBytesMax) addMemtable(step)
}

function changeTables(step: FollowStep, payload: Uint8Array, file: string): void {
  step.changesTables = true
  for (const each of readOperations(payload, file)) {
    if (each.kind === operation.defineTable) define(step, decodeLayout(each))
    if (each.kind !== operation.dropTable) continue
    step.layouts.delete(tableIdOf(each.key))
    step.shapes.delete(tableIdOf(each.key))
  }
}

/** Shapes of tables that are as they were are used again. */
function define({ state, layouts, shapes }: FollowStep, layout: TableLayout): void {
  const { tableId } = layout
  layouts.set(tableId, layout)
  const known = state.shapes.get(tableId)
  if (known !== undefined && isDeepStrictEqual(state.layouts.get(tableId), layout)) {
    shapes.set(tableId, known)
    return
  }
  const shape = createRowLayout(state.options.kernel, layout)
  state.allShapes.push(shape)
  shapes.set(tableId, shape)
}

/** What the step will show. */
export function snapshotOf({ state, fresh, memtables, shapes, sequence }: FollowStep): Snapshot {
  const frozen = fresh === undefined ? state.frozen.map(({ memtable }) => memtable) : []
  const view = createView({ memtables: [...frozen, ...memtables].toReversed(), version: fresh?.version ?? state.view.version, shapes })
  return new TreeSnapshot(state, view, sequence)
}

/** Synchronous: to be done for all shards in one go. */
export function showStep(step: FollowStep): void {
  const { state, fresh, layouts, shapes, sequence } = step
  if (step.changesTables) {
    replaceContents(state.layouts, layouts)
    replaceContents(state.shapes, shapes)
  }
  state.visibleSequence = sequence
  state.nextSequence = sequence + 1
  if (fresh !== undefined) showFresh(step, fresh)
  else if (step.changesTables) replaceView(state)
  if (isFull(state)) freezeIfPossible(state)
}

/** Takes the files of a newer manifest, all of which is visible already, and lets go of the memtables that they cover. Takes over the reference to `version`. */
export function adoptFiles({ state, takenSequence }: FollowedShard, manifest: ManifestState, version: Version): void {
  const { flushedSequence } = manifest
  if (state.visibleSequence <= flushedSequence && takenSequence <= state.visibleSequence) freezeIfPossible(state)
  const covered = state.frozen.filter(({ maxSequence }) => maxSequence <= flushedSequence)
  state.manifest = manifest
  state.frozen = state.frozen.filter((frozen) => !covered.includes(frozen))
  replaceView(state, version)
  releaseVersion(version, () => undefined)
  for (const { memtable } of covered) memtable.release()
}

function showFresh({ shard, state, memtables, sequence }: FollowStep, { manifest, version }: NonNullable<FollowStep['fresh']>): void {
  const before = [state.active, ...state.frozen.map(({ memtable }) => memtable)]
  state.manifest = manifest
  state.active = memtables.at(-1)!
  state.frozen = memtables.slice(0, -1).map((memtable, i) => frozenMemtable(memtable, memtables[i + 1]!.startSequence))
  shard.takenSequence = sequence
  replaceView(state, version)
  releaseVersion(version, () => undefined)
  for (const memtable of before) memtable.release()
}

/** Nothing flushes it, so the tables of that moment are not wanted. */
function frozenMemtable(memtable: Memtable, maxSequence: number): FrozenMemtable {
  return { memtable, minSequence: memtable.startSequence + 1, maxSequence, layouts: [], maxTableId: 0 }
}

function replaceContents<K, V>(map: Map<K, V>, contents: ReadonlyMap<K, V>): void {
  map.clear()
  for (const [key, value] of contents) map.set(key, value)
}

/** Lets go of what a step that is not shown has made; what it took into the memtable stays there, unseen, and counts later. */
export function dropStep({ fresh, memtables }: FollowStep): void {
  if (fresh === undefined) return
  for (const memtable of memtables.splice(0)) memtable.release()
  releaseVersion(fresh.version, (file) => void file.reader.close())
}
