/**
 * What a store has on its disk of one shard, and getting rid of it. A deletion that has begun is said first, under
 * `dropping/<shard>`, and ended before the shard is opened again: nobody takes half of a copy for one.
 */
import { logFolder, manifestFolder, replicaFolder } from '../../../lsm/file-names.ts'
import { tableFolder } from '../../../lsm/table/table-file-name.ts'
import type { Storage } from '../../../storage/storage.ts'

const droppingName = (shard: number): string => `dropping/${shard}`
/** Of what all of it is in. The epochs that were promised are the last to go. */
const foldersOf = (shard: number): readonly string[] => [tableFolder(shard), manifestFolder(shard), logFolder(shard), replicaFolder(shard)]

export async function hasShardData(storage: Storage, shard: number): Promise<boolean> {
  if (await isDropping(storage, shard)) return true
  for (const folder of foldersOf(shard)) if ((await storage.list(folder)).length > 0) return true
  return false
}

const isDropping = async (storage: Storage, shard: number): Promise<boolean> => (await storage.list(droppingName(shard))).some(({ name }) => name === droppingName(shard))

/** Only when it is certain that nobody counts on it. */
export async function dropShardData(storage: Storage, shard: number): Promise<void> {
  await storage.createIfAbsent(droppingName(shard), [])
  await endDropping(storage, shard)
}

/** Ends a deletion that was begun, if one was. Before the shard is opened. */
export async function endDropping(storage: Storage, shard: number): Promise<void> {
  if (!(await isDropping(storage, shard))) return
  for (const folder of foldersOf(shard)) for (const { name } of await storage.list(folder)) await storage.delete(name)
  await storage.delete(droppingName(shard))
}
