/** Names of table files. */
export const tableFolder = (shard: number): string => `sst/${shard}/`
export const tableFileName = (shard: number, fileNumber: number): string => `${tableFolder(shard)}${String(fileNumber).padStart(20, '0')}.sst`
