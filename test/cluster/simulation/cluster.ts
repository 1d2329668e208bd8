/** Three nodes (or more), the store, the network and clients, from one seed. */
import type { ShardConfiguration } from '../../../src/cluster/replication/configuration.ts'
import { identityAtStart } from '../../../src/cluster/replication/identity.ts'
import type { RegisteredNode } from '../../../src/cluster/replication/identity.ts'
import type { LeasePolicy } from './lease.ts'
import { rules } from '../../../src/cluster/replication/rules.ts'
import type { Rules } from '../../../src/cluster/replication/rules.ts'
import type { ReplicaState } from '../../../src/cluster/replication/state/replica-state.ts'
import type { ReplicationTiming } from '../../../src/cluster/replication/timing.ts'
import { createClient } from './client.ts'
import type { Client } from './client.ts'
import { configStore, createConfigStore } from './config-store.ts'
import type { ConfigStore } from './config-store.ts'
import { createDisk } from './disk.ts'
import type { Disk } from './disk.ts'
import { createNetwork } from './network.ts'
import type { Network } from './network.ts'
import { createNode } from './node.ts'
import type { NodeOptions, SimulatedNode } from './node.ts'
import { createObserver } from './observer.ts'
import type { Observer } from './observer.ts'
import { createWorld } from './world.ts'
import type { World } from './world.ts'

/** Everything ten times as fast as it will be, so that a schedule has few steps. */
const shortTiming: ReplicationTiming = {
  heartbeatMs: 30, retransmitMs: 60, electionPauseMs: 40, replaceAfterMs: 200, goneAfterMs: 80, joinAfterMs: 300, resignAfterMs: 350, standAsideMs: 150, changePauseMs: 150, readMsMax: 100, storeTimeoutMs: 80,
}

const shortLease: LeasePolicy = { ttlMs: 200, driftMax: 0.02, marginMs: 2, stallMsMax: 60 }

export interface ClusterOptions {
  readonly seed: number
  readonly nodeCount?: number
  readonly factor?: number
  readonly isTraced?: boolean
  readonly syncsBeforeAck?: boolean
  readonly timing?: Partial<ReplicationTiming>
  readonly lease?: Partial<LeasePolicy>
  /** Broken ones, to see that it is noticed. */
  readonly rules?: Partial<Rules>
  /** What nodes are made of. */
  readonly nodeOf?: (options: NodeOptions, firstDisk: Disk) => SimulatedNode
  /** Called with every new state of a replica. */
  readonly seal?: (state: ReplicaState) => void
  /** What a broken restart does to the disk first. */
  readonly beforeStart?: (disk: Disk) => void
}

export interface Cluster {
  readonly world: World
  readonly network: Network
  readonly store: ConfigStore
  readonly observer: Observer
  readonly nodes: readonly SimulatedNode[]
  node(name: string): SimulatedNode
  /** Who acts as leader with the greatest epoch. */
  readonly leader: SimulatedNode | undefined
  readonly configuration: ShardConfiguration
  client(name: string): Client
  /** With its disk, or with another one that somebody has put there. */
  start(node: SimulatedNode, disk?: Disk): void
  /** Starts it with a new, empty disk. */
  startEmpty(node: SimulatedNode): void
  readonly ends: readonly string[]
}

export function createCluster({ seed, nodeCount = 3, factor = 2, isTraced = false, syncsBeforeAck = true, rules: broken = {}, timing: otherTiming = {}, lease: otherLease = {}, beforeStart, seal, nodeOf = createNode }: ClusterOptions): Cluster {
  const lease: LeasePolicy = { ...shortLease, ...otherLease }
  const world = createWorld(seed, isTraced)
  const network = createNetwork(world)
  const names = Array.from({ length: nodeCount }, (_, i) => `n${i + 1}`)
  const store = createConfigStore(world, network, lease.ttlMs, names.slice(0, factor).map((node) => ({ node, store: `${node}-a` })))
  const observer = createObserver(world, () => ({ nodes, lostDisks, factor }))
  store.onChange((configuration) => observer.configurationChanged(configuration))
  const byName = new Map<string, SimulatedNode>()
  const lostDisks: Disk[] = []
  const context = { rules: { ...rules, ...broken }, timing: { ...shortTiming, ...otherTiming } }
  const nodes = names.map((name) => nodeOf({
    world, network, store, name, context, lease, tickMs: 15, keepAliveMs: 50, watch: observer, seal,
    clockRate: 1 + (world.random.nextFloat() - 0.5) * lease.driftMax,
    deliver: (to, message) => byName.get(to)?.receive(message),
    filesOf(from, fromStore) {
      const source = byName.get(from)
      return source?.state !== undefined && source.disk.store === fromStore ? source.disk.files : undefined
    },
  }, createDisk(world, `${name}-a`, syncsBeforeAck)))
  for (const node of nodes) byName.set(node.name, node)
  /** As `/node/<node>` in the store has them, of the last start of each. */
  const registered = new Map<string, RegisteredNode>()
  const newDisk = (node: SimulatedNode): Disk => {
    lostDisks.push(node.disk)
    return createDisk(world, `${node.name}-${lostDisks.length}`, syncsBeforeAck)
  }
  function start(node: SimulatedNode, found: Disk = node.disk): void {
    if (node.state !== undefined) return
    beforeStart?.(found)
    const { store: storeId, incarnation } = found
    const identity = identityAtStart({ store: storeId, incarnation, wasCleanlyStopped: incarnation === 0, syncsBeforeAck }, registered.get(node.name))
    const disk = identity.kind === 'same' ? found : newDisk(node)
    registered.set(node.name, { store: disk.store, incarnation: identity.incarnation })
    node.start(disk, identity.incarnation)
  }
  for (const node of nodes) start(node)
  return {
    world, network, store, observer, nodes,
    node: (name) => byName.get(name)!,
    get leader() {
      const leading = nodes.filter(({ state }) => state?.role.kind === 'leader')
      return leading.sort((a, b) => b.state!.epoch - a.state!.epoch)[0]
    },
    get configuration() { return store.at.configuration },
    client: (name) => createClient({ world, network, observer, nodes }, name),
    start,
    startEmpty: (node) => start(node, newDisk(node)),
    ends: [...names, configStore],
  }
}
