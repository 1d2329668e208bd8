/**
 * Which table files checkpoints keep. They are listed anew for every question, after the manifest that no longer names
 * the file stands: a checkpoint that was made later has read that manifest. What cannot be read pins everything.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import { tableFileName } from '../table/table-file-name.ts'
import { checkpointFolder, decodeCheckpoint } from './checkpoint-file.ts'
import type { StoredCheckpoint } from './checkpoint-file.ts'

export interface FilePins {
  /** Names of the table files that checkpoints keep, as of now. Calls of one turn share an answer. */
  pinned(): Promise<ReadonlySet<string>>
}

export function createFilePins(storage: Storage, kernel: Kernel, clock: Clock): FilePins {
  /** By name; a checkpoint is never written again under its name. */
  const known = new Map<string, StoredCheckpoint>()
  let next: Promise<ReadonlySet<string>> | undefined
  const list = async (): Promise<ReadonlySet<string>> => {
    await new Promise((resolve) => setImmediate(resolve))
    next = undefined
    const listed = (await storage.list(checkpointFolder)).map(({ name }) => name)
    for (const name of known.keys()) if (!listed.includes(name)) known.delete(name)
    for (const name of listed) if (!known.has(name)) await readInto(known, storage, kernel, name)
    const now = Number(clock.wallMicros())
    return new Set([...known.values()].filter(({ expiresAtMicros }) => expiresAtMicros > now).flatMap(filesOf))
  }
  return { pinned: () => (next ??= list()) }
}

async function readInto(known: Map<string, StoredCheckpoint>, storage: Storage, kernel: Kernel, name: string): Promise<void> {
  try {
    known.set(name, decodeCheckpoint(kernel, await storage.read(name), name))
  } catch (error) {
    // Deleted since it was listed.
    if (!(error instanceof LsmtError && error.code === '58P01')) throw error
  }
}

function filesOf({ manifests }: StoredCheckpoint): readonly string[] {
  return manifests.flatMap(({ shard, tables }) => tables.flatMap(({ levels }) => levels.flat().map(({ fileNumber }) => tableFileName(shard, fileNumber))))
}

/** Deletes a table file that no manifest names any more, unless a checkpoint does: then it goes at a later opening. */
export async function deleteUnpinned(storage: Storage, pins: FilePins | undefined, name: string): Promise<void> {
  if (pins !== undefined && (await pins.pinned()).has(name)) return
  await storage.delete(name)
}
