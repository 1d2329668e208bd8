/**
 * A shard whose data is in a bucket as its owner's node sees it. The owner alone is its member, so what is durable in the
 * bucket is committed; who owns it says the configuration store, and that nobody else writes the claims in the bucket,
 * whatever the store says. An owner that cannot go on, or is not to, gives the shard up, and another one opens it.
 *
 * Reads of all levels go to the owner. It answers by its lease; where that does not hold, it looks first whether a later
 * owner has claimed the shard.
 */
import { LsmtError } from '../../errors.ts'
import { isOvertaken } from '../../lsm/claim/writer-claim.ts'
import type { OwnedTree } from '../../lsm/owned/owned-tree.ts'
import type { Tree } from '../../lsm/tree.ts'
import type { Alarms } from '../../runtime/alarms.ts'
import { pause } from '../../runtime/alarms.ts'
import type { Log } from '../../runtime/log.ts'
import type { HostEvent, ReplicaHost } from '../node/hosted-replica.ts'
import { refusalError } from '../replica/refusal.ts'
import type { OpenedShard, ReplicaStatus, SeenTree } from '../replica/replica.ts'
import type { PeerReplica } from '../replica/replica-options.ts'
import { Coordinated } from '../replica/requests/coordinated.ts'
import type { CoordinatedState } from '../replica/requests/coordinated.ts'
import { createReads } from '../replica/requests/reads.ts'
import type { Reads } from '../replica/requests/reads.ts'
import { withoutLeader } from '../replication/configuration.ts'
import type { ConfigurationAt, ShardConfiguration } from '../replication/configuration.ts'
import type { ReadLevel } from '../replication/event.ts'
import type { Lease } from '../replication/state/replica-state.ts'
import { ClaimLooks } from './claim-looks.ts'
import { Holding } from './holding.ts'
import type { OwnedShard, ShardEvents } from './open-shard.ts'
import { unopenedTree } from './unopened-tree.ts'

export interface BucketReplicaOptions {
  readonly shard: number
  readonly host: ReplicaHost
  readonly clock: { monotonicMs(): number }
  readonly alarms: Alarms
  readonly log: Log
  /** Of one write: what a message to another node can take, with a kilobyte to spare. */
  readonly batchBytesMax: number
  /** For which a read waits for what it needs. */
  readonly readMsMax: number
  openShard(events: ShardEvents): Promise<OwnedShard>
  /** Awaited before it gives the shard up by itself, as long as it could go on. */
  readonly beforeResigning?: () => Promise<void>
  /** Linearizable, from the configuration store, by a read that is sent after this call. */
  readShardZeroEpoch(): Promise<number>
}

const tickMs = 200, retryMs = 500
/** Until a shard that cannot be opened is given up: the next owner may meet the same. */
const failurePauseMs = 1_000
/** For which one that resigns goes on serving while what is in memory goes to files, so that the next one has little to read. */
const flushMsMax = 3_000

export class BucketReplica implements PeerReplica {
  readonly shard: number
  readonly store: string
  readonly #unopened: SeenTree
  readonly #options: BucketReplicaOptions
  readonly #coordinated: Coordinated
  readonly #reads: Reads
  readonly #looks: ClaimLooks
  readonly #listeners = new Set<() => void>()
  readonly #stopListening: () => void
  readonly #closing = new AbortController()
  #known: ConfigurationAt | undefined
  #lease: Lease = { leaseId: -1, deadlineMs: -Infinity }
  #holding: Holding | undefined
  /** The shard is to be given up under this epoch. */
  #resigning: { readonly epoch: number } | undefined
  #working: Promise<void> | undefined
  #isAskedAgain = false
  #takeBackTick = (): void => {}
  #told = ''

  constructor(options: BucketReplicaOptions) {
    const { shard, host, clock } = options
    this.#options = options
    this.shard = shard
    this.store = host.self.store
    this.#unopened = unopenedTree(() => this.#notHere())
    this.#looks = new ClaimLooks({
      look: () => this.#look(),
      served: (id) => this.#reads.serve({ kind: 'serve', id, deadlineMs: Infinity }),
      overtaken: (id) => this.#reads.refuse(id, 'notLeader', undefined),
      failed: (id) => this.#reads.refuse(id, 'timedOut', undefined),
    })
    this.#reads = createReads({ shard, clock, readMsMax: options.readMsMax, give: ({ id, level }) => this.#onRead(id, level), commitSequence: () => this.#owned?.foundSequence ?? Infinity, visibleSequence: () => this.#owned?.tree.visibleSequence ?? -Infinity })
    this.#coordinated = new Coordinated({
      shard, batchBytesMax: options.batchBytesMax, readShardZeroEpoch: options.readShardZeroEpoch,
      state: () => this.#state(),
      isReady: () => this.#owned !== undefined,
      confirm: () => this.#reads.confirm(),
      replicated: () => this.replicated,
      give: ({ batch }) => this.#open().owned.append(batch),
      leader: () => this.#leader(),
      copies: () => 1,
      releaseThrough: (throughSequence, settledThrough) => {
        const { owned } = this.#open()
        owned.release(throughSequence)
        owned.settle(settledThrough)
      },
    })
    this.#stopListening = host.listen((event) => this.#heard(event))
    this.#tick()
  }

  get tree(): Tree { return this.replicated.tree }
  get replicated(): SeenTree { return this.#owned ?? this.#unopened }

  status(): ReplicaStatus {
    const owned = this.#owned, configuration = this.#known?.configuration
    const sequence = owned?.durableSequence ?? 0, epoch = this.#holding?.epoch ?? configuration?.epoch ?? 0
    return {
      shard: this.shard, role: this.#role(), isReady: owned !== undefined, epoch, lastEpoch: epoch, leader: this.#leader(),
      durableSequence: sequence, commitSequence: sequence, visibleSequence: owned?.tree.visibleSequence ?? 0, flushedSequence: owned?.flushedSequence ?? 0,
      members: configuration?.members ?? [], joining: undefined, peers: [], copies: 1, isFetching: false, halted: undefined,
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  append(c: number, baseSequence: number, batch: Uint8Array, until: 'committed' | 'visible'): Promise<{ readonly copies: number }> {
    return this.#coordinated.append(c, baseSequence, batch, until)
  }

  release(c: number, throughSequence: number, settledThrough: number): Promise<void> {
    return this.#coordinated.release(c, throughSequence, settledThrough)
  }

  open(c: number): Promise<OpenedShard> {
    return this.#coordinated.open(c)
  }

  async read(level: ReadLevel, minSequence = 0): Promise<{ readonly deadlineMs: number }> {
    if (level.kind === 'lease' && this.mayServe() && this.tree.visibleSequence >= minSequence) return { deadlineMs: this.#lease.deadlineMs }
    return await this.#reads.read(level, minSequence)
  }

  mayServe(): boolean {
    const owned = this.#owned
    return owned !== undefined && this.#holdsLease() && owned.tree.visibleSequence >= owned.foundSequence
  }

  /** There is no other copy that could move, or that says something. */
  move(): void {}
  receive(): void {}
  receiveReleased(): void {}

  streamFiles(): AsyncGenerator<Uint8Array, void, void> {
    throw new LsmtError('0A000', `the files of shard ${this.shard} are in a bucket, where everybody has them`)
  }

  async resign(): Promise<void> {
    const holding = this.#holding
    if (holding === undefined || this.#closing.signal.aborted) return
    const { alarms, beforeResigning } = this.#options
    await Promise.race([holding.shard?.owned.tree.flush().catch(() => undefined), pause(alarms, flushMsMax, this.#closing.signal)])
    if (holding.shard !== undefined) await beforeResigning?.()
    this.#giveUp(holding)
    while (this.#holding === holding && !this.#closing.signal.aborted) await pause(alarms, tickMs / 10, this.#closing.signal)
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort()
      this.#stopListening()
      this.#takeBackTick()
      this.#deposed()
    }
    await this.#working
    await this.#holding?.close()
    this.#holding = undefined
  }

  /** While it may be written and read. */
  get #owned(): OwnedTree | undefined {
    return this.#resigning !== undefined || this.#closing.signal.aborted ? undefined : this.#holding?.shard?.owned
  }

  #open(): OwnedShard {
    const shard = this.#holding?.shard
    if (shard === undefined) throw this.#notHere()
    return shard
  }

  #notHere(): Error {
    return refusalError({ kind: 'notLeader', leader: this.#leader() }, this.shard)
  }

  async #look(): Promise<void> {
    const holding = this.#holding
    try {
      await this.#open().assertStillMine()
    } catch (error) {
      if (isOvertaken(error)) holding?.fail(error)
      throw error
    }
  }

  #role(): ReplicaStatus['role'] {
    if (this.#owned !== undefined) return 'leader'
    return this.#ownedEpoch() === undefined ? 'follower' : 'elected'
  }

  #leader(): string | undefined {
    return this.#known?.configuration.leader?.node
  }

  #state(): CoordinatedState {
    const owned = this.#owned
    return { role: { kind: this.#role() }, epoch: this.#holding?.epoch ?? 0, log: { lastSequence: owned?.lastSequence ?? 0 }, commitSequence: owned?.durableSequence ?? 0 }
  }

  #isOwner({ configuration: { leader } }: ConfigurationAt): boolean {
    const { self } = this.#options.host
    return leader !== null && leader.node === self.node && leader.incarnation === self.incarnation
  }

  #ownedEpoch(): number | undefined {
    return this.#known !== undefined && this.#isOwner(this.#known) && !this.#closing.signal.aborted ? this.#known.configuration.epoch : undefined
  }

  /** Nobody can have taken the shard since this node did, or said so again, under the lease that it has now. */
  #holdsLease(): boolean {
    return this.#known !== undefined && this.#isOwner(this.#known) && this.#known.configuration.epoch === this.#holding?.epoch && this.#lease.leaseId < this.#known.revision && this.#options.clock.monotonicMs() < this.#lease.deadlineMs
  }

  #heard(event: HostEvent): void {
    if (event.kind === 'configuration' && (this.#known?.revision ?? -1) < event.at.revision) this.#known = event.at
    if (event.kind === 'lease') this.#lease = { leaseId: event.leaseId, deadlineMs: event.deadlineMs }
    if (event.kind !== 'live') this.#tend()
  }

  #onRead(id: string, level: ReadLevel): void {
    if (this.#owned === undefined) this.#reads.refuse(id, this.#ownedEpoch() === undefined ? 'notLeader' : 'notReady', this.#leader())
    else if (level.kind === 'session') this.#reads.serve({ kind: 'serve', id, deadlineMs: Infinity })
    else if (level.kind !== 'linearizable' && this.#holdsLease()) this.#reads.serve({ kind: 'serve', id, deadlineMs: this.#lease.deadlineMs })
    else this.#looks.ask(id)
  }

  #tick(): void {
    this.#takeBackTick = this.#options.alarms.after(tickMs, () => this.#tick())
    this.#reads.giveUp()
    this.#tend()
  }

  /** Brings about what the configuration says. One thing at a time; never throws. */
  #tend(): void {
    this.#tell()
    this.#isAskedAgain = true
    this.#working ??= this.#work().finally(() => { this.#working = undefined })
  }

  async #work(): Promise<void> {
    while (this.#isAskedAgain && !this.#closing.signal.aborted) {
      this.#isAskedAgain = false
      const epoch = this.#ownedEpoch()
      if (this.#holding !== undefined && this.#holding.epoch !== epoch) await this.#end()
      if (epoch === undefined || epoch !== this.#ownedEpoch()) continue
      if (this.#resigning?.epoch === epoch) await this.#handOver(epoch)
      else if (this.#holding === undefined) this.#begin(epoch)
      else if (this.#lease.leaseId > this.#known!.revision) await this.#confirmLease()
    }
    this.#tell()
  }

  #begin(epoch: number): void {
    const { shard, alarms, log, host, openShard } = this.#options
    this.#resigning = undefined
    const since = this.#options.clock.monotonicMs()
    const holding: Holding = new Holding({
      shard, epoch, alarms, log,
      open: openShard,
      readConfiguration: () => host.readConfiguration(),
      isOwner: (at) => this.#isOwner(at) && at.configuration.epoch === epoch,
      events: { onDurable: (sequence) => this.#noteDurable(sequence), onVisible: () => this.#noteVisible() },
      ready: () => {
        log.info({ shard, epoch, ms: Math.round(this.#options.clock.monotonicMs() - since) }, `shard ${shard} is open`)
        this.#tell()
      },
      failed: (error, hasServed) => {
        this.#tellFailure(error)
        void this.#giveUpAfter(hasServed || isOvertaken(error) ? 0 : failurePauseMs, holding)
      },
    })
    this.#holding = holding
  }

  async #giveUpAfter(ms: number, holding: Holding): Promise<void> {
    if (ms > 0) await pause(this.#options.alarms, ms, this.#closing.signal)
    this.#giveUp(holding)
  }

  #noteDurable(sequence: number): void {
    this.#coordinated.committed(sequence)
    this.#noteVisible()
  }

  #noteVisible(): void {
    const sequence = this.#owned?.tree.visibleSequence
    if (sequence === undefined) return
    this.#coordinated.visible(sequence)
    this.#reads.visible()
  }

  #tellFailure(error: unknown): void {
    const { shard, log } = this.#options
    const message = error instanceof Error ? error.message : String(error)
    if (isOvertaken(error)) log.warn({ shard }, `this node does not own shard ${shard} any more: ${message}`)
    else log.error({ shard, err: error }, `this node gives up shard ${shard}: ${message}`)
  }

  #giveUp({ epoch }: Holding): void {
    if (this.#resigning?.epoch === epoch || this.#holding?.epoch !== epoch) return
    this.#resigning = { epoch }
    this.#deposed()
    this.#tend()
  }

  #deposed(): void {
    this.#coordinated.deposed()
    this.#reads.refuseAll({ kind: 'notLeader', leader: undefined })
  }

  /** Another one owns the shard, or nobody does. */
  async #end(): Promise<void> {
    const holding = this.#holding
    this.#deposed()
    this.#holding = undefined
    this.#tell()
    await holding?.close()
    if (this.#resigning?.epoch === holding?.epoch) this.#resigning = undefined
  }

  /** First nothing is written here any more, then others may take the shard. */
  async #handOver(epoch: number): Promise<void> {
    await this.#holding?.close()
    await this.#change(epoch, withoutLeader, undefined)
  }

  async #confirmLease(): Promise<void> {
    await this.#change(this.#holding!.epoch, (was) => ({ ...was, version: was.version + 1 }), this.#lease.leaseId)
  }

  /** What came of it is seen in the store; if nothing, it is tried again. */
  async #change(epoch: number, change: (was: ShardConfiguration) => ShardConfiguration, leaseId: number | undefined): Promise<void> {
    const { host, alarms } = this.#options
    const known = this.#known!
    const { outcome } = await host.swap({ revision: known.revision, configuration: change(known.configuration), leaseId, absent: undefined })
    const at = await host.readConfiguration()
    if (at !== undefined) this.#heard({ kind: 'configuration', at, isFresh: true })
    if (outcome !== 'done' && this.#ownedEpoch() === epoch) await pause(alarms, retryMs, this.#closing.signal)
  }

  /** Role, readiness or leader may have changed. */
  #tell(): void {
    const now = JSON.stringify([this.#role(), this.#leader(), this.#holding?.epoch])
    if (now === this.#told) return
    this.#told = now
    for (const listener of this.#listeners) listener()
  }
}
