/** A node of a cluster as `lsmt serve` opens it; the composition root knows how. */
import type { ClusterRequest } from '../../cluster/open-cluster.ts'
import type { ServedCluster } from '../../http/forward/served-cluster.ts'

/** What flags tell a node of its cluster. */
export type ClusterChoice = Omit<ClusterRequest, 'settings' | 'version' | 'log' | 'fatal' | 'membership' | 'transport' | 'timing'>

export interface ClusterNode extends ServedCluster {
  /** It takes part, and has read the catalog. */
  isReady(): boolean
  /** Lets others lead what it leads. */
  leave(): Promise<void>
  /** The connections of other nodes too. */
  close(): Promise<void>
}
