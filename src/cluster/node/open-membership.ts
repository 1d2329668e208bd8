/**
 * A node takes part in its cluster: registered, under a lease, with a view that follows the configuration store, and from
 * then on the replicas that the store says, first members for the shards of a new cluster, and plans where this node leads.
 */
import { createTold } from '../transport/told.ts'
import type { HostedReplica } from './hosted-replica.ts'
import type { ClusterMembership } from './membership.ts'
import { NodeMembership } from './node-membership.ts'
import type { MembershipOptions } from './node-membership.ts'
import { register } from './start/register.ts'
import { watchView } from './store/watched-view.ts'

/**
 * Resolves once the node is registered and live; its shards may not have members yet. Errors, each of which leaves
 * everything as it was: 08006 etcd cannot be reached, 28000 and 42501 it does not let us in, 22023 for bad names and
 * settings other than the cluster's, 55000 for a directory that is of something else, 55006 for an id that is in use.
 */
export async function openMembership<R extends HostedReplica>(options: MembershipOptions<R>): Promise<ClusterMembership<R>> {
  const { etcd, alarms, log, clock, settings } = options
  const registered = await register(options)
  const told = createTold(clock)
  try {
    const watched = await watchView({ etcd, keys: registered.keys, alarms, log, told, retryMs: settings.retryMs })
    return new NodeMembership<R>({ ...options, registered, watched, told })
  } catch (error) {
    registered.presence.close()
    throw error
  }
}
