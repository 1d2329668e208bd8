/** Log segments and manifests as lines of text. */
import type { RecordDescription, SegmentDescription } from '../../lsm/log/describe-segment.ts'
import { keyForm } from '../../lsm/layout.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import { keyText } from '../../lsm/table/key-text.ts'
import type { TableMeta } from '../../lsm/table/table.ts'

/** Records shown one by one; of more the first and the last. */
const recordsShownMax = 40

export function segmentText(file: string, { header, records, damage, byteLength, usedBytes }: SegmentDescription): string {
  const lines = [`${file}: ${byteLength} bytes, ${usedBytes} used, ${records.length} records`]
  if (header !== undefined) lines.push(`  shard ${header.shard}, segment ${header.segmentNumber}, writer epoch ${header.writerEpoch}, after sequence ${header.sequenceBefore}`)
  else if (damage.length === 0) lines.push('  never written to')
  const half = recordsShownMax / 2
  const shown = records.length <= recordsShownMax ? records : [...records.slice(0, half), undefined, ...records.slice(-half)]
  for (const record of shown) lines.push(record === undefined ? `  … ${records.length - recordsShownMax} more` : recordText(record))
  for (const { byteOffset, expected, actual } of damage) lines.push(`  at byte ${byteOffset} no whole record: expected ${expected}, found ${actual}`)
  return lines.join('\n')
}

function recordText({ byteOffset, byteLength, baseSequence, durableSequence, participants, operations }: RecordDescription): string {
  const what = Object.entries(operations).map(([name, count]) => `${name} × ${count}`).join(', ')
  return `  at byte ${byteOffset}, ${byteLength} bytes: sequence ${baseSequence}, durable to ${durableSequence}${participants.length > 0 ? `, with shards ${participants.join(', ')}` : ''}: ${what}`
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

function fileText(layout: TableLayout, { fileNumber, byteLength, rowCount, tombstoneCount, minKey, maxKey, minSequence, maxSequence }: TableMeta): string {
  const form = keyForm(layout)
  return `file ${fileNumber}, ${byteLength} bytes, ${rowCount} rows${tombstoneCount > 0 ? `, ${tombstoneCount} of them tombstones` : ''}, keys ${keyText(form, minKey)} to ${keyText(form, maxKey)}, sequences ${minSequence} to ${maxSequence}`
}
