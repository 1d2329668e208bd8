/** Where a level keeps its entries: one table of a database, keys and values as bytes. */
import { defineTable } from '../engine/keyed/define-table.ts'
import type { KeyedTable } from '../engine/keyed/kv-table.ts'
import type { ReadSnapshot } from '../engine/keyed/read-snapshot.ts'

export interface LevelStore {
  readonly table: KeyedTable
  snapshot(): ReadSnapshot
  /** Closes what was opened for this level alone. */
  close(): Promise<void>
}

export interface LevelOpenOptions {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
}

/** Opens the store of a level; the composition root knows how. */
export type OpenLevelStore = (options: LevelOpenOptions) => Promise<LevelStore>

/** `CREATE TABLE … (key BYTEA PRIMARY KEY, value BYTEA NOT NULL) WITH (insert = 'upsert')`. */
export function levelTable(name: string) {
  return defineTable(name, { key: 'bytea', value: 'bytea' }, { key: 'key', onInsert: 'upsert' })
}
