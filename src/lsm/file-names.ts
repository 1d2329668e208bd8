/** Names of the log's and the manifests' files; numbers have 20 digits, so that byte order is numeric order. */

const digits = (number: number): string => String(number).padStart(20, '0')

/** In the place of a shard's number: of the journal that the logs of all shards share. Never change it: headers of segments have it. */
export const journalShard = 0xffff_ffff
export const logFolder = (shard: number): string => (shard === journalShard ? 'wal/journal/' : `wal/${shard}/`)
export const logFileName = (shard: number, segmentNumber: number): string => `${logFolder(shard)}${digits(segmentNumber)}.wal`
/** Of a log that is a stream of objects; the folders of shards have numbers without leading zeros. */
export const streamFolder = (stream: number): string => `wal/${digits(stream)}/`
export const streamObjectName = (stream: number, id: number): string => `${streamFolder(stream)}${digits(id)}.wal`
export const claimFolder = 'writer/'
export const claimFileName = (epoch: number): string => `${claimFolder}${digits(epoch)}.claim`
export const releasedFileName = (epoch: number): string => `${claimFolder}${digits(epoch)}.released`
export const endedFileName = (epoch: number): string => `${claimFolder}${digits(epoch)}.ended`
/** Of all shards. */
export const replicasFolder = 'replica/'
export const replicaFolder = (shard: number): string => `${replicasFolder}${shard}/`
export const replicaRecordName = (shard: number, number: number): string => `${replicaFolder(shard)}${digits(number)}.replica`
/** Of all shards. */
export const manifestsFolder = 'manifest/'
export const manifestFolder = (shard: number): string => `${manifestsFolder}${shard}/`
export const manifestFileName = (shard: number, id: number): string => `${manifestFolder(shard)}${digits(id)}.manifest`

/** The number in a file name of the given folder and extension; undefined for files that are not of its kind. */
export function fileNumberOf(name: string, folder: string, extension: 'wal' | 'manifest' | 'claim' | 'replica'): number | undefined {
  const match = /^(\d{20})\.([a-z]+)$/.exec(name.startsWith(folder) ? name.slice(folder.length) : '')
  const number = match?.[2] === extension ? Number(match[1]) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}
