/** From what a question looks at to a snapshot of the tree, and the table as that has it. */
import { LsmtError } from '../../../errors.ts'
import type { RowLayout } from '../../../lsm/keys/row-layout.ts'
import { shapeIn } from '../../../lsm/state/snapshot/tree-snapshot.ts'
import type { Snapshot, Tree } from '../../../lsm/tree.ts'
import type { ReadLevel } from '../../replication/event.ts'
import type { QuestionContext } from '../../transport/call/services.ts'
import type { SnapshotAnswer, ViewQuestion } from '../wire/questions.ts'
import type { FragmentHost } from './fragment-host.ts'
import type { HeldSnapshots } from './held-snapshots.ts'

/** What one question reads, until `done`. */
export interface OpenView {
  readonly tree: Tree
  readonly shard: number
  readonly snapshot: Snapshot
  done(): void
}

export async function openView(host: FragmentHost, snapshots: HeldSnapshots, context: QuestionContext, view: ViewQuestion): Promise<OpenView> {
  if (view.kind === 'snapshot') return viewOfHeld(host, snapshots, context, view)
  const { tree, snapshot } = await takeSnapshot(host, context, view.shard, { kind: 'lease' }, 0)
  return { tree, shard: view.shard, snapshot, done: () => snapshot.release() }
}

/** 40001 when it is gone, or has not the batches that it should have; 57P03 when the shard was copied here anew, or has moved. */
export function viewOfHeld(host: FragmentHost, snapshots: HeldSnapshots, context: QuestionContext, { id, batchCount }: Pick<Extract<ViewQuestion, { readonly kind: 'snapshot' }>, 'id' | 'batchCount'>): OpenView {
  const { held, done } = snapshots.use(context, id)
  try {
    const { tree, shard, snapshot, overlay } = held
    if (host.replica(shard)?.tree !== tree) throw new LsmtError('57P03', `shard ${shard} is not read here any more as it was when the snapshot was taken`, { hint: 'run the statement, or the transaction, again' })
    if (overlay?.failure !== undefined) throw overlay.failure
    const applied = overlay?.batchCount ?? 0
    if (applied !== batchCount) throw new LsmtError('40001', `of what the transaction wrote to shard ${shard} ${applied} of ${batchCount} batches are here`, { hint: 'run the transaction again' })
    return { tree, shard, snapshot, done }
  } catch (error) {
    done()
    throw error
  }
}

export interface TakenSnapshot {
  readonly tree: Tree
  readonly snapshot: Snapshot
  /** Of the moment of the snapshot: a part that is seen a turn later is not in it. */
  readonly told: SnapshotAnswer
}

/** A snapshot that satisfies the level at the moment it is taken. 57P03 when there is no replica of the shard here, or it cannot satisfy it. */
export async function takeSnapshot(host: FragmentHost, { signal }: QuestionContext, shard: number, level: ReadLevel, minSequence: number): Promise<TakenSnapshot> {
  for (;;) {
    const replica = host.replica(shard)
    if (replica === undefined) throw new LsmtError('57P03', `there is no replica of shard ${shard} on this node`)
    const { deadlineMs } = await replica.read(level, minSequence)
    if (signal.aborted) throw signal.reason as LsmtError
    host.assertOpen()
    // The process may have stood still since; nothing comes between this look and the snapshot.
    if (deadlineMs > host.clock.monotonicMs()) {
      const { tree, replicated } = replica
      const snapshot = tree.snapshot()
      return { tree, snapshot, told: { sequence: snapshot.sequence, tablesSequence: replicated.tablesSequence, partsAfter: replicated.partsAfter, parts: replicated.visibleParts() } }
    }
  }
}

/** 40001 when the snapshot does not have the table: it was dropped or truncated, or is newer than the snapshot. */
export function tableIn({ snapshot }: Pick<OpenView, 'snapshot'>, tableId: number): RowLayout {
  const shape = shapeIn(snapshot, tableId)
  if (shape === undefined) throw new LsmtError('40001', `there is no table ${tableId} in the shard's snapshot: it was changed meanwhile`)
  return shape
}
