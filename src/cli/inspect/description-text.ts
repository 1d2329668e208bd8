/** Log segments, log objects and manifests as lines of text. */
import { journalShard } from '../../lsm/file-names.ts'
import type { BatchDescription, RecordDescription, SegmentDescription } from '../../lsm/log/describe-segment.ts'
import type { LogObjectDescription } from '../../lsm/log/stream/describe-object.ts'
import { keyForm } from '../../lsm/layout.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import type { FilesStart, decodeReplicaRecord } from '../../lsm/replicated/replica-record.ts'
import { keyText } from '../../lsm/table/key-text.ts'
import type { TableMeta } from '../../lsm/table/table.ts'

/** Records shown one by one; of more the first and the last. */
const recordsShownMax = 40

export function segmentText(file: string, { header, records, damage, byteLength, usedBytes }: SegmentDescription): string {
  const lines = [`${file}: ${byteLength} bytes, ${usedBytes} used, ${records.length} records`]
  if (header?.shard === journalShard) lines.push(`  journal of all shards, segment ${header.segmentNumber}, writer epoch ${header.writerEpoch}, after round ${header.sequenceBefore}`)
  else if (header !== undefined) lines.push(`  shard ${header.shard}, segment ${header.segmentNumber}, writer epoch ${header.writerEpoch}, after sequence ${header.sequenceBefore}${header.cuts ? ', where it cuts off what segments before it have' : ''}`)
  else if (damage.length === 0) lines.push('  never written to')
  lines.push(...shownRecords(records, recordText))
  for (const { byteOffset, expected, actual } of damage) lines.push(`  at byte ${byteOffset} no whole record: expected ${expected}, found ${actual}`)
  return lines.join('\n')
}

function shownRecords<T>(records: readonly T[], text: (record: T) => string): readonly string[] {
  if (records.length <= recordsShownMax) return records.map(text)
  const half = recordsShownMax / 2
  return [...records.slice(0, half).map(text), `  … ${records.length - recordsShownMax} more`, ...records.slice(-half).map(text)]
}

function recordText({ byteOffset, byteLength, baseSequence, durableSequence, round, ...batch }: RecordDescription): string {
  if (round !== undefined) {
    const entries = round.map((entry) => `\n    shard ${entry.shard}, sequence ${entry.baseSequence}${batchText(entry)}`)
    return `  at byte ${byteOffset}, ${byteLength} bytes: round ${baseSequence}, durable to ${durableSequence}${entries.join('')}`
  }
  return `  at byte ${byteOffset}, ${byteLength} bytes: sequence ${baseSequence}, durable to ${durableSequence}${batchText(batch)}`
}

function batchText({ participants, operations }: BatchDescription): string {
  const what = Object.entries(operations).map(([name, count]) => `${name} × ${count}`).join(', ')
  return `${participants.length > 0 ? `, with shards ${participants.join(', ')}` : ''}: ${what}`
}

export function logObjectText(file: string, { header, records, damage, byteLength }: LogObjectDescription): string {
  const lines = [`${file}: ${byteLength} bytes, ${records.length} records`]
  if (header !== undefined) lines.push(`  ${header.kind} ${header.id} of stream ${header.stream}, writer epoch ${header.writerEpoch}, put ${header.putId} after ${header.previousPutId}`)
  if (header?.kind === 'data') lines.push(`  after sequences ${header.lastSequences.join(', ')} by shard`)
  lines.push(...shownRecords(records, ({ shard, byteOffset, byteLength: length, baseSequence, ...batch }) => `  at byte ${byteOffset}, ${length} bytes: shard ${shard}, sequence ${baseSequence}${batchText(batch)}`))
  if (damage !== undefined) lines.push(`  damaged at byte ${damage.byteOffset}: expected ${damage.expected}, found ${damage.actual}`)
  return lines.join('\n')
}

export function manifestText(file: string, { id, shard, writerEpoch, flushedSequence, nextFileNumber, layouts, tables }: ManifestState): string {
  const lines = [`${file}: manifest ${id} of shard ${shard}, writer epoch ${writerEpoch}, flushed to sequence ${flushedSequence}, next file ${nextFileNumber}`]
  for (const layout of layouts) {
    lines.push(`  table ${layout.tableId}: columns ${layout.columns.join(', ')}; key ${layout.key.join(', ')}`)
    const levels = tables.find(({ tableId }) => tableId === layout.tableId)?.levels ?? []
    for (const [level, files] of levels.entries()) for (const meta of files) lines.push(`    level ${level}: ${fileText(layout, meta)}`)
  }
  return lines.join('\n')
}

export function replicaText(file: string, { shard, storedEpoch, start, install }: ReturnType<typeof decodeReplicaRecord>): string {
  const files = ({ through, segmentsThrough, manifestId }: FilesStart): string => `files of another copy, up to sequence ${through.sequence} of epoch ${through.epoch}, in place of log segments up to ${segmentsThrough} by manifest ${manifestId}`
  const lines = [`${file}: copy of shard ${shard}, has promised epoch ${storedEpoch}`]
  if (start !== undefined) lines.push(`  began with ${files(start)}`)
  if (install !== undefined) lines.push(`  is to begin with ${files(install)}`)
  return lines.join('\n')
}

function fileText(layout: TableLayout, { fileNumber, byteLength, rowCount, tombstoneCount, minKey, maxKey, minSequence, maxSequence }: TableMeta): string {
  const form = keyForm(layout)
  return `file ${fileNumber}, ${byteLength} bytes, ${rowCount} rows${tombstoneCount > 0 ? `, ${tombstoneCount} of them tombstones` : ''}, keys ${keyText(form, minKey)} to ${keyText(form, maxKey)}, sequences ${minSequence} to ${maxSequence}`
}
