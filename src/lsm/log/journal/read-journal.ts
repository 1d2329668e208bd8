/**
 * Reads the commit journal back, judged as any log is (../log-reader.ts), and tells what it has of a shard that the
 * shard's own log and its table files have not. Since whatever was acknowledged is in one of the three, in order, a shard
 * whose own log ends before the first record that follows here has lost records that were durable.
 */
import { corruption } from '../../../errors.ts'
import type { Evicting } from '../../state/memtable-memory.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Storage } from '../../../storage/storage.ts'
import { journalShard, logFolder } from '../../file-names.ts'
import type { LogRecord } from '../log.ts'
import { readLog, sequenceBeforeLog } from '../log-reader.ts'
import type { LogCut } from '../segment-scan.ts'
import { takenMarkName } from './remove-journal.ts'
import { decodeRound } from './round-format.ts'
import type { RoundEntry } from './round-format.ts'

export interface FoundJournal {
  /** By shard, in order; what it left to its own log is not among them. */
  readonly records: ReadonlyMap<number, readonly JournalRecord[]>
  readonly rounds: number
  /** Of all segments, oldest first. */
  readonly files: readonly string[]
  readonly cuts: readonly LogCut[]
  /** Its removal had begun: none of it is needed. */
  readonly isTaken: boolean
}

export const noJournal: FoundJournal = { records: new Map(), rounds: 0, files: [], cuts: [], isTaken: false }

/** A shard's record with the place of its round. */
export interface JournalRecord extends LogRecord {
  readonly lastSequence: number
}

export interface JournalFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  /** Of the same heap: caches give way to segments. */
  readonly memtableMemory?: Evicting
}

/** XX001 where it is damaged, or lacks its beginning. Without a journal nothing is found. */
export async function readJournal(floor: JournalFloor, shards: number): Promise<FoundJournal> {
  const names = (await floor.storage.list(logFolder(journalShard))).map(({ name }) => name)
  if (names.length === 0) return noJournal
  if (names.includes(takenMarkName)) return { ...noJournal, files: names.filter((name) => name !== takenMarkName), isTaken: true }
  const begin = await sequenceBeforeLog({ ...floor, shard: journalShard })
  const log = await readLog({ ...floor, shard: journalShard, afterSequence: begin })
  const records = new Map<number, JournalRecord[]>()
  let last = begin
  let neededFrom = begin + 1
  for await (const { baseSequence: round, payload, file, byteOffset } of log.records()) {
    const demand = (good: boolean, expected: string, actual: string): void => {
      if (!good) throw corruption('journal', { file, byteOffset, block: `record at byte ${byteOffset}`, expected, actual })
    }
    demand(round === last + 1, `round ${last + 1}`, `round ${round}`)
    last = round
    const reading = decodeRound(payload)
    if (reading.kind === 'damaged') throw corruption('journal', { file, byteOffset, block: `record at byte ${byteOffset}`, expected: reading.expected, actual: reading.actual })
    neededFrom = reading.round.neededFrom
    for (const entry of reading.round.entries) {
      demand(entry.shard < shards, `a shard below ${shards}`, String(entry.shard))
      recordsFor(records, entry).push({ baseSequence: entry.baseSequence, lastSequence: entry.lastSequence, payload: entry.payload, file, byteOffset })
    }
  }
  // Segments that earlier rounds needed may be gone.
  if (neededFrom <= begin) throw corruption('journal', { file: log.files[0]!.name, block: 'header', byteOffset: 0, expected: `the rounds from ${neededFrom} on`, actual: `the first is ${begin + 1}: segments before this one are missing` })
  return { records, rounds: last - begin, isTaken: false, files: log.files.map(({ name }) => name), cuts: log.cuts }
}

function recordsFor(records: Map<number, JournalRecord[]>, { shard }: RoundEntry): JournalRecord[] {
  let of = records.get(shard)
  if (of === undefined) records.set(shard, (of = []))
  return of
}

export interface Continuation {
  readonly records: readonly JournalRecord[]
  /** The first record that follows neither what is there nor those before it. */
  readonly gap: JournalRecord | undefined
}

/** What follows `lastSequence`, the end of a shard's own log or of its table files, whichever is later. */
export function continuationOf({ records }: Pick<FoundJournal, 'records'>, shard: number, lastSequence: number): Continuation {
  const following: JournalRecord[] = []
  let last = lastSequence
  for (const record of records.get(shard) ?? []) {
    if (record.lastSequence <= last) continue
    if (record.baseSequence !== last + 1) return { records: following, gap: record }
    following.push(record)
    last = record.lastSequence
  }
  return { records: following, gap: undefined }
}

/** The same, where all must follow. XX001. */
export function recordsAfter(found: FoundJournal, shard: number, lastSequence: number): readonly JournalRecord[] {
  const { records, gap } = continuationOf(found, shard, lastSequence)
  if (gap === undefined) return records
  const last = records.at(-1)?.lastSequence ?? lastSequence
  throw corruption('journal', { file: gap.file, byteOffset: gap.byteOffset, block: `record at byte ${gap.byteOffset}`, expected: `a record of shard ${shard} at sequence ${last + 1}, where its own log ends`, actual: `one at sequence ${gap.baseSequence}: records between are missing` })
}
