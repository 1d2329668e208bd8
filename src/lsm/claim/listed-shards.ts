/** What an opening lists of a bucket, where a listing costs as much as a write: once for all shards, after the claim. */
import type { Storage, StoredObject } from '../../storage/storage.ts'
import { fileNumberOf, manifestFolder, manifestsFolder } from '../file-names.ts'
import { lengthsOf, tableFilesFolder } from '../state/table-files.ts'
import type { TableFileLengths } from '../state/table-files.ts'

export interface ListedShard {
  /** Ascending. */
  readonly manifestIds: readonly number[]
  readonly tableFiles: TableFileLengths
}

export async function listShards(storage: Storage, shards: number): Promise<readonly ListedShard[]> {
  const [manifests, tables] = await Promise.all([storage.list(manifestsFolder), storage.list(tableFilesFolder)])
  const manifestsOf = byShard(manifests), tablesOf = byShard(tables)
  return Array.from({ length: shards }, (_, shard) => ({
    manifestIds: (manifestsOf.get(shard) ?? []).map(({ name }) => fileNumberOf(name, manifestFolder(shard), 'manifest')).filter((id) => id !== undefined),
    tableFiles: lengthsOf(tablesOf.get(shard) ?? [], shard),
  }))
}

function byShard(objects: readonly StoredObject[]): ReadonlyMap<number, readonly StoredObject[]> {
  const found = new Map<number, StoredObject[]>()
  for (const object of objects) {
    const shard = Number(object.name.split('/')[1])
    const ofShard = found.get(shard)
    if (ofShard === undefined) found.set(shard, [object])
    else ofShard.push(object)
  }
  return found
}
