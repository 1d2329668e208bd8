/** A database by its address: storage and engine as one, which are closed together. */
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { DatabaseSettings } from '../settings.ts'
import { holdsObject } from '../storage/local-probe.ts'
import { openStorage, withStorage } from '../storage/open-storage.ts'
import type { StorageAddress } from '../storage/open-storage.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open-engine.ts'
import { formatFileName } from './shards/format-file.ts'

export interface DatabaseRequest {
  readonly address: StorageAddress
  readonly settings: DatabaseSettings
  /** The number of shards was asked for, not a default: it must be the database's. */
  readonly isShardCountGiven: boolean
}

/** Makes the database if there is none. */
export async function openDatabase({ address, settings, isShardCountGiven }: DatabaseRequest, environment: { readonly clock: Clock; readonly random: Random }): Promise<Engine> {
  const storage = await openStorage(address)
  try {
    const engine = await openEngine({ storage, settings, isShardCountGiven, ...environment, ...(address.kind !== 'memory' && { storageAddress: address }) })
    return {
      ...engine,
      get catalogVersion() {
        return engine.catalogVersion
      },
      async close() {
        await engine.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
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
