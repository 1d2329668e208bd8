import type { DatabaseRequest } from '../../engine/open-database.ts'
import type { CommitKind } from '../../http/format/result-format.ts'
import type { Durability } from '../../settings.ts'

/** What an answer tells of where a write is: `local` when it is on this machine's disk alone, though the database is in a bucket. */
export function commitOf(durability: Durability, { logDirectory }: Pick<DatabaseRequest, 'logDirectory'>): CommitKind {
  return { durability: logDirectory !== undefined && durability === 'sync' ? 'local' : durability, copies: 1 }
}
