/** Counters of a storage, all zero at its start. */
import type { DiskCacheCounts, RequestCounts, Storage, StorageCounts } from './storage.ts'

export function zeroCounts(): StorageCounts {
  return { creates: 0, appends: 0, syncs: 0, reads: 0, bytesRead: 0, bytesWritten: 0, lists: 0, deletes: 0 }
}

export function zeroRequestCounts(): RequestCounts {
  return { puts: 0, gets: 0, deletes: 0, failures: 0, bytesSent: 0, bytesReceived: 0 }
}

export function sumOfCounts(counts: readonly Readonly<StorageCounts>[]): StorageCounts {
  const total = zeroCounts()
  for (const each of counts) for (const name of Object.keys(total) as (keyof StorageCounts)[]) total[name] += each[name]
  return total
}

/** What a store asks for a thousand requests, in USD. */
export interface RequestPrices {
  /** For those that create or list. */
  readonly usdPer1000Puts: number
  /** For those that read. */
  readonly usdPer1000Gets: number
}

/** In USD, of requests that are not counted as they are billed: large objects take several to create, and failed ones are paid for too. */
const costOf = ({ creates, lists, reads }: Readonly<StorageCounts>, prices: RequestPrices): number => costOfRequests({ puts: creates + lists, gets: reads }, prices)

/** Deleting costs nothing. */
const costOfRequests = ({ puts, gets }: Pick<RequestCounts, 'puts' | 'gets'>, { usdPer1000Puts, usdPer1000Gets }: RequestPrices): number => (puts * usdPer1000Puts + gets * usdPer1000Gets) / 1000

/** What was asked of storage since the database was opened, by this thread and the workers. */
export interface StorageUse {
  readonly counts: Readonly<StorageCounts>
  /** What that costs in USD by the prices set; 0 where requests cost nothing. */
  readonly estimatedUsd: number
  /** Of a request that reads. */
  readonly usdPerRead: number
  /** Of the cache on disk, where there is one. */
  readonly diskCache?: Readonly<DiskCacheCounts> | undefined
}

/** Of a storage, and what workers asked of it through handles of their own. Requests to a disk cost nothing. */
export function useOf({ appends, counts: own, requests, diskCache }: Pick<Storage, 'appends' | 'counts' | 'requests' | 'diskCache'>, prices: RequestPrices, ofWorkers: Readonly<StorageCounts> = zeroCounts()): StorageUse {
  const counts = sumOfCounts([own, ofWorkers])
  if (appends) return { counts, estimatedUsd: 0, usdPerRead: 0, diskCache }
  const ownUsd = requests === undefined ? costOf(own, prices) : costOfRequests(requests, prices)
  return { counts, estimatedUsd: ownUsd + costOf(ofWorkers, prices), usdPerRead: prices.usdPer1000Gets / 1000, diskCache }
}

export function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
