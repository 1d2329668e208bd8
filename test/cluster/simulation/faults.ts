/**
 * Random faults. Everything may fail at any time but one thing: while a disk is gone whose place nobody has taken, no
 * other member's disk goes, since two copies bear the loss of one.
 */
import { configStore } from './config-store.ts'
import type { Cluster } from './cluster.ts'
import type { SimulatedNode } from './node.ts'

type Fault = (cluster: Cluster) => void

const pick = <T>(cluster: Cluster, list: readonly T[]): T => list[cluster.world.random.below(list.length)]!
const anyNode = (cluster: Cluster): SimulatedNode => (cluster.leader !== undefined && cluster.world.oneIn(2) ? cluster.leader : pick(cluster, cluster.nodes))

function later(cluster: Cluster, from: number, to: number, run: () => void): void {
  cluster.world.after(cluster.world.between(from, to), run)
}

function crash(cluster: Cluster): void {
  const node = anyNode(cluster)
  node.crash()
  later(cluster, 5, 600, () => cluster.start(node))
}

function loseDisk(cluster: Cluster): void {
  const node = anyNode(cluster)
  const { members } = cluster.configuration
  const isOneGone = members.some(({ store }) => !cluster.nodes.some(({ disk }) => disk.store === store))
  const others = cluster.nodes.filter((other) => other !== node && members.some(({ store }) => store === other.disk.store))
  if (isOneGone || !others.some(({ disk }) => cluster.observer.hasAll(disk))) return
  node.crash()
  cluster.startEmpty(node)
}

function pause(cluster: Cluster): void {
  const node = anyNode(cluster)
  if (cluster.world.oneIn(3)) node.hang()
  else node.pause()
  later(cluster, 5, 500, () => node.resume())
}

function cut(cluster: Cluster): void {
  const from = pick(cluster, cluster.ends), to = pick(cluster, cluster.ends)
  cluster.world.note(() => `cut ${from} > ${to}`)
  if (cluster.world.oneIn(2)) cluster.network.cut(from, to)
  else cluster.network.cutBoth(from, to)
  later(cluster, 20, 700, () => {
    cluster.network.heal(from, to)
    cluster.network.heal(to, from)
  })
}

function isolate(cluster: Cluster): void {
  const { name } = anyNode(cluster), hasStore = cluster.world.oneIn(2)
  cluster.world.note(() => `isolate ${name}${hasStore ? ', but for the store' : ''}`)
  const others = cluster.ends.filter((end) => end !== name && !(hasStore && end === configStore))
  for (const other of others) cluster.network.cutBoth(name, other)
  later(cluster, 50, 700, () => {
    for (const other of others) {
      cluster.network.heal(name, other)
      cluster.network.heal(other, name)
    }
  })
}

function storeDown(cluster: Cluster): void {
  cluster.world.note(() => 'etcd down')
  cluster.store.isDown = true
  later(cluster, 20, 600, () => cluster.store.up())
}

function watchGap(cluster: Cluster): void {
  cluster.store.areWatchesLost = true
  later(cluster, 20, 400, () => (cluster.store.areWatchesLost = false))
}

function poorNetwork(cluster: Cluster): void {
  const { faults } = cluster.network
  faults.loss = cluster.world.random.nextFloat() * 0.2
  faults.duplication = cluster.world.random.nextFloat() * 0.2
  faults.lateness = cluster.world.random.nextFloat() * 0.3
  later(cluster, 50, 500, () => (faults.loss = faults.duplication = faults.lateness = 0))
}

function slowDisk(cluster: Cluster): void {
  const { disk } = anyNode(cluster)
  disk.speedMs = 60
  later(cluster, 50, 500, () => (disk.speedMs = 3))
}

function flush(cluster: Cluster): void {
  for (const node of cluster.nodes) if (cluster.world.oneIn(2)) node.flush()
}

function move(cluster: Cluster): void {
  const { leader, configuration } = cluster
  const outside = cluster.nodes.find(({ name, state }) => state !== undefined && !configuration.members.some(({ node }) => node === name))
  const from = configuration.members.find(({ node }) => node !== leader?.name)
  if (leader === undefined || outside === undefined || from === undefined) return
  cluster.world.note(() => `move ${from.store} to ${outside.disk.store}`)
  leader.give({ kind: 'move', fromStore: from.store, to: { node: outside.name, store: outside.disk.store } })
}

const faults: readonly Fault[] = [
  crash, crash, crash, pause, pause, cut, cut, isolate, storeDown, watchGap, poorNetwork, poorNetwork, slowDisk, flush, flush, flush, move, move, move, loseDisk,
  (cluster) => void (cluster.store.watchLagMs = cluster.world.between(0, 120)),
  (cluster) => anyNode(cluster).jumpClock(cluster.world.between(0, 400)),
  (cluster) => anyNode(cluster).stallNextServe(cluster.world.between(0, 400)),
  (cluster) => cluster.leader?.give({ kind: 'resign' }),
]

/** Until `untilMs`, one after the other, sometimes at once. */
export function plague(cluster: Cluster, untilMs: number): void {
  const { world } = cluster
  const next = (): void => {
    if (world.nowMs >= untilMs) return
    pick(cluster, faults)(cluster)
    world.after(world.oneIn(4) ? 0 : world.between(5, 180), next)
  }
  world.after(world.between(60, 150), next)
}

/** Everything works again, and everybody runs. */
export function healAll(cluster: Cluster): void {
  cluster.world.note(() => 'all healed')
  const { network, store, nodes } = cluster
  network.healAll()
  network.faults.loss = network.faults.duplication = network.faults.lateness = 0
  if (store.isDown) store.up()
  store.watchLagMs = 5
  store.areWatchesLost = false
  for (const node of nodes) {
    node.disk.speedMs = 3
    node.stallNextServe(0)
    node.resume()
    cluster.start(node)
  }
}
