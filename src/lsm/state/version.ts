/**
 * Versions: immutable lists of a tree's table files (after LevelDB's versions and version edits). Level 0 of a table is
 * a list of overlapping runs, newest first; every deeper level is one run of files in key order, disjoint but that one
 * file's largest boundary may be the next one's first key. Runs are strictly ordered by age, level by level.
 *
 * A file is open while some version names it. When the last such version goes, its reader is closed, and since a newer
 * version exists that does not name it, the object is deleted.
 */
import { invariant } from '../../errors.ts'
import type { AggregateFunction, AggregatePartial } from '../groups/aggregate-request.ts'
import { compareBytes, keyHead } from '../keys/key-bytes.ts'
import type { ManifestState } from '../manifest.ts'
import type { TableMeta, TableReader } from '../table/table.ts'

/** What a column's values in all live rows of a file come to; undefined what its zone maps do not tell. */
export type ColumnTotals = Readonly<Record<AggregateFunction, AggregatePartial | undefined>>

/** An open table file and how many versions name it. */
export interface TableFile {
  readonly meta: TableMeta
  readonly reader: TableReader
  /** `keyHead` of the smallest and the largest key. */
  readonly minHead: number
  readonly maxHead: number
  /** By ordinal, of columns that were asked for; 'absent' in a file older than the column. */
  readonly totals: Map<number, ColumnTotals | 'absent'>
  versions: number
}

export type Levels = readonly (readonly TableFile[])[]

export interface Version {
  /** By table id. */
  readonly tables: ReadonlyMap<number, Levels>
  /** Those that have range tombstones, which a read must know before it looks at older ones. */
  readonly withRangeTombstones: readonly TableFile[]
  /** Most level 0 runs of any table: every write asks. */
  readonly level0Runs: number
  references: number
}

export interface VersionEdit {
  readonly added: readonly { readonly level: number; readonly file: TableFile }[]
  /** File numbers. */
  readonly removed: ReadonlySet<number>
  readonly droppedTables: ReadonlySet<number>
}

export const noTables: ReadonlySet<number> = new Set()

export function tableFile(reader: TableReader): TableFile {
  const { meta } = reader
  return { meta, reader, minHead: keyHead(meta.minKey), maxHead: keyHead(meta.maxKey), totals: new Map(), versions: 0 }
}

/** A version with one reference, the caller's. */
export function createVersion(tables: ReadonlyMap<number, Levels>): Version {
  const all = [...tables.values()]
  const files = all.flat(2)
  for (const file of files) file.versions++
  return { tables, withRangeTombstones: files.filter(({ meta }) => meta.rangeTombstoneCount > 0), level0Runs: Math.max(0, ...all.map((levels) => levels[0]?.length ?? 0)), references: 1 }
}

export function retainVersion(version: Version): Version {
  invariant(version.references > 0, 'a dropped version is retained')
  version.references++
  return version
}

/** Lets go of a version; `unused` gets the files that no version names any more. */
export function releaseVersion(version: Version, unused: (file: TableFile) => void): void {
  invariant(version.references > 0, 'a dropped version is released')
  if (--version.references > 0) return
  for (const file of filesOf(version)) if (--file.versions === 0) unused(file)
}

export function* filesOf(version: Version): Generator<TableFile> {
  for (const levels of version.tables.values()) for (const level of levels) yield* level
}

export function editTables({ tables }: Version, edit: VersionEdit): ReadonlyMap<number, Levels> {
  const edited = new Map<number, Levels>()
  for (const [tableId, levels] of tables) {
    if (edit.droppedTables.has(tableId)) continue
    edited.set(tableId, levels.map((files) => files.filter(({ meta }) => !edit.removed.has(meta.fileNumber))))
  }
  for (const { level, file } of edit.added) {
    if (!edit.droppedTables.has(file.meta.tableId)) edited.set(file.meta.tableId, addFile(edited.get(file.meta.tableId) ?? [], level, file))
  }
  for (const [tableId, levels] of edited) if (levels.every((files) => files.length === 0)) edited.delete(tableId)
  return edited
}

function addFile(levels: Levels, level: number, file: TableFile): Levels {
  const grown = Array.from({ length: Math.max(levels.length, level + 1) }, (_, i) => levels[i] ?? [])
  grown[level] = level === 0 ? [file, ...grown[0]!] : [...grown[level]!, file].sort((a, b) => compareBytes(a.meta.minKey, b.meta.minKey) || compareBytes(a.meta.maxKey, b.meta.maxKey))
  return grown
}

export function manifestTables(tables: ReadonlyMap<number, Levels>): ManifestState['tables'] {
  return [...tables].map(([tableId, levels]) => ({ tableId, levels: levels.map((files) => files.map(({ meta }) => meta)) }))
}
