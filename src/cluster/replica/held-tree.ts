/** The tree of a replica, which becomes another one when the files of another replica take the place of its own. */
import { LsmtError } from '../../errors.ts'
import type { FetchedFiles, ReplicatedTree } from '../../lsm/replicated/replicated-tree.ts'
import type { ReplicaState } from '../replication/state/replica-state.ts'
import type { StorageQueue } from './storage-queue.ts'

export interface TreeEvents {
  /** Everything up to it is visible. */
  onVisible(sequence: number): void
  /** Everything up to it is in files, and may be gone from the log. */
  onTrimmed(startSequence: number): void
  /** A write failed: nothing may be promised any more. */
  onFailure(error: unknown): void
}

export interface TreeSource {
  open(events: TreeEvents): Promise<ReplicatedTree>
  /** Writes files and publishes them in place of log and files as they were, atomically. The tree is closed. */
  install(received: FetchedFiles): Promise<void>
}

export interface HeldTree {
  readonly replicated: ReplicatedTree
  /** It is closed, and another one is to come. */
  readonly isReplaced: boolean
  readonly releasedThrough: number
  readonly settledThrough: number
  /** Monotone: what is older than what was said changes nothing. */
  release(throughSequence: number, settledThrough: number): void
  /** Rejects when all is as it was. */
  replace(received: FetchedFiles, queue: StorageQueue, state: () => ReplicaState): Promise<void>
}

export async function holdTree(source: TreeSource, events: TreeEvents): Promise<HeldTree> {
  let replicated = await source.open(events)
  let isReplaced = false, releasedThrough = 0, settledThrough = 0

  function catchUp(): void {
    replicated.release(releasedThrough)
    replicated.settle(settledThrough)
  }

  /** Neither the old nor the new can be used. */
  function failed(error: unknown): never {
    events.onFailure(error)
    throw error
  }

  /** Gives why nothing was installed. */
  async function reopen(received: FetchedFiles): Promise<unknown> {
    let error: unknown
    await replicated.close()
    try {
      await source.install(received)
    } catch (cause) {
      error = cause
    }
    replicated = await source.open(events)
    return error
  }

  return {
    get replicated() { return replicated },
    get isReplaced() { return isReplaced },
    get releasedThrough() { return releasedThrough },
    get settledThrough() { return settledThrough },
    release(throughSequence, settled) {
      if (throughSequence <= releasedThrough && settled <= settledThrough) return
      releasedThrough = Math.max(releasedThrough, throughSequence)
      settledThrough = Math.max(settledThrough, settled)
      if (!isReplaced) catchUp()
    },
    async replace(received, queue, state) {
      const { commitSequence, log } = state()
      if (received.through.sequence < commitSequence) throw new LsmtError('08P01', `files that end at sequence ${received.through.sequence} came where everything up to ${commitSequence} is committed`)
      await queue.hold()
      isReplaced = true
      const error = await reopen(received).catch(failed)
      isReplaced = false
      catchUp()
      const { startSequence, lastSequence } = replicated.found
      const isInstalled = startSequence === received.through.sequence && lastSequence === startSequence
      if (!isInstalled && (error === undefined || lastSequence !== log.lastSequence)) failed(new LsmtError('XX001', `after files up to sequence ${received.through.sequence} came in place of a log up to ${log.lastSequence}, it is one from ${startSequence} to ${lastSequence}`))
      if (!isInstalled) replicated.commit(commitSequence)
      queue.resume()
      if (!isInstalled) throw error
    },
  }
}
