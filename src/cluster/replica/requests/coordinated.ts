/**
 * What a coordinator of writes asks of a shard's leader. Only the one that has opened the shard in this leadership is
 * heard, and opening asks etcd, after the question came, whether it still is the coordinator: so once a coordinator has
 * opened a shard, nothing of an earlier one gets into its log.
 *
 * A place in the log tells whether an append was made already, so each is made once however often it is offered.
 */
import { invariant, LsmtError } from '../../../errors.ts'
import { assignBaseSequence, readBatchHeader } from '../../../lsm/batch.ts'
import type { ReplicaEvent } from '../../replication/event.ts'
import { refusalError } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { OpenedShard, SeenTree } from '../replica.ts'
import { createWaiters } from './waiters.ts'

/** What of a replica's state decides whether it does as it is asked. */
export interface CoordinatedState {
  readonly role: { readonly kind: 'leader' | 'elected' | 'follower'; readonly resignByMs?: number | undefined }
  readonly epoch: number
  readonly log: { readonly lastSequence: number }
  readonly commitSequence: number
}

export interface CoordinatedOptions {
  readonly shard: number
  /** What one message takes with a batch in it. */
  readonly batchBytesMax: number
  state(): CoordinatedState
  /** A leader that knows all that was ever committed. */
  isReady(): boolean
  /** Resolves when it leads after this call was made, and no other member has on disk what is not in its log. */
  confirm(): Promise<void>
  replicated(): SeenTree
  give(event: Extract<ReplicaEvent, { kind: 'write' }>): void
  /** Whom to ask instead. */
  leader(): string | undefined
  /** Disks that the newest commit is on. */
  copies(): number
  /** Linearizable, sent after the call. */
  readShardZeroEpoch(): Promise<number>
  /** Parts are released here and at the other replicas. */
  releaseThrough(throughSequence: number, settledThrough: number): void
}

export class Coordinated {
  readonly #options: CoordinatedOptions
  readonly #waiters = createWaiters()
  /** In which leadership which coordinator is heard. */
  #opened = { epoch: -1, c: -1 }
  #lastWrite = 0

  constructor(options: CoordinatedOptions) {
    this.#options = options
  }

  append(c: number, baseSequence: number, batch: Uint8Array, until: 'committed' | 'visible'): Promise<{ readonly copies: number }> {
    try {
      this.#check(c)
      return this.#wait(this.#place(baseSequence, batch), until)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async release(c: number, throughSequence: number, settledThrough: number): Promise<void> {
    this.#check(c)
    const { commitSequence } = this.#options.state()
    if (throughSequence > commitSequence) throw this.#refused({ kind: 'gap', expectedSequence: commitSequence + 1 })
    this.#options.releaseThrough(throughSequence, settledThrough)
    await this.#wait(throughSequence, 'visible')
  }

  /**
   * What an earlier coordinator wrote may stand in the log of a member that led before, and would be committed if that one
   * led again; or somebody leads already whom an earlier coordinator has opened. So it is asked last whether all members
   * follow, which they do once nothing else is on their disks.
   */
  async open(c: number): Promise<OpenedShard> {
    const { state, replicated, confirm } = this.#options
    if (state().role.kind !== 'leader') throw this.#refused(this.#notLeader())
    await this.#admit(c)
    const { epoch, log: { lastSequence } } = state()
    await this.#wait(lastSequence, 'committed')
    await confirm()
    const { parts, aborted } = replicated().logged()
    return { lastSequence, flushedSequence: replicated().flushedSequence, parts, aborted, epoch }
  }

  committed(throughSequence: number): void {
    this.#waiters.committed(throughSequence, this.#options.copies())
  }

  visible(throughSequence: number): void {
    this.#waiters.visible(throughSequence)
  }

  /** The leadership is over: what was not committed may yet be, at the next leader. */
  deposed(): void {
    this.#waiters.refuseAll(() => this.#refused(this.#notLeader()))
  }

  #refused(refusal: Refusal): LsmtError {
    return refusalError(refusal, this.#options.shard)
  }

  #notLeader(): Refusal {
    return { kind: 'notLeader', leader: this.#options.leader() }
  }

  #check(c: number): void {
    const { role, epoch } = this.#options.state()
    const { epoch: openedEpoch, c: heard } = this.#opened
    if (role.kind !== 'leader' || role.resignByMs !== undefined) throw this.#refused(this.#notLeader())
    if (openedEpoch !== epoch || heard < c || !this.#options.isReady()) throw this.#refused({ kind: 'notReady' })
    if (heard > c) throw this.#refused({ kind: 'fenced', epoch: heard })
  }

  /** From now on `c` is heard, and no earlier coordinator. */
  async #admit(c: number): Promise<void> {
    const { state, readShardZeroEpoch } = this.#options
    const { epoch } = state()
    const current = await readShardZeroEpoch()
    if (current !== c) throw this.#refused({ kind: 'fenced', epoch: current })
    const now = state()
    if (now.role.kind !== 'leader' || now.epoch !== epoch) throw this.#refused(this.#notLeader())
    const { c: heard } = this.#opened
    const isSameLeadership = this.#opened.epoch === epoch
    if (isSameLeadership && heard > c) throw this.#refused({ kind: 'fenced', epoch: heard })
    if (!isSameLeadership || heard < c) this.#waiters.refuseAll(() => this.#refused({ kind: 'fenced', epoch: c }))
    this.#opened = { epoch, c }
  }

  /** The last sequence of the batch, which is in the log from then on. */
  #place(baseSequence: number, batch: Uint8Array): number {
    const { shard, batchBytesMax, state, give } = this.#options
    if (batch.byteLength > batchBytesMax) throw new LsmtError('54000', `a write of ${batch.byteLength} bytes to shard ${shard}, at most ${batchBytesMax} go to its other copies at once: write fewer rows in one statement`)
    const operationCount = Math.max(1, readBatchHeader(batch, `a write to shard ${shard}`).operationCount)
    const end = baseSequence + operationCount - 1
    const { lastSequence } = state().log
    if (baseSequence > lastSequence + 1) throw this.#refused({ kind: 'gap', expectedSequence: lastSequence + 1 })
    if (baseSequence <= lastSequence && end > lastSequence) throw new LsmtError('08P01', `a write at sequences ${baseSequence} to ${end}, where the log of shard ${shard} ends at ${lastSequence}`)
    if (end <= lastSequence) return end
    assignBaseSequence(batch, baseSequence)
    give({ kind: 'write', id: `w${++this.#lastWrite}`, operationCount, batch })
    invariant(state().log.lastSequence === end, 'a leader that is ready takes writes')
    return end
  }

  #wait(throughSequence: number, until: 'committed' | 'visible'): Promise<{ readonly copies: number }> {
    const { state, replicated, copies } = this.#options
    const isCommitted = state().commitSequence >= throughSequence
    if (isCommitted && (until === 'committed' || replicated().tree.visibleSequence >= throughSequence)) return Promise.resolve({ copies: copies() })
    const waiting = this.#waiters.wait(throughSequence, until)
    if (isCommitted) this.#waiters.committed(throughSequence, copies())
    return waiting
  }
}
