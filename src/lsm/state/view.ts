/**
 * Views: what a read sees of a tree at one moment, as one immutable value: the memtables, newest first, the version of
 * the table files and the layouts. Writers replace the tree's view; a reader keeps the one it pinned for its whole
 * life (after the super versions of RocksDB). The active memtable still grows below a view: reads bound it by sequence.
 */
import { invariant } from '../../errors.ts'
import type { Memtable } from './memtable.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import { releaseVersion, retainVersion } from './version.ts'
import type { TableFile, Version } from './version.ts'

export interface View {
  /** Newest first; the first one is being written (in an overlay, by its holder). */
  readonly memtables: readonly Memtable[]
  readonly version: Version
  /** By table id. */
  readonly shapes: ReadonlyMap<number, RowLayout>
  references: number
}

/** A view with one reference, the caller's, which keeps references of its own to what it holds. */
export function createView(parts: Pick<View, 'memtables' | 'version' | 'shapes'>): View {
  for (const memtable of parts.memtables) memtable.retain()
  retainVersion(parts.version)
  return { memtables: parts.memtables, version: parts.version, shapes: parts.shapes, references: 1 }
}

export function retainView(view: View): View {
  invariant(view.references > 0, 'a dropped view is retained')
  view.references++
  return view
}

export function releaseView(view: View, unused: (file: TableFile) => void): void {
  invariant(view.references > 0, 'a dropped view is released')
  if (--view.references > 0) return
  for (const memtable of view.memtables) memtable.release()
  releaseVersion(view.version, unused)
}
