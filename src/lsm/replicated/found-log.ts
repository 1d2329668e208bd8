/** A replica's log as it stands on its disk: which entries count, of which epochs, and what they say of statements over several shards. */
import { corruption } from '../../errors.ts'
import { logFolder, replicaFolder } from '../file-names.ts'
import type { ReadLog } from '../log/log-reader.ts'
import type { ManifestState } from '../manifest.ts'
import { createEntryWindow } from './entry-window.ts'
import type { EntryWindow } from './entry-window.ts'
import { createPartLedger } from './part-ledger.ts'
import type { PartLedger } from './part-ledger.ts'
import type { ReplicaRecord } from './replica-record.ts'
import { withEpoch } from './replica-state.ts'
import type { EpochStart, VisiblePart } from './replicated-tree.ts'

export interface FoundLog {
  readonly epochs: readonly EpochStart[]
  /** Entries above what is in files. */
  readonly window: EntryWindow
  /** Of the same; of parts in files, those that may not be settled are seen. */
  readonly parts: PartLedger
}

/** XX001 when the log does not go on from the files, or knows of later epochs than the record. */
export async function findLog(manifest: ManifestState, { storedEpoch, start }: ReplicaRecord, log: ReadLog, recentBytesMax: number): Promise<FoundLog> {
  const { shard, flushedSequence } = manifest
  const window = createEntryWindow(flushedSequence, recentBytesMax), parts = createPartLedger()
  let epochs: readonly EpochStart[] = [{ epoch: startEpoch(manifest, start, log), startSequence: flushedSequence }]
  for await (const { payload: batch, baseSequence, lastSequence, writerEpoch: epoch, file, byteOffset } of log.records(0)) {
    const entry = { epoch, baseSequence, lastSequence, batch }
    parts.note(entry)
    if (lastSequence <= flushedSequence) continue
    if (baseSequence !== window.lastSequence + 1) throw corruption('log record', { file, byteOffset, expected: `sequence ${window.lastSequence + 1}`, actual: `${baseSequence}` })
    epochs = withEpoch(epochs, epoch, window.lastSequence)
    window.push(entry)
  }
  const newest = epochs.at(-1)!.epoch
  if (newest > storedEpoch) throw corruption('replica record', { file: replicaFolder(shard), expected: `an epoch from ${newest} on, as the log has it`, actual: `${storedEpoch}` })
  seeFlushed(parts, flushedSequence, log.lastSequence, start?.parts ?? [])
  return { epochs, window, parts }
}

/** Of the entry that ends where files do: the log has it, or the files came with it. */
function startEpoch({ shard, flushedSequence }: ManifestState, start: ReplicaRecord['start'], log: ReadLog): number {
  const segment = log.segments.findLast(({ records }) => records.some(({ lastSequence }) => lastSequence === flushedSequence))
  if (segment !== undefined) return segment.header.writerEpoch
  if (start?.through.sequence === flushedSequence) return start.through.epoch
  if (flushedSequence === 0) return 0
  throw corruption('log', { file: logFolder(shard), expected: `the entry that ends at sequence ${flushedSequence}, where files do`, actual: 'none' })
}

/** Whether they are visible in their other shards is not known here. */
function seeFlushed(parts: PartLedger, flushedSequence: number, lastSequence: number, brought: readonly VisiblePart[]): void {
  for (const part of brought) parts.see(part)
  for (const part of parts.logged(0).parts) if (part.baseSequence <= flushedSequence && !parts.isAborted(part, lastSequence)) parts.see(part)
  parts.flushed(flushedSequence)
}
