/** What whoever opens a shard to write does first: nobody else publishes any more, and what came to nothing is deleted. */
import { LsmtError } from '../../../errors.ts'
import { firstFileNumber } from '../../claim/claim-manifest.ts'
import { publishManifest } from '../../manifest-store.ts'
import type { ManifestState } from '../../manifest.ts'
import { deleteUnpinned } from '../../pins/file-pins.ts'
import { tableFileName } from '../../table/table-file-name.ts'
import { tableFileNumbers } from '../table-files.ts'
import type { TreeOptions } from '../tree-state.ts'

/** Claims the shard where storage lets one process alone open it. */
export async function nextEpoch({ storage, kernel, shard }: Pick<TreeOptions, 'storage' | 'kernel' | 'shard'>, found: ManifestState): Promise<ManifestState> {
  const manifest: ManifestState = { ...found, id: found.id + 1, writerEpoch: found.writerEpoch + 1 }
  if ((await publishManifest(storage, kernel, manifest)) === 'published') return manifest
  throw new LsmtError('55006', `another writer has opened shard ${shard} at the same time`)
}

/**
 * Files of jobs that did not come to be published. Where claims decide, those of this epoch and later ones stay: this may
 * not be the writer any more, and those of earlier ones that its manifest does not name no later manifest can name.
 */
export async function deleteUnreferenced({ storage, shard, claim, pins, listed }: Pick<TreeOptions, 'storage' | 'shard' | 'claim' | 'pins' | 'listed'>, manifest: ManifestState): Promise<void> {
  const referenced = new Set(manifest.tables.flatMap(({ levels }) => levels.flat().map(({ fileNumber }) => fileNumber)))
  const end = claim === undefined ? Infinity : firstFileNumber(claim.epoch)
  for (const fileNumber of listed?.tableFileNumbers ?? (await tableFileNumbers(storage, shard))) {
    if (fileNumber < end && !referenced.has(fileNumber)) await deleteUnpinned(storage, pins, tableFileName(shard, fileNumber))
  }
}
