/**
 * Publishing: the one way in which a tree's table files change. Edits are applied one after the other to the newest
 * version, become durable as the next manifest, and only then visible as the next view. A manifest that could not be
 * published, or was overtaken, ends writes: whether it stands is unknown, so nothing may build on either state. Only when
 * the disk had no room for it, or a bucket could not be reached, it certainly does not stand, and all is as before.
 */
import { LsmtError } from '../../errors.ts'
import { publishClaimed } from '../claim/claim-manifest.ts'
import { isDiskFull } from '../disk-room.ts'
import { publishManifest } from '../manifest-store.ts'
import type { ManifestState } from '../manifest.ts'
import { poison, refuseWhenClosed, replaceView, wake } from './tree-state.ts'
import type { TreeState } from './tree-state.ts'
import { createVersion, editTables, manifestTables, releaseVersion } from './version.ts'
import type { VersionEdit } from './version.ts'

export interface Publication {
  /** The edit as of the newest version; undefined when it no longer applies. */
  readonly edit: () => VersionEdit | undefined
  /** What else the manifest changes, as of the same moment. */
  readonly changes: Partial<Pick<ManifestState, 'flushedSequence' | 'layouts' | 'maxTableId'>>
  /** Runs in the step that makes the new version visible, before it. */
  readonly onPublished: () => void
}

/** Resolves to false when the edit no longer applied. */
export function publish(state: TreeState, publication: Publication): Promise<boolean> {
  const outcome = state.lanes.publish.then(() => publishNow(state, publication))
  state.lanes.publish = outcome.catch(() => undefined)
  return outcome
}

async function publishNow(state: TreeState, publication: Publication): Promise<boolean> {
  refuseWhenClosed(state)
  if (state.failure !== undefined) throw state.failure
  const change = publication.edit()
  if (change === undefined) return false
  const { shard } = state.options
  const tables = editTables(state.view.version, change)
  const manifest: ManifestState = { ...state.manifest, ...publication.changes, id: state.manifest.id + 1, nextFileNumber: state.nextFileNumber, tables: manifestTables(tables) }
  const outcome = await publishState(state, manifest).catch((error: unknown) => {
    if (!isDiskFull(error)) poison(state, error)
    throw error
  })
  if (outcome === 'fenced') throw ended(state, new LsmtError('55006', `another writer has taken over shard ${shard}: manifest ${manifest.id} is not this one's`))
  if (outcome !== 'published') throw outcome
  state.manifest = manifest
  publication.onPublished()
  const version = createVersion(tables)
  replaceView(state, version)
  releaseVersion(version, () => undefined)
  wake(state)
  return true
}

/** An error is of a manifest that certainly does not stand. */
function publishState({ options, closing }: TreeState, manifest: ManifestState): Promise<'published' | 'fenced' | LsmtError> {
  const { storage, kernel, clock, claim } = options
  if (claim === undefined) return publishManifest(storage, kernel, manifest)
  return publishClaimed({ ...options, claim }, manifest, { clock, hasEnded: () => closing.signal.aborted })
}

function ended(state: TreeState, error: LsmtError): LsmtError {
  poison(state, error)
  return error
}
