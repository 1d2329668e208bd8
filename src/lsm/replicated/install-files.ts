/**
 * Puts files of another replica in place of everything that is here, log and files. They are written beside what is
 * there; a record says what is about to happen; the next manifest, which names them, is the moment in which it does. What
 * a crash leaves half done the next opening ends, one way or the other (`settleInstall`).
 */
import { corruption, invariant, LsmtError } from '../../errors.ts'
import { fileNumberOf, logFolder } from '../file-names.ts'
import { publishManifest } from '../manifest-store.ts'
import type { ManifestState } from '../manifest.ts'
import { deleteUnreferenced } from '../state/open/take-shard.ts'
import { tableFileLengths } from '../state/table-files.ts'
import { tableFileName } from '../table/table-file-name.ts'
import type { TableMeta } from '../table/table.ts'
import { verifyTable } from '../table/verify-table.ts'
import { renumbered } from '../table/write/renumber.ts'
import { decodeExported } from './exported-state.ts'
import type { ExportedState } from './exported-state.ts'
import { settleInstall } from './open-replicated-tree.ts'
import { writeReplicaRecord } from './replica-record.ts'
import type { RecordFloor } from './replica-record.ts'
import type { ExportedFile, FetchedFiles } from './replicated-tree.ts'

/** The tree is closed. XX001 when what was fetched is damaged: then, and after any other error, all is as it was. */
export async function installFiles(floor: RecordFloor, fetched: FetchedFiles): Promise<void> {
  const { record, manifest: before } = await settleInstall(floor)
  const exported = checkedExport(floor, fetched)
  await deleteUnreferenced(floor, before, await tableFileLengths(floor.storage, floor.shard))
  const written = await writeTables(floor, fetched, exported.manifest, before.nextFileNumber)
  const manifest: ManifestState = {
    ...exported.manifest, id: before.id + 1, writerEpoch: before.writerEpoch + 1, nextFileNumber: before.nextFileNumber + fetched.files.length,
    tables: exported.manifest.tables.map(({ tableId, levels }) => ({ tableId, levels: levels.map((metas) => metas.map((meta) => written.get(meta.fileNumber)!)) })),
  }
  const segmentsThrough = await newestSegment(floor)
  const { through, parts } = exported
  await writeReplicaRecord(floor, { ...record, storedEpoch: Math.max(record.storedEpoch, through.epoch), install: { through, manifestId: manifest.id, segmentsThrough: Math.max(segmentsThrough, record.start?.segmentsThrough ?? 0), parts } })
  if ((await publishManifest(floor.storage, floor.kernel, manifest)) === 'fenced') throw new LsmtError('55006', `another process has published a manifest of shard ${floor.shard} meanwhile`)
  await settleInstall(floor)
  await deleteUnreferenced(floor, manifest, await tableFileLengths(floor.storage, floor.shard))
}

/** What was fetched is what its state says that it is. */
function checkedExport({ kernel, shard }: RecordFloor, { through, state, files }: FetchedFiles): ExportedState {
  const exported = decodeExported(kernel, state)
  const { manifest } = exported
  const named = manifest.tables.flatMap(({ levels }) => levels.flat()).map(({ fileNumber, byteLength }) => `${tableFileName(shard, fileNumber)} of ${byteLength} bytes`)
  const given = files.map(({ name, byteLength }) => `${name} of ${byteLength} bytes`)
  const demand = (good: boolean, expected: string, actual: string): void => {
    if (!good) throw corruption('exported files', { file: 'exported files', expected, actual })
  }
  demand(manifest.shard === shard, `files of shard ${shard}`, `of shard ${manifest.shard}`)
  demand(exported.through.sequence === through.sequence && exported.through.epoch === through.epoch, `an end at ${JSON.stringify(exported.through)}`, JSON.stringify(through))
  demand(named.toSorted().join() === given.toSorted().join(), named.join(', '), given.join(', '))
  return exported
}

/** Resolves to what they are here, by the number that they had. */
async function writeTables(floor: RecordFloor, { files, read }: FetchedFiles, manifest: ManifestState, firstNumber: number): Promise<ReadonlyMap<number, TableMeta>> {
  const metas = new Map(manifest.tables.flatMap(({ levels }) => levels.flat()).map((meta) => [tableFileName(floor.shard, meta.fileNumber), meta]))
  const written = new Map<number, TableMeta>()
  for (const [i, file] of files.entries()) {
    const meta = metas.get(file.name)
    invariant(meta !== undefined, 'a fetched file that no manifest names')
    written.set(meta.fileNumber, await writeTable(floor, meta, firstNumber + i, file, read(file)))
  }
  return written
}

async function writeTable({ storage, kernel, shard }: RecordFloor, meta: TableMeta, fileNumber: number, { name }: ExportedFile, bytes: AsyncIterable<Uint8Array>): Promise<TableMeta> {
  const writer = await storage.create(tableFileName(shard, fileNumber))
  try {
    for await (const piece of renumbered(kernel, meta, fileNumber, name, bytes)) await writer.append(piece)
    await writer.publish()
  } catch (error) {
    await writer.abort()
    throw error
  }
  const here = { ...meta, fileNumber }
  const [finding] = await verifyTable(storage, kernel, here, shard)
  if (finding !== undefined) throw corruption('table file', { file: finding.file, block: `fetched as ${name}`, expected: 'a sound file', actual: finding.message })
  return here
}

async function newestSegment({ storage, shard }: RecordFloor): Promise<number> {
  const folder = logFolder(shard)
  return Math.max(0, ...(await storage.list(folder)).map(({ name }) => fileNumberOf(name, folder, 'wal') ?? 0))
}
