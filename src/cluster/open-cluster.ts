/** A node of a cluster by the address of its directory, or of the bucket that all nodes have in common: storage and node as one, which are closed together. */
import { LsmtError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import { openStorage } from '../storage/open-storage.ts'
import type { LocalAddress, StorageAddress } from '../storage/open-storage.ts'
import type { ClusterServerOptions } from './engine/serve/cluster-options.ts'
import { openClusterServer } from './engine/serve/cluster-server.ts'
import type { ClusterServer } from './engine/serve/cluster-server.ts'

export interface ClusterRequest extends Omit<ClusterServerOptions, 'storage' | 'storageAddress' | 'tls' | 'clock' | 'random' | 'fatal'> {
  readonly address: LocalAddress | Extract<StorageAddress, { readonly kind: 's3' }>
  /** In PEM: whose certificates of other nodes are believed, where not the system's. */
  readonly peerCa: string | undefined
  /** The process is to end. */
  readonly fatal: (error: LsmtError) => void
}

/** As `openClusterServer`, and 55006 when another process has the directory open. */
export async function openCluster({ address, peerCa, fatal, ...request }: ClusterRequest, environment: { readonly clock: Clock; readonly random: Random }): Promise<ClusterServer> {
  const storage = await openStorage(address, 'write')
  try {
    const server = await openClusterServer({
      ...request, ...environment, storage, storageAddress: address, tls: { ca: peerCa },
      fatal: (error) => fatal(error instanceof LsmtError ? error : new LsmtError('XX000', `internal error: ${error instanceof Error ? error.message : String(error)}`, {}, error)),
    })
    return {
      ...server,
      get copies() { return server.copies },
      async close() {
        await server.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}
