/** Snapshots of one tree: a pinned view and how far it is read. */
import type { RowLayout } from '../../keys/row-layout.ts'
import type { Snapshot } from '../../tree.ts'
import { dropFile } from '../tree-state.ts'
import type { TreeState } from '../tree-state.ts'
import { releaseView, retainView } from '../view.ts'
import type { View } from '../view.ts'

/** A class, since every statement makes one and prototype methods cost nothing to make. */
export class TreeSnapshot implements Snapshot {
  readonly sequence: number
  readonly view: View
  private readonly state: TreeState
  private isReleased = false

  /** Takes over one reference to `view`. */
  constructor(state: TreeState, view: View, sequence: number) {
    this.sequence = sequence
    this.view = view
    this.state = state
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    releaseView(this.view, (file) => dropFile(this.state, file))
  }
}

/** The tree as it is now. */
export function takeSnapshot(state: TreeState): TreeSnapshot {
  return new TreeSnapshot(state, retainView(state.view), state.visibleSequence)
}

/** What a read of `snapshot` looks at; without one, the newest state. */
export function viewOf(state: TreeState, snapshot: Snapshot | undefined): { readonly view: View; readonly sequence: number } {
  if (snapshot instanceof TreeSnapshot) return snapshot
  return { view: state.view, sequence: state.visibleSequence }
}

/** A table as a snapshot of a tree has it; undefined when it has none. */
export function shapeIn(snapshot: Snapshot, tableId: number): RowLayout | undefined {
  return snapshot instanceof TreeSnapshot ? snapshot.view.shapes.get(tableId) : undefined
}
