/** The logs of several shards over one storage, with the journal that they share. */
import { createDiskRoom } from '../../../../src/lsm/disk-room.ts'
import { openJournalledLogs } from '../../../../src/lsm/log/journal/journalled-logs.ts'
import type { JournalledLogs } from '../../../../src/lsm/log/journal/journalled-logs.ts'
import { roundsBeforeMade } from '../../../../src/lsm/log/journal/commit-journal.ts'
import type { FoundLog } from '../../../../src/lsm/log/log-source.ts'
import type { Log, LogRecord } from '../../../../src/lsm/log/log.ts'
import { createLogRounds } from '../../../../src/lsm/log/rounds/log-rounds.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import type { Clock } from '../../../../src/runtime/clock.ts'
import type { Durability } from '../../../../src/settings.ts'
import type { Storage } from '../../../../src/storage/storage.ts'
import { batchOf, kernel } from '../log-fixture.ts'

export interface LogsOptions {
  readonly shards?: number
  readonly durability?: Durability
  readonly journalSegmentBytes?: number
  readonly logSegmentBytes?: number
  readonly writerEpoch?: number
  /** By shard: what table files hold. */
  readonly flushed?: readonly number[]
  readonly clock?: Clock
}

export interface OpenLogs {
  readonly logs: readonly Log[]
  readonly journal: JournalledLogs
  readonly room: ReturnType<typeof createDiskRoom>
  /** By shard: the sequence that the next record takes. */
  readonly next: number[]
  /** One record for each shard named, all in one round. */
  round(shards: readonly number[], bodyBytes?: number): Promise<void>
  close(): Promise<void>
}

/** Sequences of what an opening finds, by shard. */
export type FoundSequences = readonly (readonly number[])[]

function place(storage: Storage, options: LogsOptions) {
  const { shards = 4, durability = 'sync', journalSegmentBytes = 64 * 1024, logSegmentBytes = 64 * 1024, clock = systemClock } = options
  const room = createDiskRoom(storage, clock)
  const rounds = createLogRounds()
  const floor = { storage, kernel, clock, room, rounds }
  return {
    shards, room, rounds,
    journal: openJournalledLogs({ ...floor, shards, segmentBytesMax: journalSegmentBytes, isUsed: durability === 'sync' }),
    logOptions: (shard: number) => ({ ...floor, shard, settings: { logSegmentBytes }, durability, syncIntervalMs: 5 }),
  }
}

async function findLogs(journal: JournalledLogs, { logOptions, shards }: Pick<ReturnType<typeof place>, 'logOptions' | 'shards'>, { flushed = [] }: LogsOptions): Promise<readonly FoundLog[]> {
  return await Promise.all(Array.from({ length: shards }, (_, shard) => journal.source(logOptions(shard)).read(flushed[shard] ?? 0)))
}

/** What an opening would find; changes nothing, but makes it durable. */
export async function findRecords(storage: Storage, options: LogsOptions = {}): Promise<readonly (readonly LogRecord[])[]> {
  const at = place(storage, options)
  const found = await findLogs(await at.journal, at, options)
  at.room.close()
  return await Promise.all(found.map(recordsOf))
}

export async function recordsOf(found: FoundLog): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = []
  for await (const record of found.records()) all.push(record)
  return all
}

export const sequencesByShard = (records: readonly (readonly LogRecord[])[]): FoundSequences => records.map((each) => each.map(({ baseSequence }) => baseSequence))

export async function openLogs(storage: Storage, options: LogsOptions = {}): Promise<OpenLogs> {
  const at = place(storage, options)
  const journal = await at.journal
  const found = await findLogs(journal, at, options)
  const logs: Log[] = []
  const next = found.map(({ lastSequence }, shard) => Math.max(lastSequence, options.flushed?.[shard] ?? 0) + 1)
  const close = async (): Promise<void> => {
    at.room.close()
    const outcomes = await Promise.allSettled(logs.map((log) => log.close()))
    await journal.close()
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }
  try {
    for (const [shard, each] of found.entries()) logs.push(await each.openWriter(options.writerEpoch ?? 1, next[shard]! - 1))
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
  const append = (shard: number, bodyBytes?: number): Promise<void> => {
    const sequence = next[shard]!++
    return logs[shard]!.append(sequence, batchOf(sequence, 1, bodyBytes))
  }
  return {
    logs, journal, room: at.room, next, close,
    round: async (shards, bodyBytes) => void (await Promise.all(shards.map((shard) => append(shard, bodyBytes)))),
  }
}

export const allShards = [0, 1, 2, 3]

/** Rounds until the journal takes them. */
export async function untilUsed(opened: OpenLogs): Promise<void> {
  for (let rounds = 0; opened.journal.counts.rounds === 0; rounds++) {
    if (rounds > 32 * roundsBeforeMade) throw new Error(`no journal after ${rounds} rounds`)
    await opened.round(allShards)
  }
}

export const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
