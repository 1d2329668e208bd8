/**
 * A shard's state without its newest manifest: every table file that is there, as a run of level 0 by age, and the log
 * from its beginning, whose records are applied once more on top of what files hold of them already. Files that a
 * compaction had replaced, and not deleted yet, come back; they are older than those that replaced them.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { logFolder } from '../../lsm/file-names.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import { describeSegment } from '../../lsm/log/describe-segment.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import { tableFileFolder } from '../../lsm/state/table-files.ts'
import { storedTable } from '../../lsm/table/stored-table.ts'
import type { StoredTable } from '../../lsm/table/stored-table.ts'
import type { TableMeta } from '../../lsm/table/table.ts'
import type { Storage } from '../../storage/storage.ts'
import { wholeRounds } from './whole-rounds.ts'

export interface Rebuilt {
  readonly state: ManifestState
  /** Table files whose ends cannot be read, and why. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[]
}

/** `layouts`: the tables that other shards know, which all shards share; `older`: a manifest before the lost one, if there is one; `log`: where the shard's log begins, when it is to be applied. */
export async function rebuildManifest(storage: Storage, kernel: Kernel, shard: number, layouts: readonly TableLayout[], older: ManifestState | undefined, log: LogBegin | undefined): Promise<Rebuilt> {
  const found: StoredTable[] = []
  const unreadable: { file: string; reason: string }[] = []
  for (const { name } of await storage.list(tableFileFolder(shard))) {
    try {
      found.push(await storedTable(storage, kernel, name))
    } catch (error) {
      if (!(error instanceof LsmtError) || !/^(XX001|XX002|58030)$/.test(error.code)) throw error
      unreadable.push({ file: name, reason: error.message })
    }
  }
  const metas = found.map(({ meta }) => meta)
  const known = widestLayouts([...(older?.layouts ?? []), ...layouts, ...found.map(({ layout }) => layout)])
  const state: ManifestState = {
    id: older?.id ?? 0, shard,
    writerEpoch: Math.max(older?.writerEpoch ?? 0, log?.writerEpoch ?? 0),
    flushedSequence: log?.sequenceBefore ?? metas.reduce((last, { maxSequence }) => Math.max(last, maxSequence), older?.flushedSequence ?? 0),
    nextFileNumber: metas.reduce((next, { fileNumber }) => Math.max(next, fileNumber + 1), older?.nextFileNumber ?? 1),
    layouts: known,
    maxTableId: known.reduce((most, { tableId }) => Math.max(most, tableId), older?.maxTableId ?? 0),
    tables: known.map(({ tableId }) => ({ tableId, levels: [runsOf(metas.filter((meta) => meta.tableId === tableId))] })).filter(({ levels }) => levels[0]!.length > 0),
  }
  return { state, unreadable }
}

/** The newest first. */
function runsOf(metas: readonly TableMeta[]): readonly TableMeta[] {
  return metas.toSorted((a, b) => b.maxSequence - a.maxSequence || b.minSequence - a.minSequence || b.fileNumber - a.fileNumber)
}

/** Of each table the layout with most columns: columns are only ever added; of equals the first, which a manifest knows best. */
export function widestLayouts(layouts: readonly TableLayout[]): readonly TableLayout[] {
  const widest = new Map<number, TableLayout>()
  for (const layout of layouts) {
    const before = widest.get(layout.tableId)
    if (before === undefined || before.columns.length < layout.columns.length) widest.set(layout.tableId, layout)
  }
  return [...widest.values()]
}

interface LogBegin {
  readonly sequenceBefore: number
  readonly writerEpoch: number
}

/** Of a log in segments; of one that has nothing yet, what the journal holds of the shard, which may have been flushed in part. */
export async function logBegin(storage: Storage, kernel: Kernel, shard: number): Promise<LogBegin | undefined> {
  for (const { name } of await storage.list(logFolder(shard))) {
    const { header } = describeSegment(kernel, await storage.read(name))
    if (header !== undefined) return header
  }
  const { records, writerEpoch } = await wholeRounds(storage, kernel)
  const first = records.get(shard)?.[0]
  return first && { sequenceBefore: first.baseSequence - 1, writerEpoch }
}
