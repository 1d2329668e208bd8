/** What an opening lists of a bucket, where a listing costs as much as a write: once for all shards, after the claim. */
import type { Storage } from '../../storage/storage.ts'
import { fileNumberOf, manifestFolder, manifestsFolder } from '../file-names.ts'
import { tableFileNumberOf, tableFilesFolder } from '../state/table-files.ts'

export interface ListedShard {
  /** Ascending. */
  readonly manifestIds: readonly number[]
  readonly tableFileNumbers: readonly number[]
}

export async function listShards(storage: Storage, shards: number): Promise<readonly ListedShard[]> {
  const [manifests, tables] = await Promise.all([storage.list(manifestsFolder), storage.list(tableFilesFolder)])
  const manifestNames = byShard(manifests.map(({ name }) => name))
  const tableNames = byShard(tables.map(({ name }) => name))
  return Array.from({ length: shards }, (_, shard) => ({
    manifestIds: (manifestNames.get(shard) ?? []).map((name) => fileNumberOf(name, manifestFolder(shard), 'manifest')).filter((id) => id !== undefined),
    tableFileNumbers: (tableNames.get(shard) ?? []).map((name) => tableFileNumberOf(name, shard)).filter((number) => number !== undefined),
  }))
}

function byShard(names: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>()
  for (const name of names) {
    const shard = Number(name.split('/')[1])
    const ofShard = found.get(shard)
    if (ofShard === undefined) found.set(shard, [name])
    else ofShard.push(name)
  }
  return found
}
