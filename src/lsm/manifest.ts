/**
 * Manifests: the state of one shard's tree as numbered, whole, checksummed objects
 * `manifest/<shard>/<id, 20 digits>.manifest`, published by create-if-absent: id + 1 exists at most once, so a
 * writer that was overtaken cannot publish (it gets 'exists' and is fenced). The newest readable id is the state;
 * a newest manifest that fails its checksum is corruption, never silently skipped.
 *
 * File: magic "LSMTMAN1", u16 version, u16 checksum algorithm, u32 body bytes, u64 xxh64 of the body and the 16 bytes
 * before, then the body (UTF-8 JSON of `ManifestState`, keys as base64). Version 2 where a layout has `missing` values,
 * also as base64; 1 otherwise.
 */
import type { TableLayout } from './layout.ts'
import type { TableMeta } from './table/table.ts'

export interface ManifestState {
  readonly id: number
  readonly shard: number
  readonly writerEpoch: number
  /** Everything up to this sequence is in table files; the log is replayed after it. */
  readonly flushedSequence: number
  readonly nextFileNumber: number
  readonly layouts: readonly TableLayout[]
  /** Tables that were dropped and whose rows may still stand in logs; ids are never reused. */
  readonly maxTableId: number
  /** By table, its levels: level 0 is a list of overlapping runs, newest first; deeper levels are one sorted run each. */
  readonly tables: readonly { readonly tableId: number; readonly levels: readonly (readonly TableMeta[])[] }[]
}

/** Of a shard of which nothing was ever published. */
export const emptyManifest = (shard: number): ManifestState => ({ id: 0, shard, writerEpoch: 0, flushedSequence: 0, nextFileNumber: 1, layouts: [], maxTableId: 0, tables: [] })
