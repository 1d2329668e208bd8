/** Everything that a node does in its cluster while it is open; what it knows stands in the view. */
import { LsmtError } from '../../errors.ts'
import { pause } from '../../runtime/alarms.ts'
import type { ConfigurationAt } from '../replication/configuration.ts'
import type { LiveNode } from '../replication/event.ts'
import type { RequestHandler } from '../transport/call/services.ts'
import type { Told } from '../transport/told.ts'
import type { Transport } from '../transport/transport.ts'
import { createController, planOf } from './control/controller.ts'
import type { Controller } from './control/controller.ts'
import { createOperations } from './control/operations.ts'
import { Ownership, stuckShards } from './control/ownership.ts'
import type { KnownOwners } from './control/ownership.ts'
import { createOutOfReach } from './control/out-of-reach.ts'
import type { OutOfReach } from './control/out-of-reach.ts'
import { createNodeQuestions, ledStatusOf, nodeHandlers } from './control/requests.ts'
import type { NodeQuestions } from './control/requests.ts'
import type { HostedReplica, OpenReplica } from './hosted-replica.ts'
import type { ClusterMembership, ClusterOperations, LedStatus, MembershipStatus } from './membership.ts'
import { membershipStatus } from './membership-status.ts'
import { createFirstPlacement, missingShards } from './shards/first-placement.ts'
import type { FirstPlacement } from './shards/first-placement.ts'
import { ReplicaKeeper } from './shards/replica-keeper.ts'
import { createToldShards } from './shards/told-shards.ts'
import type { ToldShards } from './shards/told-shards.ts'
import type { Registered, RegisterOptions } from './start/register.ts'
import { liveNodes, storesOf } from './store/cluster-view.ts'
import { readShard, swapShard } from './store/shard-store.ts'
import type { WatchedView } from './store/watched-view.ts'
import type { Change } from '../placement/plan.ts'

export interface MembershipOptions<R extends HostedReplica> extends RegisterOptions {
  readonly openReplica: OpenReplica<R>
  /** The transport of this node, answering these requests among others. Both it and the client of etcd stay open. */
  readonly connect: (requests: Readonly<Record<string, RequestHandler>>) => Transport
  /** This node must stop: another one has its name. */
  readonly fatal: (error: LsmtError) => void
}

const leavePollMs = 20

interface NodeOptions<R extends HostedReplica> extends MembershipOptions<R> {
  readonly registered: Registered
  readonly watched: WatchedView
  readonly told: Told
}

export class NodeMembership<R extends HostedReplica> implements ClusterMembership<R> {
  readonly self: LiveNode
  readonly shardCount: number
  readonly factor: number
  readonly transport: Transport
  readonly operate: ClusterOperations
  readonly #options: NodeOptions<R>
  readonly #keeper: ReplicaKeeper<R>
  readonly #placement: FirstPlacement
  readonly #controller: Controller
  /** Of a cluster in a bucket; elsewhere copies move, and the members of a shard elect who leads it. */
  readonly #ownership: Ownership | undefined
  readonly #outOfReach: OutOfReach
  readonly #questions: NodeQuestions
  readonly #toldShards: ToldShards
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #ticking: Promise<void>
  #isLeaving = false

  constructor(options: NodeOptions<R>) {
    const { registered, watched, told, log, etcd, storage, openReplica, clock, settings } = options
    const { self, keys, presence, cluster: { shardCount, factor } } = registered
    this.#options = options
    this.self = self
    this.shardCount = shardCount
    this.factor = factor
    this.transport = options.connect(nodeHandlers({ leader: (shard) => this.#leader(shard), handOver: (shard) => this.#leader(shard).resign(), passOn: (node, shard) => this.#ask(node, { kind: 'handOver', shard, node }), copies: () => this.#keeper.copies(), led: () => this.#led() }))
    this.#questions = createNodeQuestions(this.transport, settings.askMsMax)
    const view = (): WatchedView['view'] => watched.view
    const ask = (node: string, change: Change): Promise<void> => this.#ask(node, change)
    const shared = { etcd, keys, view, log, told, self, shardCount }
    this.#keeper = new ReplicaKeeper<R>({ ...shared, storage, clock, presence, openReplica, settle: (node) => this.#questions.settle(node), onChange: () => this.#tell() })
    this.#toldShards = createToldShards(self.node, log)
    this.#placement = createFirstPlacement({ ...shared, factor, clock, settings })
    const isInCharge = (): boolean => !this.#isLeaving && isLeader(this.replica(0))
    const isConnected = (node: string): boolean => node === self.node || this.transport.stats().to.some((peer) => peer.node === node && peer.isConnected)
    this.#controller = createController({ ...shared, movesMax: settings.movesMax, ask, isInCharge, isConnected })
    this.#outOfReach = createOutOfReach({ view, log, clock, isInCharge, isConnected, self: self.node, afterMs: settings.unreachedMs, againMs: settings.unreachedAgainMs, handOver: (via, node, shard) => this.#questions.passOn(via, node, shard) })
    this.#ownership = options.bucket === undefined ? undefined : this.#createOwnership()
    const operations = createOperations({ ...shared, ask, questions: this.#questions, ownCopies: () => this.#keeper.copies() })
    // What is in a bucket is not lost with nodes.
    this.operate = this.#ownership === undefined ? operations : { ...operations, findLost: () => Promise.resolve([]) }
    presence.onChange(() => {
      this.#keeper.leaseChanged()
      this.#ownership?.tend()
      this.#tell()
    })
    watched.onChange(() => this.#viewChanged())
    this.#viewChanged()
    this.#ticking = this.#tick()
  }

  replica(shard: number): R | undefined {
    return this.#keeper.replica(shard)
  }

  leaderOf(shard: number): string | undefined {
    return this.configuration(shard)?.configuration.leader?.node
  }

  membersOf(shard: number): readonly string[] {
    return this.configuration(shard)?.configuration.members.map(({ node }) => node) ?? []
  }

  addressOf(node: string): string | undefined {
    const { view } = this.#options.watched
    return liveNodes(view).get(node)?.address ?? view.nodes.get(node)?.address
  }

  configuration(shard: number): ConfigurationAt | undefined {
    return this.#options.watched.view.shards.get(shard)
  }

  async readShardZeroEpoch(): Promise<number> {
    const at = await readShard(this.#options.etcd, this.#options.registered.keys, 0)
    if (at === undefined) throw new LsmtError('57P03', 'shard 0 has no members yet')
    return at.configuration.epoch
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  isReady(): boolean {
    const { watched, registered } = this.#options
    return watched.view.cluster?.isPlaced === true && registered.presence.isTrusted()
  }

  status(): MembershipStatus {
    return this.#statusWith(this.#led())
  }

  async statusOfAll(timeoutMs: number): Promise<MembershipStatus> {
    const { watched, told, log } = this.#options
    const others = [...liveNodes(watched.view).keys()].filter((node) => node !== this.self.node)
    const led = await Promise.all(others.map((node) => this.#questions.led(node, timeoutMs).catch((error: unknown) => {
      if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
      if (told.isNews(`led ${node}`, error.message)) log.warn({ node }, `${node} does not tell what it leads: ${error.message}`)
      return new Map<number, LedStatus>()
    })))
    return this.#statusWith(new Map([...led.flatMap((each) => [...each]), ...this.#led()]))
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    this.#keeper.leadNoMore()
    this.#ownership?.leave()
    const { alarms, clock, settings, log, told, registered: { presence } } = this.#options
    const unsaid = (what: string) => (error: unknown): void => {
      if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
      log.warn({}, `${what}: ${error.message}`)
    }
    // Others that leave as well do not wait for this one to take over, nor this one for them.
    const announcing = presence.announceLeaving().catch(unsaid('etcd was not told that this node is about to leave'))
    const resigning = new Set<R>()
    const left = (): readonly number[] => this.#replicas().filter(({ shard }) => !this.#isTakenOver(shard)).map(({ shard }) => shard)
    for (const endMs = clock.monotonicMs() + settings.leaveMsMax; left().length > 0 && clock.monotonicMs() < endMs; await pause(alarms, leavePollMs)) {
      // One that was elected meanwhile is among them.
      for (const replica of this.#replicas().filter((each) => isLeader(each) && !resigning.has(each) && !this.#isTakenOver(each.shard))) {
        resigning.add(replica)
        void replica.resign().catch((error: unknown) => {
          if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
          if (told.isNews(`leaving ${replica.shard}`, error.message)) log.warn({ shard: replica.shard }, `shard ${replica.shard} could not be handed over: ${error.message}`)
        }).finally(() => resigning.delete(replica))
      }
    }
    if (left().length > 0) log.warn({ shards: left() }, `nobody has taken over within ${settings.leaveMsMax} ms what this node kept: shards ${left().join(', ')}`)
    await announcing
    await presence.leave().catch(unsaid('etcd was not told that this node leaves, and waits for its lease'))
  }

  async close(): Promise<void> {
    this.#isLeaving = true
    this.#closing.abort()
    this.#listeners.clear()
    await this.#options.watched.close()
    await Promise.all([this.#ticking, this.#placement.close(), this.#controller.close(), this.#outOfReach.close(), this.#ownership?.close()])
    await this.#keeper.close()
    this.#options.registered.presence.close()
  }

  #createOwnership(): Ownership {
    const { registered: { self, keys, presence }, etcd, clock, alarms, log } = this.#options
    return new Ownership({
      self, clock, alarms, log,
      known: () => this.#knownOwners(),
      leaseId: () => (presence.isTrusted() ? presence.lease.leaseId : undefined),
      swap: (shard, request) => swapShard(etcd, keys, self, shard, request),
      giveUp: async (shard) => await this.#leader(shard).resign(),
    })
  }

  #knownOwners(): KnownOwners {
    const { view } = this.#options.watched
    return { shards: view.shards, live: [...liveNodes(view).values()], draining: view.cluster?.draining ?? [] }
  }

  /** Another one leads it, or there is no other member, or owner, to do so. */
  #isTakenOver(shard: number): boolean {
    const { watched: { view }, bucket } = this.#options
    const { leader, members } = view.shards.get(shard)!.configuration
    const staying = [...liveNodes(view).values()].filter(({ node, isLeaving }) => node !== this.self.node && !isLeaving)
    const hasOther = bucket === undefined ? members.some(({ store }) => staying.some((node) => node.store === store)) : staying.length > 0
    return !hasOther || (leader !== null && leader.node !== this.self.node)
  }

  #statusWith(led: ReadonlyMap<number, LedStatus>): MembershipStatus {
    const { watched, registered, cluster, settings } = this.#options
    const { view, failure } = watched
    return membershipStatus({
      cluster, node: this.self.node, shardCount: this.shardCount, factor: this.factor, view, led, unopened: this.#keeper.unopened(),
      isLeaseTrusted: registered.presence.isTrusted(), storeFailure: failure, plan: this.#ownership === undefined ? planOf(view, this.shardCount, settings.movesMax) : { changes: [], stuck: stuckShards(this.#knownOwners()) },
    })
  }

  #replicas(): readonly R[] {
    return Array.from({ length: this.shardCount }, (_, shard) => this.replica(shard)).filter((replica) => replica !== undefined)
  }

  #led(): ReadonlyMap<number, LedStatus> {
    return new Map(this.#replicas().filter(isLeader).map((replica) => [replica.shard, ledStatusOf(replica.status())]))
  }

  #leader(shard: number): R {
    const replica = this.replica(shard)
    if (replica === undefined || !isLeader(replica)) throw new LsmtError('57P03', `shard ${shard} is not led by ${this.self.node}`)
    return replica
  }

  /** A change, of the leader of its shard, which may be this node. */
  async #ask(node: string, change: Change): Promise<void> {
    if (node !== this.self.node) return await this.#questions.change(node, change)
    if (change.kind === 'move') this.#leader(change.shard).move(change.fromStore, change.to)
    else await this.#leader(change.shard).resign()
  }

  #viewChanged(): void {
    this.#connectPeers()
    this.#tellVersions()
    this.#tellMissing()
    this.#toldShards.tend(this.#options.watched.view)
    this.#keeper.tend()
    this.#placement.tend()
    this.#ownership?.tend()
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Nodes that are there, and those that keep something though etcd does not see them: they may be reached all the same. */
  #connectPeers(): void {
    const { view } = this.#options.watched
    const keeping = new Set([...view.shards.values()].flatMap(storesOf))
    const peers = [...view.nodes].filter(([node, { store }]) => node !== this.self.node && (keeping.has(store) || liveNodes(view).has(node)))
    this.transport.setPeers(new Map(peers.map(([node]) => [node, this.addressOf(node)!])))
  }

  #tellVersions(): void {
    const { watched: { view }, version, told, log } = this.#options
    for (const node of liveNodes(view).keys()) {
      const other = view.nodes.get(node)?.version
      if (other !== undefined && other !== version && told.isNews(`version of ${node}`, other)) log.warn({ node }, `${node} runs version ${other} of lsmt, this node ${version}`)
    }
  }

  #tellMissing(): void {
    const { watched: { view }, told, log } = this.#options
    const missing = view.cluster?.isPlaced === true ? missingShards(view, this.shardCount) : []
    if (missing.length > 0 && told.isNews('missing', missing.join())) log.error({ shards: missing }, `etcd has lost who keeps shards ${missing.join(', ')}: restore its backup; nodes still have the copies`)
  }

  async #tick(): Promise<void> {
    const { alarms, clock, settings } = this.#options
    for (let planAtMs = clock.monotonicMs() + settings.planEveryMs; ; ) {
      await pause(alarms, settings.lookEveryMs, this.#closing.signal)
      if (this.#closing.signal.aborted) return
      this.#placement.tend()
      if (this.#ownership === undefined) this.#outOfReach.look()
      if (clock.monotonicMs() < planAtMs) continue
      planAtMs = clock.monotonicMs() + settings.planEveryMs
      this.#keeper.tend()
      if (this.#ownership === undefined) this.#controller.tend()
    }
  }
}

function isLeader(replica: HostedReplica | undefined): boolean {
  return replica?.status().role === 'leader'
}
