/**
 * How far the log goes when files have what it holds. It keeps the entry that ends where files do, whose epoch is asked
 * for; parts in files that may not be visible in their other shards yet, since a restart must know of them; and what
 * follows the files that somebody fetches.
 */
import { track } from '../state/tree-state.ts'
import type { ReplicaState } from './replica-state.ts'

/** What need not stay in the log goes, and what `readAfter` lacks is told. */
export function trimLog(replica: ReplicaState): void {
  const { tree, log, parts } = replica
  const { flushedSequence } = tree.manifest
  parts.flushed(flushedSequence)
  const unsettled = Math.min(...parts.visible().map(({ baseSequence }) => baseSequence))
  track(tree, log.truncateBelow(Math.min(flushedSequence, unsettled, heldSequence(replica)) - 1), 'deleting log segments')
  tellTrimmed(replica)
}

/** Told as late as can be: who lacks what was trimmed needs files. */
export function tellTrimmed(replica: ReplicaState): void {
  const { tree, window, options } = replica
  const sequence = Math.min(tree.manifest.flushedSequence, window.startSequence, heldSequence(replica))
  if (sequence <= replica.trimmedSequence) return
  replica.trimmedSequence = sequence
  options.onTrimmed?.(sequence)
}

function heldSequence({ holds }: ReplicaState): number {
  return Math.min(...[...holds].map(({ sequence }) => sequence))
}
