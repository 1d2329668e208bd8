/** Puts a replica together: the step function, its disk, its peers, and those that ask it for something. */
import { LsmtError } from '../../errors.ts'
import type { ReplicatedTree } from '../../lsm/replicated/replicated-tree.ts'
import type { Tree } from '../../lsm/tree.ts'
import { createDeferred } from '../../runtime/deferred.ts'
import type { Deferred } from '../../runtime/deferred.ts'
import type { ReplicaId } from '../replication/configuration.ts'
import type { Effect, ReadLevel, ReplicaEvent } from '../replication/event.ts'
import { holdsLeaseAt } from '../replication/leader/awaited.ts'
import { hasSuccessor } from '../replication/leader/membership.ts'
import type { PeerMessage } from '../replication/message.ts'
import { rules } from '../replication/rules.ts'
import { startReplica } from '../replication/state/replica-state.ts'
import type { ReplicaState } from '../replication/state/replica-state.ts'
import type { StepContext } from '../replication/state/turn.ts'
import { defaultTiming } from '../replication/timing.ts'
import type { ReplicationTiming } from '../replication/timing.ts'
import { encodeMessage } from '../transport/wire/message-codec.ts'
import { createDriver } from './driver.ts'
import type { Driver } from './driver.ts'
import { createFetchFiles } from './files/fetch-files.ts'
import type { FetchFiles } from './files/fetch-files.ts'
import { createKeptExports } from './files/kept-exports.ts'
import type { KeptExports } from './files/kept-exports.ts'
import { holdTree } from './held-tree.ts'
import type { HeldTree, TreeEvents } from './held-tree.ts'
import { createMessageOutbox } from './message-outbox.ts'
import type { MessageOutbox } from './message-outbox.ts'
import { refusalError } from './refusal.ts'
import type { OpenedShard, ReplicaStatus } from './replica.ts'
import type { PeerReplica, ReplicaOptions } from './replica-options.ts'
import { Coordinated } from './requests/coordinated.ts'
import { createReads } from './requests/reads.ts'
import type { Reads } from './requests/reads.ts'
import { copiesOf, isReadyLeader, leaderOf, statusOf } from './status.ts'
import { StorageQueue } from './storage-queue.ts'
import { encodeReleased } from './wire/released-message.ts'
import type { ReleasedMessage } from './wire/released-message.ts'

/** Opens what is on disk of it, as a follower of nobody yet. */
export async function openReplica(options: ReplicaOptions): Promise<PeerReplica> {
  const late: { replica?: OpenReplica } = {}
  const events: TreeEvents = {
    onVisible: () => late.replica?.noteVisible(),
    onTrimmed: (startSequence) => late.replica?.noteTrimmed(startSequence),
    onFailure: (error) => (late.replica === undefined ? options.fatal(error) : late.replica.fail(error)),
  }
  const held = await holdTree(options.trees, events)
  late.replica = new OpenReplica(options, held)
  late.replica.begin()
  return late.replica
}

type Told = Pick<ReplicaStatus, 'role' | 'epoch' | 'halted' | 'isReady' | 'leader' | 'isFetching'>

const isSame = (a: Told, b: Told | undefined): boolean =>
  a.role === b?.role && a.epoch === b.epoch && a.halted === b.halted && a.isReady === b.isReady && a.leader === b.leader && a.isFetching === b.isFetching

class OpenReplica implements PeerReplica {
  readonly shard: number
  readonly store: string
  readonly #options: ReplicaOptions
  readonly #timing: ReplicationTiming
  readonly #context: StepContext
  readonly #held: HeldTree
  readonly #driver: Driver
  readonly #queue: StorageQueue
  readonly #outbox: MessageOutbox
  readonly #coordinated: Coordinated
  readonly #reads: Reads
  readonly #fetch: FetchFiles
  readonly #exports: KeptExports
  readonly #listeners = new Set<() => void>()
  readonly #resigning: Deferred[] = []
  #told: Told | undefined
  #isOver = false
  #closing: Promise<void> | undefined
  #stopListening = (): void => {}
  #takeBackTick = (): void => {}
  #tickDueMs = Infinity

  constructor(options: ReplicaOptions, held: HeldTree) {
    const { shard, host: { self }, clock, alarms, log, transport } = options
    this.#options = options
    this.#held = held
    this.shard = shard
    this.store = self.store
    this.#timing = options.timing ?? defaultTiming
    this.#context = { timing: this.#timing, rules: options.rules ?? rules }
    const give = (event: ReplicaEvent): void => this.#give(event)
    const state = (): ReplicaState => this.#driver.state
    const { found } = held.replicated
    const { storedEpoch, startSequence, lastSequence, epochs } = found
    this.#driver = createDriver({
      context: this.#context, clock, watch: options.watch,
      first: startReplica(self, { storedEpoch, log: { startSequence, lastSequence, durableSequence: lastSequence, epochs, generation: 0, isCutting: false } }),
      carryOut: (effect) => this.#carryOut(effect),
      stepped: (before) => this.#stepped(before),
      rested: () => this.#tell(),
      failed: (error) => this.fail(error),
    })
    this.#queue = new StorageQueue({ tree: () => held.replicated, give, failed: (error) => this.fail(error), readFailed: (error) => log.error({ shard, err: error }, `shard ${shard}: its log could not be read for another replica`) })
    this.#outbox = createMessageOutbox(clock, this.#timing.heartbeatMs / 4, (message) => this.#send(message))
    this.#reads = createReads({ shard, clock, readMsMax: this.#timing.readMsMax, give, commitSequence: () => state().commitSequence, visibleSequence: () => this.#visibleSequence() })
    this.#coordinated = new Coordinated({
      shard, state, give,
      isReady: () => isReadyLeader(state()),
      confirm: () => this.#reads.confirm(),
      batchBytesMax: options.batchBytesMax,
      replicated: () => held.replicated,
      leader: () => leaderOf(state()),
      copies: () => copiesOf(state(), this.#context.rules),
      readShardZeroEpoch: options.readShardZeroEpoch,
      releaseThrough: (throughSequence, settledThrough) => this.#release(throughSequence, settledThrough),
    })
    this.#fetch = createFetchFiles({ shard, store: self.store, transport, alarms, clock, log, give, install: (files) => held.replace(files, this.#queue, state) })
    this.#exports = createKeptExports(clock, this.#timing.joinAfterMs)
  }

  get tree(): Tree { return this.#held.replicated.tree }
  get replicated(): ReplicatedTree { return this.#held.replicated }

  /** Once, when it is to take part. */
  begin(): void {
    this.#stopListening = this.#options.host.listen((event) => this.#give(event))
    this.#tick()
  }

  status(): ReplicaStatus {
    return statusOf(this.shard, this.#driver.state, this.replicated, this.#context.rules)
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
    if (this.#isOver || this.#held.isReplaced) throw refusalError({ kind: 'notReady' }, this.shard)
    if (level.kind === 'lease' && this.mayServe() && this.#visibleSequence() >= minSequence) return { deadlineMs: this.#driver.state.lease!.deadlineMs }
    return await this.#reads.read(level, minSequence)
  }

  mayServe(): boolean {
    const { state } = this.#driver
    const { role } = state
    return role.kind === 'leader' && isReadyLeader(state) && !this.#isOver && holdsLeaseAt(this.#context, state, role, this.#options.clock.monotonicMs()) && this.tree.visibleSequence >= state.commitSequence
  }

  move(fromStore: string, to: ReplicaId): void {
    this.#give({ kind: 'move', fromStore, to })
  }

  async resign(): Promise<void> {
    if (this.#driver.state.role.kind === 'leader') {
      if (!this.#hasSuccessor()) throw this.#noSuccessor()
      await this.#options.beforeResigning?.()
    }
    if (this.#isOver || this.#driver.state.role.kind === 'follower') return
    const over = createDeferred()
    this.#resigning.push(over)
    this.#askToResign()
    await over.promise
  }

  /** One that was elected and does not lead yet is asked again at the next tick. */
  #askToResign(): void {
    this.#give({ kind: 'resign' })
    const { role } = this.#driver.state
    if (role.kind === 'leader' && role.resignByMs === undefined) for (const { reject } of this.#resigning.splice(0)) reject(this.#noSuccessor())
  }

  #hasSuccessor(): boolean {
    const { state } = this.#driver
    return state.role.kind === 'leader' && hasSuccessor(state, state.role, this.#options.clock.monotonicMs() - this.#timing.goneAfterMs)
  }

  #noSuccessor(): LsmtError {
    return new LsmtError('55000', `no other member of shard ${this.shard} is heard of by ${this.#options.host.self.node}, which leads it`)
  }

  close(): Promise<void> {
    this.#end()
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#fetch.cancel()
    await this.#fetch.ended()
    this.#exports.releaseAll()
    await this.replicated.close()
  }

  receive(message: PeerMessage): void {
    this.#give({ kind: 'message', message })
  }

  receiveReleased({ toStore, throughSequence, settledThrough }: ReleasedMessage): void {
    if (toStore === this.store && !this.#isOver) this.#held.release(throughSequence, settledThrough)
  }

  streamFiles(forStore: string): AsyncGenerator<Uint8Array, void, void> {
    return this.#exports.stream(this.replicated, forStore)
  }

  noteVisible(): void {
    if (this.#isOver || this.#held.isReplaced) return
    this.#coordinated.visible(this.tree.visibleSequence)
    this.#reads.visible()
  }

  noteTrimmed(startSequence: number): void {
    this.#give({ kind: 'trimmed', startSequence })
  }

  /** The disk, or a bug: nothing may be promised any more. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#end()
    this.#options.fatal(error)
  }

  #give(event: ReplicaEvent): void {
    if (!this.#isOver) this.#driver.give(event)
  }

  #tick(): void {
    const { alarms, clock } = this.#options
    const lateMs = clock.monotonicMs() - this.#tickDueMs
    this.#give({ kind: 'tick', stoodStillMs: lateMs > this.#timing.goneAfterMs ? lateMs : 0 })
    const { role } = this.#driver.state
    if (this.#resigning.length > 0 && role.kind === 'leader' && role.resignByMs === undefined) this.#askToResign()
    this.#reads.giveUp()
    this.#exports.tend(this.#driver.state, clock.monotonicMs())
    const waitMs = this.#timing.heartbeatMs / 2
    this.#tickDueMs = clock.monotonicMs() + waitMs
    this.#takeBackTick = alarms.after(waitMs, () => this.#tick())
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.#outbox.add(effect.message)
      case 'appendLog':
        return this.#queue.append(effect.generation, effect.entries)
      case 'truncateLog':
        return this.#queue.truncate(effect.generation, effect.toSequence)
      case 'storeEpoch':
        return this.#queue.storeEpoch(effect.epoch)
      case 'readLog':
        return this.#queue.readLog(effect.store, effect.readId, effect.afterSequence)
      case 'fetchFiles':
        return this.#fetch.begin(effect.from, effect.through)
      case 'apply':
        return this.#commit(effect.throughSequence)
      case 'acknowledge':
        // Whoever waits for it has heard of the commit.
        return
      case 'refuse':
        return this.#reads.refuse(effect.id, effect.reason, effect.leader)
      case 'serve':
        return this.#reads.serve(effect)
      case 'swap':
        return void this.#swap(effect).catch((error: unknown) => this.fail(error))
      case 'readConfiguration':
        return void this.#readConfiguration().catch((error: unknown) => this.fail(error))
      case 'halt':
        return this.#options.log.error({ shard: this.shard, reason: effect.reason }, `shard ${this.shard}: this replica stops for good: ${effect.reason}`)
    }
  }

  #send(message: PeerMessage): void {
    if (this.#isOver) return
    const { transport, log } = this.#options
    try {
      transport.send(message.to.node, encodeMessage({ shard: this.shard, message }))
    } catch (error) {
      // As of one that was lost: it is sent again, and told of again, until somebody changes what is wrong.
      log.error({ shard: this.shard, err: error }, `shard ${this.shard}: a message to ${message.to.node} could not be sent`)
    }
    // With signs of life, since it may have been lost before, and whoever is new has never heard it.
    if (message.kind === 'append' && message.entries.length === 0) this.#sendReleased(message.to)
  }

  #sendReleased({ node, store }: ReplicaId): void {
    const { releasedThrough, settledThrough } = this.#held
    if (releasedThrough > 0) this.#options.transport.send(node, [encodeReleased({ shard: this.shard, toStore: store, throughSequence: releasedThrough, settledThrough })])
  }

  #release(throughSequence: number, settledThrough: number): void {
    this.#held.release(throughSequence, settledThrough)
    const { role } = this.#driver.state
    if (role.kind === 'leader') for (const { id } of role.peers) this.#sendReleased(id)
  }

  #commit(throughSequence: number): void {
    this.replicated.commit(throughSequence)
    this.#coordinated.committed(throughSequence)
    this.noteVisible()
  }

  async #swap({ swapId, revision, configuration, leaseId, absent }: Extract<Effect, { kind: 'swap' }>): Promise<void> {
    const outcome = await this.#options.host.swap({ revision, configuration, leaseId, absent })
    this.#give({ kind: 'swapped', swapId, ...outcome })
  }

  async #readConfiguration(): Promise<void> {
    const at = await this.#options.host.readConfiguration()
    if (at !== undefined) this.#give({ kind: 'configuration', at, isFresh: true })
  }

  #stepped(before: ReplicaState): void {
    const { role, epoch } = this.#driver.state
    if (before.epoch !== epoch) this.#fetch.cancel()
    if (before.role.kind === 'leader' && (role.kind !== 'leader' || before.epoch !== epoch)) this.#coordinated.deposed()
    if (role.kind === 'follower') for (const { resolve } of this.#resigning.splice(0)) resolve()
  }

  /** After all events that were given, so that nobody is called in the middle of a step. */
  #tell(): void {
    const { state } = this.#driver, { role, epoch, halted } = state
    const now: Told = { role: role.kind, epoch, halted, isReady: isReadyLeader(state), leader: leaderOf(state), isFetching: role.kind === 'follower' && role.isFetching }
    if (isSame(now, this.#told)) return
    this.#told = now
    for (const listener of this.#listeners) listener()
  }

  #visibleSequence(): number {
    return this.#held.isReplaced ? -Infinity : this.tree.visibleSequence
  }

  /** It takes no part any more, and whoever waits is told. */
  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopListening()
    this.#takeBackTick()
    this.#coordinated.deposed()
    this.#reads.refuseAll({ kind: 'notLeader', leader: undefined })
    for (const { resolve } of this.#resigning.splice(0)) resolve()
  }
}
