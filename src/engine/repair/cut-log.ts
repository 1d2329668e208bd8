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
import { readLog } from '../../lsm/log/log-reader.ts'
import type { Storage } from '../../storage/storage.ts'
import type { LogLoss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'

/** Yields what is cut, until the log can be read. */
export async function* cutLog(storage: Storage, kernel: Kernel, shard: number, afterSequence: number): AsyncGenerator<LogLoss> {
  for (;;) {
    const damage = await damageOf(storage, kernel, shard, afterSequence)
    if (damage === undefined) return
    yield await cutAt(storage, kernel, shard, damage)
  }
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

async function cutAt(storage: Storage, kernel: Kernel, shard: number, { segmentNumber, byteOffset, reason }: LogDamage): Promise<LogLoss> {
  const listed = await storage.list(logFolder(shard))
  const from = listed.map(({ name }) => name).filter((name) => (fileNumberOf(name, logFolder(shard), 'wal') ?? -1) >= segmentNumber)
  const file = logFileName(shard, segmentNumber)
  const lost: RecordDescription[] = []
  const quarantined: string[] = []
  let kept: Uint8Array | undefined
  for (const name of from) {
    const bytes = await storage.read(name)
    lost.push(...describeSegment(kernel, bytes).records.filter((record) => name !== file || record.byteOffset >= byteOffset))
    if (name === file && byteOffset > 0) kept = bytes.slice(0, byteOffset)
    quarantined.push(await copyToQuarantine(storage, name))
  }
  // The last first, so that a crash in between leaves no gap.
  for (const name of from.toReversed()) await storage.delete(name)
  if (kept !== undefined) await storage.createIfAbsent(file, [kept])
  return { kind: 'log', file, shard, reason, byteOffset, quarantined, records: lost.length, firstSequence: lost[0]?.baseSequence, lastSequence: lost.at(-1)?.baseSequence, operations: sumOperations(lost) }
}

/** By kind and table id. */
export function sumOperations(records: readonly Pick<RecordDescription, 'operations'>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { operations } of records) for (const [name, count] of Object.entries(operations)) sums[name] = (sums[name] ?? 0) + count
  return sums
}
