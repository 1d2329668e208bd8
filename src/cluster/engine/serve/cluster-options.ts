/** What a node of a cluster is opened with; plain data, and what it stands on. */
import type { Clock } from '../../../runtime/clock.ts'
import type { Log } from '../../../runtime/log.ts'
import type { Random } from '../../../runtime/random.ts'
import type { DatabaseSettings } from '../../../settings.ts'
import type { StorageAddress } from '../../../storage/open-storage.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { EtcdAddress } from '../../etcd/etcd-settings.ts'
import type { MembershipSettings } from '../../node/settings.ts'
import type { ReplicationTiming } from '../../replication/timing.ts'
import type { PeerTls } from '../../transport/dial/connect.ts'
import type { TransportSettings } from '../../transport/settings.ts'

export interface ClusterServerOptions {
  /** Of this node alone, or a bucket that all nodes of the cluster have in common. Stays open when the server is closed. */
  readonly storage: Storage
  /** Where the storage is, so that worker threads can open their own; absent = no workers. */
  readonly storageAddress?: StorageAddress
  readonly settings: DatabaseSettings
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly cluster: string
  readonly nodeId: string
  readonly etcd: EtcdAddress
  /** Where other nodes, and clients, reach this one: `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly advertise: string
  /** Awaited before anybody hears of this start: from then on that address takes connections. What it rejects with ends the opening, and nothing is changed. */
  readonly beforeTold?: () => Promise<void>
  /** At least 16 bytes, the same on all nodes. */
  readonly secret: Uint8Array
  readonly tls?: PeerTls
  /** Copies of every shard; 1 of one in a bucket. */
  readonly factor: number
  /** Of lsmt. */
  readonly version: string
  readonly membership?: Partial<MembershipSettings>
  readonly transport?: Partial<TransportSettings>
  readonly timing?: ReplicationTiming
  /** The process is to end: its disk failed, a bug was met, or another node has its name. */
  readonly fatal: (error: unknown) => void
}
