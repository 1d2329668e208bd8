/** A database by its address: storage and engine as one, which are closed together. */
import { LsmtError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { DatabaseSettings } from '../settings.ts'
import { holdsObject } from '../storage/local-probe.ts'
import { addressName, openStorage, withStorage } from '../storage/open-storage.ts'
import type { StorageAddress } from '../storage/open-storage.ts'
import type { Storage } from '../storage/storage.ts'
import type { Engine } from './engine.ts'
import { openReadOnly } from './follow/open-read-only.ts'
import { openEngine } from './open-engine.ts'
import { formatFileName } from './shards/format-file.ts'

export interface DatabaseRequest {
  readonly address: StorageAddress
  readonly settings: DatabaseSettings
  /** The number of shards was asked for, not a default: it must be the database's. */
  readonly isShardCountGiven: boolean
  /** Follows the database's writer and changes nothing. */
  readonly readOnly?: boolean
  /** With `readOnly`: the id of a checkpoint, whose state is shown. */
  readonly atCheckpoint?: string
  /** A directory for the log, of a database in a bucket that is not to have it there. */
  readonly logDirectory?: string
  /** As of EngineOptions. */
  readonly mayTakeOver?: boolean
}

/** Makes the database if there is none, unless it is only to be read: 58P01 then. */
export async function openDatabase(request: DatabaseRequest, environment: { readonly clock: Clock; readonly random: Random }): Promise<Engine> {
  const { address, logDirectory, readOnly = false, ...options } = request
  if (readOnly) assertFollowable(address)
  if (readOnly && logDirectory !== undefined) throw new LsmtError('22023', 'who only reads has no log: a local one contradicts that')
  const localLog = logDirectory === undefined ? undefined : await openStorage({ kind: 'local', directory: logDirectory })
  let storage: Storage | undefined
  const close = async (): Promise<void> => {
    await storage?.close()
    await localLog?.close()
  }
  try {
    storage = await openStorage(address, readOnly ? 'read' : 'write')
    const all = { storage, ...options, ...environment, ...(address.kind !== 'memory' && { storageAddress: address }), ...(localLog !== undefined && { localLog }) }
    const engine = await (readOnly ? openReadOnly(all) : openEngine(all))
    return {
      ...engine,
      async close() {
        await engine.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Before anything is made or locked there. */
function assertFollowable(address: StorageAddress): void {
  if (address.kind !== 's3') throw new LsmtError('0A000', `${addressName(address)} is not opened read-only: a directory belongs to the one process that has it open`, { hint: 'a database in a bucket has room for nodes that read beside the one that writes' })
}

/** Nothing is made by looking. */
export async function holdsDatabase(address: StorageAddress): Promise<boolean> {
  switch (address.kind) {
    case 'local':
      return await holdsObject(address.directory, formatFileName)
    case 'memory':
      return false
    case 's3':
      return await withStorage(address, 'read', async (storage) => (await storage.list(formatFileName)).some(({ name }) => name === formatFileName))
  }
}
