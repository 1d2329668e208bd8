/** What routes need of a cluster: where statements run, by how fresh they are to be, or where writes are coordinated. */
import type { Consistency } from '../../cluster/engine/serve/cluster-server.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Sql } from '../../sql/sql.ts'
import type { Forwarding } from './at-coordinator.ts'

export interface ClusterRoute {
  readonly forwarding: Forwarding
  /** 22023 for a token that is none. */
  reading(consistency: Consistency): Sql
  /** Of an engine that `ServedCluster.coordinator` gave. */
  writing(engine: Engine): Sql
}

/** `sql` is over the cluster's reading engine. */
export function createClusterRoute(forwarding: Forwarding, sql: Sql): ClusterRoute {
  const { cluster } = forwarding
  const coordinating = new WeakMap<Engine, Sql>()
  return {
    forwarding,
    reading: (consistency) => (consistency.kind === 'linearizable' ? sql : sql.over(cluster.at(consistency), cluster.engine)),
    writing(engine) {
      const known = coordinating.get(engine) ?? sql.over(engine)
      coordinating.set(engine, known)
      return known
    },
  }
}
