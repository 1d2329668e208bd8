/** Table files by name, for finding the ones that no manifest names. */
import type { Storage } from '../../storage/storage.ts'
import { tableFileName } from '../table/table-file-name.ts'

/** Of all shards. */
export const tableFilesFolder = tableFileName(0, 0).replace(/[^/]+\/[^/]+$/, '')
export const tableFileFolder = (shard: number): string => tableFileName(shard, 0).replace(/[^/]+$/, '')

/** Of the table files that are there. */
export async function tableFileNumbers(storage: Storage, shard: number): Promise<readonly number[]> {
  return (await storage.list(tableFileFolder(shard))).map(({ name }) => tableFileNumberOf(name, shard)).filter((number) => number !== undefined)
}

/** The number in a table file's name; undefined for other files. */
export function tableFileNumberOf(name: string, shard: number): number | undefined {
  const fileNumber = Number(/(\d{20})\.sst$/.exec(name)?.[1])
  return name === tableFileName(shard, fileNumber) ? fileNumber : undefined
}
