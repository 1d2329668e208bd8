/** Table files by name, for finding the ones that no manifest names. */
import { tableFileName } from '../table/table-file-name.ts'

/** Of all shards. */
export const tableFilesFolder = tableFileName(0, 0).replace(/[^/]+\/[^/]+$/, '')
export const tableFileFolder = (shard: number): string => tableFileName(shard, 0).replace(/[^/]+$/, '')

/** The number in a table file's name; undefined for other files. */
export function tableFileNumberOf(name: string, shard: number): number | undefined {
  const fileNumber = Number(/(\d{20})\.sst$/.exec(name)?.[1])
  return name === tableFileName(shard, fileNumber) ? fileNumber : undefined
}
