/**
 * Which table files checkpoints keep. They are listed anew for every question, after the manifest that no longer names
 * the file stands: a checkpoint that was made later has read that manifest. What cannot be read pins everything. Files
 * that a checkpoint keeps go when it has gone, at the next question; checkpoints that have expired go with it.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import { checkpointFolder, decodeCheckpoint, filesOfCheckpoint, isExpired } from './checkpoint-file.ts'
import type { StoredCheckpoint } from './checkpoint-file.ts'

export interface FilePins {
  /** Deletes a table file that no manifest names any more, now or when no checkpoint names it either. */
  deleteUnpinned(name: string): Promise<void>
}

interface PinState {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  /** By name; a checkpoint is never written again under its name. */
  readonly known: Map<string, StoredCheckpoint>
  /** Files that checkpoints kept when they were looked at last. */
  readonly kept: Set<string>
  next: Promise<ReadonlySet<string>> | undefined
}

export function createFilePins(storage: Storage, kernel: Kernel, clock: Clock): FilePins {
  const state: PinState = { storage, kernel, clock, known: new Map(), kept: new Set(), next: undefined }
  return {
    async deleteUnpinned(name) {
      // Calls of one turn share an answer.
      const pinned = await (state.next ??= listPinned(state))
      if (pinned.has(name)) state.kept.add(name)
      else await storage.delete(name)
      await deleteReleased(state, pinned)
    },
  }
}

async function deleteReleased({ storage, kept }: PinState, pinned: ReadonlySet<string>): Promise<void> {
  for (const name of kept) {
    if (pinned.has(name)) continue
    kept.delete(name)
    await storage.delete(name)
  }
}

async function listPinned(state: PinState): Promise<ReadonlySet<string>> {
  const { storage, kernel, clock, known } = state
  await new Promise((resolve) => setImmediate(resolve))
  state.next = undefined
  const listed = (await storage.list(checkpointFolder)).map(({ name }) => name)
  for (const name of known.keys()) if (!listed.includes(name)) known.delete(name)
  for (const name of listed) if (!known.has(name)) await readInto(known, storage, kernel, name)
  const now = Number(clock.wallMicros())
  for (const [name, checkpoint] of known) if (isExpired(checkpoint, now)) await storage.delete(name)
  return new Set([...known.values()].filter((checkpoint) => !isExpired(checkpoint, now)).flatMap(filesOfCheckpoint))
}

async function readInto(known: Map<string, StoredCheckpoint>, storage: Storage, kernel: Kernel, name: string): Promise<void> {
  try {
    known.set(name, decodeCheckpoint(kernel, await storage.read(name), name))
  } catch (error) {
    // Deleted since it was listed.
    if (!(error instanceof LsmtError && error.code === '58P01')) throw error
  }
}

/** Without pins a file goes at once. */
export async function deleteUnpinned(storage: Storage, pins: FilePins | undefined, name: string): Promise<void> {
  await (pins === undefined ? storage.delete(name) : pins.deleteUnpinned(name))
}
