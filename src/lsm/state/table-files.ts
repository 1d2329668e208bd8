/** Table files by name, for finding the ones that no manifest names. */
import type { Storage, StoredObject } from '../../storage/storage.ts'
import { tableFileName } from '../table/table-file-name.ts'

/** Of all shards. */
export const tableFilesFolder = tableFileName(0, 0).replace(/[^/]+\/[^/]+$/, '')
export const tableFileFolder = (shard: number): string => tableFileName(shard, 0).replace(/[^/]+$/, '')

/** By number. */
export type TableFileLengths = ReadonlyMap<number, number>

/** Of the table files that are there. */
export async function tableFileLengths(storage: Storage, shard: number): Promise<TableFileLengths> {
  return lengthsOf(await storage.list(tableFileFolder(shard)), shard)
}

/** Of those among objects that were listed. */
export function lengthsOf(listed: readonly StoredObject[], shard: number): TableFileLengths {
  const lengths = new Map<number, number>()
  for (const { name, byteLength } of listed) {
    const fileNumber = tableFileNumberOf(name, shard)
    if (fileNumber !== undefined) lengths.set(fileNumber, byteLength)
  }
  return lengths
}

/** The number in a table file's name; undefined for other files. */
export function tableFileNumberOf(name: string, shard: number): number | undefined {
  const fileNumber = Number(/(\d{20})\.sst$/.exec(name)?.[1])
  return name === tableFileName(shard, fileNumber) ? fileNumber : undefined
}
