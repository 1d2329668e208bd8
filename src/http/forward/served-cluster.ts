/** What a server asks of the cluster that its node is part of. */
import type { ClusterServer } from '../../cluster/engine/serve/cluster-server.ts'
import type { ClusterMembership } from '../../cluster/node/membership.ts'

export interface ServedCluster extends Pick<ClusterServer, 'nodeId' | 'engine' | 'at' | 'coordinator' | 'token' | 'copies' | 'isUpgrade' | 'accept'> {
  /** Who is there, where copies are, and what people ask of it. */
  readonly membership: Pick<ClusterMembership, 'status' | 'statusOfAll' | 'operate'>
}
