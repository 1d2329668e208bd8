/**
 * Makes a database that cannot be read in parts one that can, of what is left, and says what is not. Everything that is
 * taken out is copied to `quarantine/` first; the state without it is published as the next manifest, and only then
 * is the damaged file removed.
 */
import { corruption, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { manifestFileName, manifestsFolder } from '../../lsm/file-names.ts'
import { keyForm } from '../../lsm/layout.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import { decodeManifest } from '../../lsm/manifest-codec.ts'
import { manifestIds, publishManifest } from '../../lsm/manifest-store.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import { tableFileName } from '../../lsm/table/table-file-name.ts'
import type { TableMeta } from '../../lsm/table/table.ts'
import { verifyTable } from '../../lsm/table/verify-table.ts'
import type { Random } from '../../runtime/random.ts'
import type { Storage } from '../../storage/storage.ts'
import { decodeFormat, encodeFormat, formatFileName, newFormat } from '../shards/format-file.ts'
import { cutLog } from './cut-log.ts'
import type { Loss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'
import { rebuildManifest, widestLayouts } from './rebuild-manifest.ts'

/** Yields what is lost as it is taken out. The database must be closed, and nobody else may open it. */
export async function* repairDatabase(storage: Storage, kernel: Kernel, random: Random): AsyncGenerator<Loss> {
  if (!storage.appends) throw new LsmtError('0A000', `repair of a database in ${storage.description}, whose log is objects, is not supported`, { hint: 'restore a backup; lsmt verify names what is damaged' })
  const lostFormat = await repairFormat(storage, kernel, random)
  if (lostFormat !== undefined) yield lostFormat
  const { shards } = decodeFormat(kernel, await storage.read(formatFileName))
  const found = await Promise.all(Array.from({ length: shards }, (_, shard) => readManifests(storage, kernel, shard)))
  const layouts = widestLayouts(found.flatMap(({ newest }) => newest?.layouts ?? []))
  for (const each of found) yield* repairShard(storage, kernel, each, layouts)
}

/** The number of shards is that of their folders; the database's id is a new one. */
async function repairFormat(storage: Storage, kernel: Kernel, random: Random): Promise<Loss | undefined> {
  try {
    decodeFormat(kernel, await storage.read(formatFileName))
    return undefined
  } catch (error) {
    if (!(error instanceof LsmtError) || (error.code !== 'XX001' && error.code !== '58P01')) throw error
    const shards = new Set((await storage.list(manifestsFolder)).map(({ name }) => name.split('/')[1]!)).size
    if (shards === 0) throw new LsmtError('XX001', 'the format file cannot be read and no shard has a manifest: there is nothing to repair from', {}, error)
    const quarantined = error.code === '58P01' ? undefined : await copyToQuarantine(storage, formatFileName)
    await storage.delete(formatFileName)
    await storage.createIfAbsent(formatFileName, [encodeFormat(kernel, newFormat(random, shards))])
    return { kind: 'format', file: formatFileName, shard: undefined, reason: error.message, quarantined }
  }
}

interface ShardManifests {
  readonly shard: number
  /** The one that counts; undefined when it cannot be read, or none was ever published. */
  readonly newest: ManifestState | undefined
  /** The newest that can be read. */
  readonly readable: ManifestState | undefined
  readonly damaged: readonly { readonly file: string; readonly reason: string }[]
  readonly lastId: number
}

async function readManifests(storage: Storage, kernel: Kernel, shard: number): Promise<ShardManifests> {
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

async function* repairShard(storage: Storage, kernel: Kernel, manifests: ShardManifests, layouts: readonly TableLayout[]): AsyncGenerator<Loss> {
  const { shard, newest, damaged, lastId } = manifests
  const isLost = newest === undefined && damaged.length > 0
  const losses: Loss[] = []
  for (const { file, reason } of damaged) losses.push({ kind: 'manifest', file, shard, reason, quarantined: await copyToQuarantine(storage, file) })
  const { state, unreadable } = isLost ? await rebuildManifest(storage, kernel, shard, layouts, manifests.readable) : { state: newest, unreadable: [] }
  if (state === undefined) {
    yield* cutLog(storage, kernel, shard, 0)
    return
  }
  const removed: string[] = damaged.map(({ file }) => file)
  for (const { file, reason } of unreadable) {
    losses.push({ kind: 'tableFile', file, shard, reason, quarantined: await copied(storage, file), contents: undefined })
    removed.push(file)
  }
  const sound = await withoutDamaged(storage, kernel, state, losses, removed)
  if (losses.some(({ kind }) => kind === 'tableFile') || isLost) await publish(storage, kernel, { ...sound, id: lastId + 1, writerEpoch: sound.writerEpoch + 1 })
  for (const file of removed) await storage.delete(file)
  yield* losses
  yield* cutLog(storage, kernel, shard, sound.flushedSequence)
}

async function publish(storage: Storage, kernel: Kernel, state: ManifestState): Promise<void> {
  if ((await publishManifest(storage, kernel, state)) === 'fenced') throw new LsmtError('55006', `another process has published a manifest of shard ${state.shard} meanwhile`)
}

/** The state without the table files that cannot be read whole. */
async function withoutDamaged(storage: Storage, kernel: Kernel, state: ManifestState, losses: Loss[], removed: string[]): Promise<ManifestState> {
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
async function copied(storage: Storage, file: string): Promise<string | undefined> {
  try {
    return await copyToQuarantine(storage, file)
  } catch (error) {
    if (error instanceof LsmtError && error.code === '58030') return undefined
    throw error
  }
}
