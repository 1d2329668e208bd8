/** The replicas of this node: one slot for each shard, told what the configuration store says and doing what they ask of it. */
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import { replacementOrder } from '../../placement/plan.ts'
import type { ConfigurationAt } from '../../replication/configuration.ts'
import type { LiveNode } from '../../replication/event.ts'
import type { Told } from '../../transport/told.ts'
import type { HostedReplica, HostEvent, OpenReplica, ReplicaHost, SwapRequest } from '../hosted-replica.ts'
import type { NodeCopy } from '../control/requests.ts'
import type { UnopenedCopy } from '../membership.ts'
import type { Presence } from '../start/presence.ts'
import type { ClusterView } from '../store/cluster-view.ts'
import type { StoreKeys } from '../store/keys.ts'
import { readShard, swapShard } from '../store/shard-store.ts'
import { ShardSlot } from './shard-slot.ts'

export interface KeeperOptions<R extends HostedReplica> {
  readonly self: LiveNode
  readonly keys: StoreKeys
  readonly shardCount: number
  readonly etcd: Pick<EtcdClient, 'get' | 'transact'>
  readonly storage: Storage
  readonly log: Log
  readonly told: Told
  readonly presence: Presence
  readonly openReplica: OpenReplica<R>
  view(): ClusterView
  settle(node: string): Promise<void>
  readonly onChange: () => void
  readonly clock: { monotonicMs(): number }
}

type Listener = (event: HostEvent) => void

export class ReplicaKeeper<R extends HostedReplica> {
  readonly #options: KeeperOptions<R>
  readonly #slots: readonly ShardSlot<R>[]
  /** By shard, with the revision that each was told last. */
  readonly #listeners = new Map<Listener, { readonly shard: number; toldRevision: number }>()
  #live: readonly LiveNode[] = []
  #mayLead = true

  constructor(options: KeeperOptions<R>) {
    this.#options = options
    this.#slots = Array.from({ length: options.shardCount }, (_, shard) => this.#slotOf(shard))
    this.#live = liveOf(options.view())
  }

  replica(shard: number): R | undefined {
    return this.#slots[shard]?.replica
  }

  unopened(): readonly UnopenedCopy[] {
    return this.#slots.flatMap(({ failure }, shard) => (failure === undefined ? [] : [{ shard, reason: failure.message }]))
  }

  /** The view has changed, or it is time to look again at what could not be done. */
  tend(): void {
    const live = liveOf(this.#options.view())
    const isNews = JSON.stringify(live) !== JSON.stringify(this.#live)
    this.#live = live
    for (const [listener, told] of this.#listeners) {
      this.#tellConfiguration(listener, told)
      if (isNews) listener({ kind: 'live', nodes: live })
    }
    for (const slot of this.#slots) slot.tend()
  }

  leaseChanged(): void {
    for (const listener of this.#listeners.keys()) listener({ kind: 'lease', ...this.#options.presence.lease })
  }

  /** The node is about to stop: what it gives up does not come back to it. */
  leadNoMore(): void {
    this.#mayLead = false
  }

  /** All copies on this disk, also of shards that are kept elsewhere by now; without those that cannot be used. */
  async copies(): Promise<readonly NodeCopy[]> {
    const { store } = this.#options.self
    const found = await Promise.all(this.#slots.map((slot, shard) => slot.look((replica) => {
      const { lastEpoch, durableSequence, halted } = replica.status()
      return halted === undefined ? { shard, store, epoch: lastEpoch, sequence: durableSequence } : undefined
    }).catch((error: unknown) => {
      if (!(error instanceof LsmtError)) throw error
      this.#options.log.warn({ shard }, `what is here of shard ${shard} cannot be used: ${error.message}`)
      return undefined
    })))
    return found.filter((copy) => copy !== undefined)
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.close()))
    this.#listeners.clear()
  }

  #slotOf(shard: number): ShardSlot<R> {
    const { self, storage, log, etcd, keys, openReplica, view, settle, onChange, clock } = this.#options
    return new ShardSlot<R>({
      shard, store: self.store, storage, log, settle, onChange, clock,
      known: () => view().shards.get(shard),
      read: () => readShard(etcd, keys, shard),
      open: () => openReplica(shard, this.#hostOf(shard)),
    })
  }

  #hostOf(shard: number): ReplicaHost {
    const { self, etcd, keys, log, told, presence } = this.#options
    return {
      self,
      listen: (listener) => {
        const mine = { shard, toldRevision: 0 }
        this.#listeners.set(listener, mine)
        this.#tellConfiguration(listener, mine)
        listener({ kind: 'live', nodes: this.#live })
        listener({ kind: 'lease', ...presence.lease })
        return () => void this.#listeners.delete(listener)
      },
      swap: async (request) => (this.#mayLead || !this.#isElection(shard, request) ? await swapShard(etcd, keys, self, shard, request) : { outcome: 'refused' }),
      readConfiguration: async () => {
        const at = await readShard(etcd, keys, shard).catch((error: unknown) => {
          if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
          if (told.isNews(`read ${shard}`, error.message)) log.warn({ shard }, `the configuration of shard ${shard} could not be read: ${error.message}`)
          return undefined
        })
        return at
      },
    }
  }

  #isElection(shard: number, { configuration: { epoch, leader } }: SwapRequest): boolean {
    const known = this.#options.view().shards.get(shard)
    return leader?.node === this.#options.self.node && epoch > (known?.configuration.epoch ?? 0)
  }

  #tellConfiguration(listener: Listener, told: { readonly shard: number; toldRevision: number }): void {
    const at: ConfigurationAt | undefined = this.#options.view().shards.get(told.shard)
    if (at === undefined || at.revision <= told.toldRevision) return
    told.toldRevision = at.revision
    listener({ kind: 'configuration', at, isFresh: false })
  }
}

/** Best candidates for a copy first. Earlier incarnations whose leases have not ended yet stand there too: whoever waits for their end sees it. */
function liveOf({ live, shards, cluster }: ClusterView): readonly LiveNode[] {
  const configurations = [...shards.values()].map(({ configuration }) => configuration)
  const all = [...live.values()].map(({ node, store, incarnation }) => ({ node, store, incarnation }))
  // Draining nodes are there, though none of them is a candidate: they stand last.
  const leaving = [...live.values()].filter(({ isLeaving }) => isLeaving).map(({ node }) => node)
  const candidates = replacementOrder(all, configurations, [...(cluster?.draining ?? []), ...leaving])
  return [...candidates, ...all.filter((node) => !candidates.includes(node))]
}
