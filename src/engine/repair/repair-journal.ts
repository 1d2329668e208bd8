/**
 * A journal that cannot be read whole, or goes on where a shard's own log does not, since that was cut. Every whole round
 * that is anywhere in it is looked at: what follows a shard's own log, record by record, is written there; the rest is
 * lost. Then the journal goes to the quarantine. One that is sound stays as it is: the next opening takes it over.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { createDiskRoom } from '../../lsm/disk-room.ts'
import { journalShard, logFolder } from '../../lsm/file-names.ts'
import { describeBatch } from '../../lsm/log/describe-segment.ts'
import { continuationOf, readJournal, recordsAfter } from '../../lsm/log/journal/read-journal.ts'
import type { JournalRecord } from '../../lsm/log/journal/read-journal.ts'
import { removeJournal } from '../../lsm/log/journal/remove-journal.ts'
import { readLog } from '../../lsm/log/log-reader.ts'
import { openLogWriter } from '../../lsm/log/log-writer.ts'
import type { Clock } from '../../runtime/clock.ts'
import { defaultTreeSettings } from '../../settings.ts'
import type { Storage } from '../../storage/storage.ts'
import { sumOperations } from './cut-log.ts'
import type { JournalLoss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'
import { wholeRounds } from './whole-rounds.ts'
import type { WholeRounds } from './whole-rounds.ts'

interface JournalRepairFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
}

/** A shard after its repair. */
export interface RepairedShard {
  readonly shard: number
  readonly flushedSequence: number
  readonly writerEpoch: number
}

/** After the shards' own logs were cut. Yields what is lost, once it is out of the way. */
export async function* repairJournal(floor: JournalRepairFloor, shards: readonly RepairedShard[]): AsyncGenerator<JournalLoss> {
  const { storage, kernel } = floor
  const wrong = await whatIsWrong(floor, shards)
  if (wrong === undefined) return
  const whole = await wholeRounds(storage, kernel)
  const lost: { readonly shard: number; readonly records: readonly JournalRecord[] }[] = []
  for (const shard of shards) {
    const last = await takeOver(floor, shard, whole)
    const records = (whole.records.get(shard.shard) ?? []).filter(({ lastSequence }) => lastSequence > last)
    if (records.length > 0) lost.push({ shard: shard.shard, records })
  }
  const quarantined: string[] = []
  for (const file of whole.files) quarantined.push(await copyToQuarantine(storage, file))
  await removeJournal(storage, whole.files, false)
  const all = lost.flatMap(({ records }) => records)
  yield {
    kind: 'journal', shard: undefined, file: wrong.evidence.file ?? logFolder(journalShard), reason: wrong.message, byteOffset: wrong.evidence.byteOffset ?? 0, quarantined,
    shards: lost.map(({ shard, records }) => ({ shard, firstSequence: records[0]!.baseSequence, lastSequence: records.at(-1)!.lastSequence })),
    records: all.length,
    operations: sumOperations(all.map(({ payload }) => describeBatch(payload))),
  }
}

/** Why the next opening could not take the journal over. */
async function whatIsWrong({ storage, kernel }: JournalRepairFloor, shards: readonly RepairedShard[]): Promise<LsmtError | undefined> {
  try {
    const found = await readJournal({ storage, kernel }, shards.length)
    for (const { shard, flushedSequence } of shards) {
      const { lastSequence } = await readLog({ storage, kernel, shard, afterSequence: flushedSequence })
      recordsAfter(found, shard, Math.max(lastSequence, flushedSequence))
    }
    return undefined
  } catch (error) {
    if (error instanceof LsmtError && error.code === 'XX001') return error
    throw error
  }
}

/** Writes what follows a shard's own log there; returns where that ends then. */
async function takeOver({ storage, kernel, clock }: JournalRepairFloor, { shard, flushedSequence, writerEpoch }: RepairedShard, whole: WholeRounds): Promise<number> {
  const log = await readLog({ storage, kernel, shard, afterSequence: flushedSequence })
  const end = Math.max(log.lastSequence, flushedSequence)
  const { records } = continuationOf(whole, shard, end)
  if (records.length === 0) return end
  const room = createDiskRoom(storage, clock)
  const writer = await openLogWriter({
    storage, kernel, shard, clock, room, settings: defaultTreeSettings, durability: 'sync', syncIntervalMs: 1,
    firstSegmentNumber: log.lastSegmentNumber + 1, writerEpoch: Math.max(writerEpoch, log.files.at(-1)?.writerEpoch ?? 0), baseSequence: end,
  })
  try {
    await Promise.all(records.map(({ baseSequence, payload }) => writer.append(baseSequence, payload)))
  } finally {
    room.close()
    await writer.close()
  }
  return records.at(-1)!.lastSequence
}
