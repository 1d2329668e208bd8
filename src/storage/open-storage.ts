/** Storage by address: plain data, so that worker threads can open their own. */
import { LsmtError } from '../errors.ts'
import { attachLocalStorage, openLocalStorage } from './local-storage.ts'
import { createMemoryStorage } from './memory-storage.ts'
import type { Storage } from './storage.ts'

export type StorageAddress = LocalAddress | { readonly kind: 'memory' }

export interface LocalAddress {
  readonly kind: 'local'
  /** Created if absent. */
  readonly directory: string
}

/** Opens a storage for this process; a local directory for it alone (55006 when another has it). */
export async function openStorage(address: StorageAddress): Promise<Storage> {
  switch (address.kind) {
    case 'local':
      return openLocalStorage(address.directory)
    case 'memory':
      return createMemoryStorage()
  }
}

/** A further handle for a worker thread on what this process has opened already; to be closed before that. 0A000 for memory. */
export async function attachStorage(address: StorageAddress): Promise<Storage> {
  switch (address.kind) {
    case 'local':
      return attachLocalStorage(address.directory)
    case 'memory':
      throw new LsmtError('0A000', 'storage in memory belongs to one thread')
  }
}
