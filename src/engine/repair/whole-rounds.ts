/** The rounds of a journal that can be read, whatever stands between them. */
import type { Kernel } from '../../kernel/kernel.ts'
import { journalShard, logFolder } from '../../lsm/file-names.ts'
import { describeSegment } from '../../lsm/log/describe-segment.ts'
import type { JournalRecord } from '../../lsm/log/journal/read-journal.ts'
import { decodeRound } from '../../lsm/log/journal/round-format.ts'
import { recordHeaderBytes } from '../../lsm/log/segment-format.ts'
import type { Storage } from '../../storage/storage.ts'

/** What a journal holds that can be read, by shard, in the order of its rounds. */
export interface WholeRounds {
  readonly files: readonly string[]
  readonly records: ReadonlyMap<number, readonly JournalRecord[]>
  readonly writerEpoch: number
}

export async function wholeRounds(storage: Storage, kernel: Kernel): Promise<WholeRounds> {
  const records = new Map<number, JournalRecord[]>()
  const files = (await storage.list(logFolder(journalShard))).map(({ name }) => name).filter((name) => name.endsWith('.wal'))
  let writerEpoch = 0
  for (const file of files) {
    const bytes = await storage.read(file)
    const { header, records: found } = describeSegment(kernel, bytes)
    writerEpoch = Math.max(writerEpoch, header?.writerEpoch ?? 0)
    for (const { byteOffset, byteLength } of found) {
      const reading = decodeRound(bytes.subarray(byteOffset + recordHeaderBytes, byteOffset + byteLength))
      for (const { shard, ...entry } of reading.kind === 'round' ? reading.round.entries : []) {
        const known = records.get(shard) ?? []
        records.set(shard, known)
        known.push({ ...entry, file, byteOffset })
      }
    }
  }
  return { files, records, writerEpoch }
}
