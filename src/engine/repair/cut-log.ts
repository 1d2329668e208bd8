/**
 * Cuts a shard's log where it cannot be read: the records before the damage stay, as a segment of their own; the damaged
 * segment and those behind it go to the quarantine. What they held of statements over several shards is aborted in the
 * others by the next opening, as after a crash.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { fileNumberOf, logFileName, logFolder } from '../../lsm/file-names.ts'
import { describeSegment } from '../../lsm/log/describe-segment.ts'
import type { RecordDescription } from '../../lsm/log/describe-segment.ts'
import { continuationOf } from '../../lsm/log/journal/read-journal.ts'
import { readLog } from '../../lsm/log/log-reader.ts'
import type { Storage } from '../../storage/storage.ts'
import type { LogLoss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'
import { wholeRounds } from './whole-rounds.ts'

/** Cuts until the log can be read; yields what is lost with that, which is what the journal has not got as well. */
export async function* cutLog(storage: Storage, kernel: Kernel, shard: number, afterSequence: number): AsyncGenerator<LogLoss> {
  const cuts: LogCutOff[] = []
  for (let damage = await damageOf(storage, kernel, shard, afterSequence); damage !== undefined; damage = await damageOf(storage, kernel, shard, afterSequence)) {
    cuts.push(await cutAt(storage, kernel, shard, damage))
  }
  if (cuts.length === 0) return
  const { lastSequence } = await readLog({ storage, kernel, shard, afterSequence })
  const { records } = continuationOf(await wholeRounds(storage, kernel), shard, Math.max(lastSequence, afterSequence))
  const kept = records.at(-1)?.lastSequence ?? 0
  for (const cut of cuts) yield lossOf(cut, cut.records.filter(({ baseSequence }) => baseSequence > kept))
}

/** What was cut off, with all the whole records in it. */
interface LogCutOff extends Pick<LogLoss, 'file' | 'shard' | 'reason' | 'byteOffset' | 'quarantined'> {
  readonly records: readonly RecordDescription[]
}

function lossOf(cut: LogCutOff, lost: readonly RecordDescription[]): LogLoss {
  return { ...cut, kind: 'log', records: lost.length, firstSequence: lost[0]?.baseSequence, lastSequence: lost.at(-1)?.baseSequence, operations: sumOperations(lost) }
}

interface LogDamage {
  readonly segmentNumber: number
  readonly byteOffset: number
  readonly reason: string
}

async function damageOf(storage: Storage, kernel: Kernel, shard: number, afterSequence: number): Promise<LogDamage | undefined> {
  try {
    const log = await readLog({ storage, kernel, shard, afterSequence })
    for await (const _ of log.records()) void _
    return undefined
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code !== 'XX001' || error.evidence.file === undefined) throw error
    const segmentNumber = fileNumberOf(error.evidence.file, logFolder(shard), 'wal')
    if (segmentNumber === undefined) throw error
    return { segmentNumber, byteOffset: error.evidence.byteOffset ?? 0, reason: error.message }
  }
}

async function cutAt(storage: Storage, kernel: Kernel, shard: number, { segmentNumber, byteOffset, reason }: LogDamage): Promise<LogCutOff> {
  const listed = await storage.list(logFolder(shard))
  const from = listed.map(({ name }) => name).filter((name) => (fileNumberOf(name, logFolder(shard), 'wal') ?? -1) >= segmentNumber)
  const file = logFileName(shard, segmentNumber)
  const records: RecordDescription[] = []
  const quarantined: string[] = []
  let kept: Uint8Array | undefined
  for (const name of from) {
    const bytes = await storage.read(name)
    records.push(...describeSegment(kernel, bytes).records.filter((record) => name !== file || record.byteOffset >= byteOffset))
    if (name === file && byteOffset > 0) kept = bytes.slice(0, byteOffset)
    quarantined.push(await copyToQuarantine(storage, name))
  }
  // The last first, so that a crash in between leaves no gap.
  for (const name of from.toReversed()) await storage.delete(name)
  if (kept !== undefined) await storage.createIfAbsent(file, [kept])
  return { file, shard, reason, byteOffset, quarantined, records }
}

/** By kind and table id. */
export function sumOperations(records: readonly Pick<RecordDescription, 'operations'>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { operations } of records) for (const [name, count] of Object.entries(operations)) sums[name] = (sums[name] ?? 0) + count
  return sums
}
