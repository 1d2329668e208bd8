/** What reads of a shard on another node look at: a snapshot that was taken there, what a transaction wrote above one, or its newest state. */
import { invariant } from '../../../errors.ts'
import type { Snapshot } from '../../../lsm/tree.ts'
import type { SnapshotAnswer, ViewQuestion } from '../wire/questions.ts'
import type { AskedTable } from './asked-table.ts'

export interface RemoteView {
  /** Who is asked. 08006 when nobody is known. */
  node(): string
  /** Throws what became of it when it cannot be read any more. */
  question(): ViewQuestion
  /** Waits until all that it is to have was sent; undefined: it was. */
  ready(): Promise<void> | undefined
  /** By table. */
  readonly tables: Map<number, AskedTable>
}

/** A snapshot of a shard's tree on another node. */
export interface RemoteSnapshot extends Snapshot, SnapshotAnswer {
  /** Where it was taken, and stays. */
  readonly node: string
  readonly remote: RemoteView
}

/** Of what a transaction wrote: it has no more to tell than where it stands. */
export type RemoteLayer = Pick<RemoteSnapshot, 'sequence' | 'release' | 'node' | 'remote'> & { readonly id: number }

export function layerOf(snapshot: Snapshot): RemoteLayer {
  invariant('remote' in snapshot, 'a snapshot of a local tree is read on another node')
  return snapshot as RemoteLayer
}
