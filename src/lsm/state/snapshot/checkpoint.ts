/**
 * A checkpoint: all that is applied at one moment, in table files, and the manifest that names exactly these. The
 * memtable is frozen at that moment, so that its flush ends there and nowhere later; the files are pinned in the very
 * step in which that flush is published, before another one is.
 */
import type { TreeCheckpoint } from '../../tree.ts'
import { dropFile, refuseWhenClosed } from '../tree-state.ts'
import type { TreeState } from '../tree-state.ts'
import { releaseVersion, retainVersion } from '../version.ts'
import { freeze } from '../write-path.ts'

/** See `Tree.checkpoint`. Everything up to the freeze happens in the caller's step. */
export function takeCheckpoint(state: TreeState, flushSoon: () => void): Promise<TreeCheckpoint> {
  const sequence = state.visibleSequence
  return new Promise((resolve, reject) => {
    refuseWhenClosed(state)
    if (sequence <= state.manifest.flushedSequence) {
      resolve(pinned(state))
      return
    }
    if (state.failure !== undefined) throw state.failure
    freeze(state)
    state.waiters.push({ sequence, resolve: () => resolve(pinned(state)), reject })
    flushSoon()
  })
}

function pinned(state: TreeState): TreeCheckpoint {
  const version = retainVersion(state.view.version)
  let isReleased = false
  return {
    manifest: state.manifest,
    release() {
      if (isReleased) return
      isReleased = true
      releaseVersion(version, (file) => dropFile(state, file))
    },
  }
}
