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

/** A snapshot that is on another node: one of a shard's tree, or of what a transaction wrote above one. */
export interface RemoteLayer extends Snapshot {
  readonly node: string
  readonly id: number
  readonly remote: RemoteView
}

export interface RemoteSnapshot extends RemoteLayer, SnapshotAnswer {}

export function layerOf(snapshot: Snapshot): RemoteLayer {
  invariant('remote' in snapshot, 'a snapshot of a local tree is read on another node')
  return snapshot as RemoteLayer
}
