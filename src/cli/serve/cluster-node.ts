/** A node of a cluster as `lsmt serve` opens it; the composition root knows how. */
import type { EtcdAddress } from '../../cluster/etcd/etcd-settings.ts'
import type { LsmtError } from '../../errors.ts'
import type { ServedCluster } from '../../http/forward/served-cluster.ts'
import type { Log } from '../../runtime/log.ts'
import type { DatabaseSettings } from '../../settings.ts'
import type { LocalAddress } from '../../storage/open-storage.ts'

/** What a node is told of its cluster. */
export interface ClusterChoice {
  readonly cluster: string
  readonly nodeId: string
  readonly etcd: EtcdAddress
  /** Where other nodes and clients reach this one; a base of URLs, without a '/' at the end. */
  readonly advertise: string
  readonly factor: number
  readonly secret: Uint8Array
  /** In PEM: whose certificates of other nodes are believed, where not the system's. */
  readonly peerCa: string | undefined
  readonly address: LocalAddress
}

export interface ClusterRequest extends ClusterChoice {
  readonly settings: DatabaseSettings
  /** Of lsmt. */
  readonly version: string
  readonly log: Log
  /** The node must stop. */
  readonly fatal: (error: LsmtError) => void
}

export interface ClusterNode extends ServedCluster {
  /** It takes part, and knows who coordinates writes. */
  isReady(): boolean
  /** Lets others lead what it leads. */
  leave(): Promise<void>
  /** The connections of other nodes too. */
  close(): Promise<void>
}
