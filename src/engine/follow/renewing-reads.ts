/**
 * Reads of snapshots that may be lost while they are read: files that a writer elsewhere has replaced, a node that is gone.
 * As long as a snapshot has given nothing, a newer one takes its place and the read begins anew.
 */
import type { LsmtError } from '../../errors.ts'
import type { EngineSnapshot } from '../engine.ts'
import type { EngineReads } from '../session/reads.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'

export interface RenewableSnapshot extends ShardSnapshot {
  /** Reads under way. */
  reading: number
  /** Somebody knows something of it, so that it must stay as it is. */
  isUsed: boolean
  /** Takes what is visible now. */
  renew(): void
}

export interface Renewing {
  /** Resolves when what is visible is as new as can be. */
  refresh(): Promise<void>
  /** Whether it tells that the snapshot can be read no more. */
  isLost(error: unknown): error is LsmtError
  /** The same, where the snapshot cannot be renewed. */
  lost(cause: LsmtError): LsmtError
}

/** A newer one may be lost as well by the time it is read. */
const renewalsMax = 5

export function renewingReads(reads: EngineReads, renewing: Renewing): EngineReads {
  /** What is in memory is answered in this step. */
  function readAtOnce<T>(given: EngineSnapshot | undefined, read: () => T | Promise<T>): T | Promise<T> {
    const found = read()
    if (!(found instanceof Promise)) {
      if (given !== undefined && 'isUsed' in given) given.isUsed = true
      return found
    }
    let first: typeof found | undefined = found
    return readRenewing(renewing, given, () => {
      const again = first ?? read()
      first = undefined
      return again
    })
  }
  return {
    snapshot: reads.snapshot,
    get: (given, ...rest) => readAtOnce(given, () => reads.get(given, ...rest)),
    rowsByKey(...table) {
      const rows = reads.rowsByKey(...table)
      return { get: (given, ...rest) => readAtOnce(given, () => rows.get(given, ...rest)) }
    },
    getMany: (given, ...rest) => readAtOnce(given, () => reads.getMany(given, ...rest)),
    scan: (given, ...rest) => scanRenewing(renewing, given, () => reads.scan(given, ...rest)),
    scanColumns: (given, ...rest) => scanRenewing(renewing, given, () => reads.scanColumns(given, ...rest)),
    // What is found lost after its first rows cannot begin anew.
    walk: () => undefined,
    aggregate: (given, ...rest) => readRenewing(renewing, given, () => reads.aggregate(given, ...rest)),
    groupedAggregate: (given, ...rest) => scanRenewing(renewing, given, () => reads.groupedAggregate(given, ...rest)),
    topRows: (given, ...rest) => readRenewing(renewing, given, () => reads.topRows(given, ...rest)),
  }
}

/** Runs a read that gives all or nothing. `lost` when its snapshot can be read no more, and others know of it. */
async function readRenewing<T>(renewing: Renewing, given: EngineSnapshot | undefined, read: () => T | Promise<T>): Promise<T> {
  const snapshot = renewable(given)
  if (snapshot !== undefined) snapshot.reading++
  try {
    for (let renewals = 0; ; renewals++) {
      try {
        const outcome = await read()
        if (snapshot !== undefined) snapshot.isUsed = true
        return outcome
      } catch (error) {
        await renewAfter(error, renewing, snapshot, given !== undefined && snapshot === undefined, renewals)
      }
    }
  } finally {
    if (snapshot !== undefined) snapshot.reading--
  }
}

/** The same of a read that gives batches: it begins anew until it has given one. */
async function* scanRenewing<T>(renewing: Renewing, given: EngineSnapshot, scan: () => AsyncIterable<T>): AsyncGenerator<T> {
  const snapshot = renewable(given)
  if (snapshot !== undefined) snapshot.reading++
  let hasGiven = false
  try {
    for (let renewals = 0; ; renewals++) {
      try {
        for await (const batch of scan()) {
          hasGiven = true
          if (snapshot !== undefined) snapshot.isUsed = true
          yield batch
        }
        if (snapshot !== undefined) snapshot.isUsed = true
        return
      } catch (error) {
        await renewAfter(error, renewing, snapshot, hasGiven || snapshot === undefined, renewals)
      }
    }
  } finally {
    if (snapshot !== undefined) snapshot.reading--
  }
}

/** Those of transactions keep a memtable of their own above what they have read. */
function renewable(given: EngineSnapshot | undefined): RenewableSnapshot | undefined {
  return given !== undefined && 'renew' in given ? (given as RenewableSnapshot) : undefined
}

/** Raises what cannot be healed by a newer snapshot. */
async function renewAfter(error: unknown, { refresh, isLost, lost }: Renewing, snapshot: RenewableSnapshot | undefined, mustStay: boolean, renewals: number): Promise<void> {
  if (!isLost(error)) throw error
  if (mustStay || snapshot?.isUsed === true || (snapshot?.reading ?? 0) > 1 || renewals === renewalsMax) throw lost(error)
  await refresh().catch((cause: unknown) => {
    // The writer is quicker than the looks.
    throw isLost(cause) ? lost(cause) : cause
  })
  snapshot?.renew()
}
