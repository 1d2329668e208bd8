/**
 * What transactions on other nodes write: batches above a snapshot that they have here. They come in their order; where
 * one fails, or is missing, nothing is read of that transaction any more.
 */
import { LsmtError } from '../../../errors.ts'
import type { QuestionContext } from '../../transport/call/services.ts'
import { readOverlayQuestion } from '../wire/questions.ts'
import type { OverlayQuestion } from '../wire/questions.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { checkBatch } from './check-batch.ts'
import type { FragmentHost } from './fragment-host.ts'
import type { HeldSnapshot, HeldSnapshots } from './held-snapshots.ts'
import { viewOfHeld } from './open-view.ts'

/** All of it in one step, so that what is asked after it finds it applied. */
export function applyOverlay(host: FragmentHost, snapshots: HeldSnapshots, body: Uint8Array, context: QuestionContext): void {
  const question = readOverlayQuestion(createByteReader(body, 'a batch of a transaction'))
  if (question.batchesBefore === 0) openOverlay(host, snapshots, context, question)
  const { held, done } = snapshots.use(context, question.id)
  try {
    apply(host, held, question)
  } finally {
    done()
  }
}

function openOverlay(host: FragmentHost, snapshots: HeldSnapshots, context: QuestionContext, { id, belowId }: OverlayQuestion): void {
  host.assertOpen()
  const { tree, shard, snapshot, done } = viewOfHeld(host, snapshots, context, { id: belowId, batchCount: 0 })
  try {
    const overlay = tree.overlay(snapshot)
    snapshots.hold(context, id, { shard, tree, snapshot: overlay.snapshot, overlay: { overlay, batchCount: 0, failure: undefined } })
  } finally {
    done()
  }
}

function apply({ kernel }: FragmentHost, { snapshot, overlay }: HeldSnapshot, { id, batchesBefore, batch }: OverlayQuestion): void {
  if (overlay === undefined) throw new LsmtError('08P01', `a batch of a transaction for snapshot ${id}, above which nothing is written`)
  if (overlay.failure !== undefined) throw overlay.failure
  try {
    if (overlay.batchCount !== batchesBefore) throw new LsmtError('40001', `a transaction's batch ${batchesBefore + 1} came after ${overlay.batchCount} of them`)
    checkBatch(kernel, snapshot, batch)
    overlay.overlay.apply(batch)
    overlay.batchCount++
  } catch (error) {
    if (error instanceof LsmtError) overlay.failure = error
    throw error
  }
}
