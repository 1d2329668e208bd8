/** The parts of a shard that can be read: its manifests, and of the newest one's table files those that are sound. */
import { corruption, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { manifestFileName } from '../../lsm/file-names.ts'
import { keyForm } from '../../lsm/layout.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import { decodeManifest } from '../../lsm/manifest-codec.ts'
import { manifestIds } from '../../lsm/manifest-store.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import { tableFileName } from '../../lsm/table/table-file-name.ts'
import type { TableMeta } from '../../lsm/table/table.ts'
import { verifyTable } from '../../lsm/table/verify-table.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Loss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'

export interface ShardManifests {
  readonly shard: number
  /** The one that counts; undefined when it cannot be read, or none was ever published. */
  readonly newest: ManifestState | undefined
  /** The newest that can be read. */
  readonly readable: ManifestState | undefined
  readonly damaged: readonly { readonly file: string; readonly reason: string }[]
  readonly lastId: number
}

export async function readManifests(storage: Storage, kernel: Kernel, shard: number): Promise<ShardManifests> {
  const ids = await manifestIds(storage, shard)
  const damaged: { file: string; reason: string }[] = []
  let readable: ManifestState | undefined
  for (const id of ids) {
    const file = manifestFileName(shard, id)
    try {
      const state = decodeManifest(kernel, await storage.read(file), file)
      if (state.id !== id || state.shard !== shard) throw corruption('manifest', { file, expected: `manifest ${id} of shard ${shard}`, actual: `manifest ${state.id} of shard ${state.shard}` })
      readable = state
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== 'XX001') throw error
      damaged.push({ file, reason: error.message })
    }
  }
  const lastId = ids.at(-1) ?? 0
  return { shard, newest: readable?.id === lastId ? readable : undefined, readable, damaged, lastId }
}

/** The state without the table files that cannot be read whole. */
export async function withoutDamaged(storage: Storage, kernel: Kernel, state: ManifestState, losses: Loss[], removed: string[]): Promise<ManifestState> {
  const damaged = new Set<number>()
  for (const meta of state.tables.flatMap(({ levels }) => levels.flat())) {
    const [finding] = await verifyTable(storage, kernel, meta, state.shard)
    if (finding === undefined) continue
    const file = tableFileName(state.shard, meta.fileNumber)
    damaged.add(meta.fileNumber)
    losses.push({ kind: 'tableFile', file, shard: state.shard, reason: finding.message, quarantined: finding.code === '58P01' ? undefined : await copied(storage, file), contents: contentsOf(state.layouts, meta) })
    removed.push(file)
  }
  const tables = state.tables.map(({ tableId, levels }) => ({ tableId, levels: levels.map((files) => files.filter(({ fileNumber }) => !damaged.has(fileNumber))) }))
  return { ...state, tables: tables.filter(({ levels }) => levels.some((files) => files.length > 0)) }
}

function contentsOf(layouts: readonly TableLayout[], { tableId, minKey, maxKey, rowCount, tombstoneCount }: TableMeta): Extract<Loss, { kind: 'tableFile' }>['contents'] {
  const layout = layouts.find((each) => each.tableId === tableId)
  return { tableId, keyForm: layout === undefined ? 'composite' : keyForm(layout), minKey, maxKey, rowCount: rowCount - tombstoneCount, tombstoneCount }
}

/** undefined where the disk does not give the file: then it cannot be kept. */
export async function copied(storage: Storage, file: string): Promise<string | undefined> {
  try {
    return await copyToQuarantine(storage, file)
  } catch (error) {
    if (error instanceof LsmtError && error.code === '58030') return undefined
    throw error
  }
}
