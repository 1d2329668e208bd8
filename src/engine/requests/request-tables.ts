/**
 * Where records of requests are kept: two tables that the catalog does not name. One takes new records; when it is full
 * or old enough, the other, whose records are all older, is emptied and takes over. So forgetting costs one range delete
 * for as many keys as are kept, and no list of keys is held in memory.
 *
 * A record stands in the shard of the first part of what it was written with, so that a statement of one shard stays
 * one: a key is looked for in all shards. Ids, columns and their order are part of the database's format.
 */
import type { TableSchema } from '../schema.ts'

export const requestTableIds = [2, 3] as const

export const requestColumn = { key: 0, sequence: 1, at: 2, fingerprint: 3, progress: 4, answer: 5 } as const

export const requestTables: readonly TableSchema[] = requestTableIds.map((tableId) => ({
  name: `requests ${tableId}`,
  tableId,
  columns: [
    { name: 'key', type: { kind: 'text' }, notNull: true },
    // Ascending over both tables: how many records a table has taken, and which one is the newer.
    { name: 'sequence', type: { kind: 'bigint' }, notNull: true },
    { name: 'at', type: { kind: 'timestamp' }, notNull: true },
    { name: 'fingerprint', type: { kind: 'bytea' }, notNull: true },
    { name: 'progress', type: { kind: 'bigint' }, notNull: true },
    { name: 'answer', type: { kind: 'text' }, notNull: true },
  ],
  primaryKey: [requestColumn.key],
  hiddenKey: false,
  onInsert: 'upsert',
}))
