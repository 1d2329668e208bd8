/** Losses as lines of text: what, where, how much, and where its bytes are kept. */
import type { TableSchema } from '../../engine/schema.ts'
import type { JournalLoss, LogLoss, Loss, StreamLoss, TableFileLoss } from '../../engine/repair/loss.ts'
import { keyText } from '../../lsm/table/key-text.ts'

export function lossText(loss: Loss, tables: readonly TableSchema[]): readonly string[] {
  switch (loss.kind) {
    case 'tableFile':
      return [`${loss.file}: ${loss.reason}`, `  ${tableFileText(loss, tables)}`, `  ${keptText(loss.quarantined)}`]
    case 'log':
      return [`${loss.file}: ${loss.reason}`, `  ${logText(loss, tables)}`, ...loss.quarantined.map((name) => `  ${keptText(name)}`)]
    case 'logStream':
      return [`${loss.file}: ${loss.reason}`, `  ${streamText(loss, tables)}`, ...loss.quarantined.map((name) => `  ${keptText(name)}`)]
    case 'journal':
      return [`${loss.file}: ${loss.reason}`, `  ${journalText(loss, tables)}`, ...loss.quarantined.map((name) => `  ${keptText(name)}`)]
    case 'claim':
      return [`${loss.file}: ${loss.reason}`, '  a later claim has taken its place; its name stays, which tells an earlier writer that it is out']
    case 'checkpoint':
      return [`${loss.file}: ${loss.reason}`, '  table files that it alone kept may go', `  ${keptText(loss.quarantined)}`]
    case 'manifest':
      return [`${loss.file}: ${loss.reason}`, '  the state of the shard was found again in its table files and its log; rows that were deleted long ago may be back', `  ${keptText(loss.quarantined)}`]
    case 'format':
      return [`${loss.file}: ${loss.reason}`, '  written anew from the folders of the shards', `  ${keptText(loss.quarantined)}`]
  }
}

function tableFileText({ contents }: TableFileLoss, tables: readonly TableSchema[]): string {
  if (contents === undefined) return 'what it held is not known'
  const { tableId, keyForm, minKey, maxKey, rowCount, tombstoneCount } = contents
  const deletions = tombstoneCount > 0 ? ` and ${tombstoneCount} deletions` : ''
  return `lost: up to ${rowCount} rows${deletions} of ${tableName(tableId, tables)} with keys from ${keyText(keyForm, minKey)} to ${keyText(keyForm, maxKey)}; older versions of these rows may be seen again`
}

function logText({ byteOffset, records, firstSequence, lastSequence, operations }: LogLoss, tables: readonly TableSchema[]): string {
  if (records === 0) return `cut at byte ${byteOffset}; no whole record is lost with it`
  return `cut at byte ${byteOffset}; lost with it: ${records} whole records, sequences ${firstSequence} to ${lastSequence} (${operationsText(operations, tables)})`
}

function streamText(loss: StreamLoss, tables: readonly TableSchema[]): string {
  return loss.shards.length === 0 ? 'the log was cut there; nothing is known to be lost with it' : `the log was cut there; lost with it: ${sharedText(loss, tables)}`
}

function journalText(loss: JournalLoss, tables: readonly TableSchema[]): string {
  const taken = 'what follows the logs of the shards was written there'
  return loss.shards.length === 0 ? `${taken}; nothing is known to be lost` : `${taken}; lost: ${sharedText(loss, tables)}`
}

function sharedText({ shards, records, operations }: StreamLoss | JournalLoss, tables: readonly TableSchema[]): string {
  const sequences = shards.map(({ shard, firstSequence, lastSequence }) => `of shard ${shard} ${firstSequence} to ${lastSequence}`)
  return `sequences ${sequences.join(', ')}; among them ${records} whole records${records === 0 ? '' : ` (${operationsText(operations, tables)})`}`
}

function operationsText(operations: Readonly<Record<string, number>>, tables: readonly TableSchema[]): string {
  return Object.entries(operations).map(([name, count]) => `${count} × ${name.replace(/\d+$/, (id) => tableName(Number(id), tables))}`).join(', ')
}

function tableName(tableId: number, tables: readonly TableSchema[]): string {
  const table = tables.find((each) => each.tableId === tableId)
  if (table !== undefined) return `table "${table.name}"`
  return tableId < 16 ? `system table ${tableId}` : `table ${tableId}, which is not there any more`
}

function keptText(name: string | undefined): string {
  return name === undefined ? 'its bytes could not be kept' : `kept as ${name}`
}
