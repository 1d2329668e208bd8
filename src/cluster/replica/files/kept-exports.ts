/**
 * Exports of files, held until whoever took them goes on from the log. Were the log trimmed in between, it would have to
 * take files again, and again.
 */
import type { ExportedFiles, ReplicatedTree } from '../../../lsm/replicated/replicated-tree.ts'
import type { ReplicaState } from '../../replication/state/replica-state.ts'
import { sendFiles } from './send-files.ts'

export interface KeptExports {
  /** For the replica with the store that asks. */
  stream(replicated: ReplicatedTree, forStore: string): AsyncGenerator<Uint8Array, void, void>
  /** At every tick. */
  tend(state: ReplicaState, nowMs: number): void
  releaseAll(): void
}

interface Kept {
  readonly exported: ExportedFiles
  readonly forStore: string
  /** When the last byte was taken. */
  endedAtMs: number
}

export function createKeptExports(clock: { monotonicMs(): number }, keptMsMax: number): KeptExports {
  const kept = new Set<Kept>()

  function release(one: Kept): void {
    if (kept.delete(one)) one.exported.release()
  }

  return {
    async *stream(replicated, forStore) {
      const one: Kept = { exported: await replicated.exportFiles(), forStore, endedAtMs: Infinity }
      kept.add(one)
      let isTaken = false
      try {
        yield* sendFiles(one.exported)
        isTaken = true
      } finally {
        one.endedAtMs = clock.monotonicMs()
        if (!isTaken) release(one)
      }
    },
    tend({ role }, nowMs) {
      for (const one of kept) {
        const peer = role.kind === 'leader' ? role.peers.find(({ id }) => id.store === one.forStore) : undefined
        const isBehindIt = peer !== undefined && peer.isMatched && peer.matchSequence >= one.exported.through.sequence
        if (one.endedAtMs !== Infinity && (peer === undefined || isBehindIt || nowMs - one.endedAtMs >= keptMsMax)) release(one)
      }
    },
    releaseAll() {
      for (const one of kept) release(one)
    },
  }
}
