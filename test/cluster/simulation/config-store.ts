/**
 * etcd as far as replicas rely on it: one value with a revision, leases that end, transactions, watches that lag or lose
 * their place. Requests and answers go over the network, so either may be lost, and a request may come long after its
 * sender gave it up.
 */
import { encodeConfiguration, firstConfiguration } from '../../../src/cluster/replication/configuration.ts'
import type { ConfigurationAt, ReplicaId, ShardConfiguration } from '../../../src/cluster/replication/configuration.ts'
import type { Effect, LiveNode } from '../../../src/cluster/replication/event.ts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

export const configStore = 'etcd'

export type Swap = Extract<Effect, { kind: 'swap' }>

interface LiveEntry extends LiveNode {
  readonly leaseId: number
  expiresAtMs: number
}

export interface ConfigStore {
  readonly at: ConfigurationAt
  readonly live: readonly LiveNode[]
  isDown: boolean
  /** Extra time until watches hear of a change. */
  watchLagMs: number
  /** Watches lost their place: they see nothing until they list again. */
  areWatchesLost: boolean
  /** `answer` is not called when request or answer is lost. */
  keepAlive(node: LiveNode, leaseId: number | undefined, answer: (leaseId: number) => void): void
  swap(node: string, swap: Swap, answer: (revision: number | undefined) => void): void
  read(node: string, answer: (at: ConfigurationAt) => void): void
  list(node: string): void
  up(): void
  /** As an operator who edits by hand. */
  revoke(node: string): void
  onWatch(node: string, see: (at: ConfigurationAt, live: readonly LiveNode[]) => void): void
  onChange(check: (configuration: ShardConfiguration) => void): void
}

export function createConfigStore(world: World, network: Network, ttlMs: number, members: readonly ReplicaId[]): ConfigStore {
  let at: ConfigurationAt = { revision: 1, configuration: firstConfiguration(members) }
  let revision = 1
  const live = new Map<string, LiveEntry>()
  const watchers = new Map<string, (at: ConfigurationAt, live: readonly LiveNode[]) => void>()
  let check: (configuration: ShardConfiguration) => void = () => undefined

  const liveKey = (node: string, incarnation: number): string => `${node}/${incarnation}`
  const liveNodes = (): readonly LiveNode[] => [...live.values()].map(({ node, store, incarnation }) => ({ node, store, incarnation }))

  /** A request that is carried out when it arrives, and its answer. */
  function exchange<T>(node: string, carryOut: () => T, answer: (result: T) => void): void {
    network.send(node, configStore, () => {
      if (store.isDown) return
      const result = carryOut()
      network.send(configStore, node, () => answer(result))
    })
  }

  function list(node: string): void {
    const [seenAt, seenLive] = [at, liveNodes()]
    const see = watchers.get(node)
    if (see !== undefined) network.send(configStore, node, () => world.after(world.random.nextFloat() * store.watchLagMs, () => see(seenAt, seenLive)))
  }

  function changed(): void {
    if (store.areWatchesLost) return
    for (const node of watchers.keys()) list(node)
  }

  function expireLater(key: string): void {
    const entry = live.get(key)
    if (entry === undefined) return
    world.after(Math.max(0, entry.expiresAtMs - world.nowMs), () => {
      const now = live.get(key)
      if (now !== entry) return
      // While it is down nobody hears of an end, and afterwards leases begin anew.
      if (store.isDown || now.expiresAtMs > world.nowMs) return store.isDown ? world.after(ttlMs, () => expireLater(key)) : expireLater(key)
      live.delete(key)
      revision++
      world.note(() => `etcd: lease of ${key} ended`)
      changed()
    })
  }

  function carryOutKeepAlive({ node, store: storeId, incarnation }: LiveNode, leaseId: number | undefined): number {
    const key = liveKey(node, incarnation)
    const entry = live.get(key)
    if (entry !== undefined && entry.leaseId === leaseId) {
      entry.expiresAtMs = world.nowMs + ttlMs
      return leaseId
    }
    const fresh: LiveEntry = { node, store: storeId, incarnation, leaseId: ++revision, expiresAtMs: world.nowMs + ttlMs }
    live.set(key, fresh)
    expireLater(key)
    changed()
    return fresh.leaseId
  }

  function carryOutSwap(node: string, { revision: expected, configuration, leaseId, absent }: Swap): number | undefined {
    if (at.revision !== expected) return undefined
    if (leaseId !== undefined && ![...live.values()].some((entry) => entry.node === node && entry.leaseId === leaseId)) return undefined
    if (absent !== undefined && live.has(liveKey(absent.node, absent.incarnation))) return undefined
    at = { revision: ++revision, configuration }
    world.note(() => `etcd: ${node} put ${encodeConfiguration(configuration)}`)
    check(configuration)
    changed()
    return at.revision
  }

  const store: ConfigStore = {
    get at() { return at },
    get live() { return liveNodes() },
    isDown: false,
    watchLagMs: 5,
    areWatchesLost: false,
    keepAlive: (node, leaseId, answer) => exchange(node.node, () => carryOutKeepAlive(node, leaseId), answer),
    swap: (node, swap, answer) => exchange(node, () => carryOutSwap(node, swap), answer),
    read: (node, answer) => exchange(node, () => at, answer),
    list: (node) => exchange(node, () => list(node), () => undefined),
    up() {
      store.isDown = false
      for (const entry of live.values()) entry.expiresAtMs = world.nowMs + ttlMs
    },
    revoke(node) {
      for (const [key, entry] of live) if (entry.node === node) live.delete(key)
      revision++
      changed()
    },
    onWatch: (node, see) => void watchers.set(node, see),
    onChange: (listener) => void (check = listener),
  }
  return store
}
