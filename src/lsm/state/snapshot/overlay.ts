/**
 * Overlays: a snapshot with a memtable of its holder's own in front, so that every way of reading sees the holder's
 * writes above what was there, and nobody else does. The memtable counts its operations by itself, from 1: they are
 * newer than anything below whatever their numbers are, and all of them are seen (see `Memtable.bound`).
 */
import { assignBaseSequence, viewOf as bytesOf } from '../../batch.ts'
import type { Overlay, Snapshot } from '../../tree.ts'
import { createOwnMemtable } from '../memtable.ts'
import { refuseWhenClosed } from '../tree-state.ts'
import type { TreeState } from '../tree-state.ts'
import { createView } from '../view.ts'
import { applyOperations } from '../write-path.ts'
import { TreeSnapshot, viewOf } from './tree-snapshot.ts'

/** Over a snapshot that is not released yet, and may be afterwards. */
export function openOverlay(state: TreeState, below: Snapshot): Overlay {
  refuseWhenClosed(state)
  const { kernel, memtableMemory } = state.options
  const { view: { memtables, version, shapes }, sequence } = viewOf(state, below)
  const memtable = createOwnMemtable(kernel, memtableMemory)
  const view = createView({ memtables: [memtable, ...memtables], version, shapes })
  // The view keeps it from here on.
  memtable.release()
  let nextSequence = 1
  return {
    snapshot: new TreeSnapshot(state, view, sequence),
    apply(batch) {
      refuseWhenClosed(state)
      assignBaseSequence(batch, nextSequence)
      applyOperations(state, memtable, batch)
      nextSequence += bytesOf(batch).getUint32(4, true)
    },
  }
}
