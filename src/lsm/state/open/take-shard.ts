/** What whoever opens a shard to write does first: nobody else publishes any more, and what came to nothing is deleted. */
import { LsmtError } from '../../../errors.ts'
import { firstFileNumber } from '../../claim/claim-manifest.ts'
import { publishManifest } from '../../manifest-store.ts'
import type { ManifestState } from '../../manifest.ts'
import { deleteUnpinned } from '../../pins/file-pins.ts'
import { tableFileName } from '../../table/table-file-name.ts'
import { tableFileLengths } from '../table-files.ts'
import type { TableFileLengths } from '../table-files.ts'
import type { TreeOptions } from '../tree-state.ts'

/** Claims the shard where storage lets one process alone open it. */
export async function nextEpoch({ storage, kernel, shard }: Pick<TreeOptions, 'storage' | 'kernel' | 'shard'>, found: ManifestState): Promise<ManifestState> {
  const manifest: ManifestState = { ...found, id: found.id + 1, writerEpoch: found.writerEpoch + 1 }
  if ((await publishManifest(storage, kernel, manifest)) === 'published') return manifest
  throw new LsmtError('55006', `another writer has opened shard ${shard} at the same time`)
}

/**
 * The same where the directory's lock lets nobody else in: the next manifest, whatever it is published for, brings the new
 * epoch, so that an opening after which nothing is written writes nothing. A new shard has its first manifest from the
 * beginning on: one that is missing is lost.
 */
export async function nextEpochUnderLock(options: Pick<TreeOptions, 'storage' | 'kernel' | 'shard'>, found: ManifestState): Promise<ManifestState> {
  return found.id === 0 ? await nextEpoch(options, found) : { ...found, writerEpoch: found.writerEpoch + 1 }
}

/**
 * Files of jobs that did not come to be published. Where claims decide, those of this epoch and later ones stay: this may
 * not be the writer any more, and those of earlier ones that its manifest does not name no later manifest can name.
 */
export async function deleteUnreferenced({ storage, shard, claim, pins }: Pick<TreeOptions, 'storage' | 'shard' | 'claim' | 'pins'>, manifest: ManifestState, files: TableFileLengths): Promise<void> {
  const referenced = new Set(manifest.tables.flatMap(({ levels }) => levels.flat().map(({ fileNumber }) => fileNumber)))
  const end = claim === undefined ? Infinity : firstFileNumber(claim.epoch)
  for (const fileNumber of files.keys()) {
    if (fileNumber < end && !referenced.has(fileNumber)) await deleteUnpinned(storage, pins, tableFileName(shard, fileNumber))
  }
}

/** Of the table files that are there, unless they were listed before. */
export async function standingFiles({ storage, shard, listed }: Pick<TreeOptions, 'storage' | 'shard' | 'listed'>): Promise<TableFileLengths> {
  return listed?.tableFiles ?? (await tableFileLengths(storage, shard))
}
