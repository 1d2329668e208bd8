/** Snapshots of one tree: a pinned view and how far it is read. */
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
