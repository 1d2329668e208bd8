/** Names of table files. */
export const tableFileName = (shard: number, fileNumber: number): string => `sst/${shard}/${String(fileNumber).padStart(20, '0')}.sst`
