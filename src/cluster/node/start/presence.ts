/**
 * That this node is there: a key under a lease, and the lease renewed. A lease that has ended is followed by another one,
 * with a new key under it, as long as nobody else was registered by the node's name meanwhile. Two nodes of one name can
 * never both be there: each registration needs the key of the one before to be gone.
 */
import { LsmtError } from '../../../errors.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Log } from '../../../runtime/log.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { KeptLease } from '../../etcd/lease/lease-keeper.ts'
import type { LeaseState } from '../../etcd/lease/lease-trust.ts'
import type { Condition } from '../../etcd/wire/transaction.ts'
import type { Lease } from '../../replication/state/replica-state.ts'
import { noLease } from '../hosted-replica.ts'
import { decodeNode, encodeNode } from '../store/node-value.ts'
import type { NodeValue } from '../store/node-value.ts'
import { numberOf } from '../store/revision.ts'
import { takeLiveKey } from './live-key.ts'
import type { Held, LiveKeyOptions } from './live-key.ts'

export interface PresenceOptions extends LiveKeyOptions {
  readonly etcd: Pick<EtcdClient, 'transact' | 'keepLease' | 'revoke' | 'get'>
  readonly node: string
  readonly value: NodeValue
  readonly log: Log
  /** Another node has taken the name. */
  readonly fatal: (error: LsmtError) => void
}

export class Presence {
  readonly #options: PresenceOptions
  readonly #ended = new AbortController()
  readonly #listeners = new Set<() => void>()
  #held: Held | undefined

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Registers the node and makes its live key. false: one of `when` does not hold. */
  async begin(when: readonly Condition[]): Promise<boolean> {
    const held = await this.#take({ when, register: encodeNode(this.#options.value) })
    if (held === undefined) return false
    this.#held = held
    // It may have ended meanwhile, when there was nobody to tell.
    if (this.lease === noLease) void this.#regain('it had ended by the time it was used')
    return true
  }

  /** The newest, or `noLease` once that has ended. */
  get lease(): Lease {
    if (this.#held === undefined) return noLease
    const { createRevision, kept } = this.#held
    const deadlineMs = kept.trustedUntilMs()
    return deadlineMs === -Infinity ? noLease : { leaseId: numberOf(createRevision), deadlineMs }
  }

  isTrusted(): boolean {
    return this.#held?.kept.isTrusted() === true
  }

  /** Called when the lease is another one, or is trusted for longer or no longer. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /** Says that the node is about to stop; it is still there. */
  async announceLeaving(): Promise<void> {
    const { etcd, liveKey, leavingValue } = this.#options
    const { kept, createRevision } = this.#held!
    await etcd.transact({ when: [{ kind: 'create-revision', key: liveKey, is: '=', to: createRevision }], apply: [{ kind: 'put', key: liveKey, value: leavingValue, leaseId: kept.id }] })
  }

  /** Says that the node stops by itself, and ends the lease. */
  async leave(): Promise<void> {
    this.#ended.abort()
    const { etcd, nodeKey, value } = this.#options
    const { kept, nodeRevision } = this.#held!
    try {
      await etcd.transact({ when: [{ kind: 'mod-revision', key: nodeKey, is: '=', to: nodeRevision }], apply: [{ kind: 'put', key: nodeKey, value: encodeNode({ ...value, wasCleanlyStopped: true }) }] })
    } finally {
      const revoking = kept.revoke()
      // Before anybody can be elected: nothing is served by it any more.
      this.#tell()
      await revoking
    }
  }

  /** Renews no more; the lease ends by itself. */
  close(): void {
    this.#ended.abort()
    this.#listeners.clear()
    this.#held?.kept.stop()
  }

  #take(attempt: Parameters<typeof takeLiveKey>[1]): Promise<Held | undefined> {
    return takeLiveKey(this.#options, attempt, { onRenewed: () => this.#tell(), onChange: (kept, state, why) => this.#leaseBecame(kept, state, why) })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  #leaseBecame(kept: KeptLease, state: LeaseState, why: string): void {
    if (this.#ended.signal.aborted || this.#held?.kept !== kept) return
    const { log } = this.#options
    if (state === 'doubtful') log.warn({}, `the lease of this node is in doubt: ${why}`)
    else if (state === 'trusted') log.info({}, 'the lease of this node is trusted again')
    else void this.#regain(why)
    this.#tell()
  }

  async #regain(why: string): Promise<void> {
    const { log, alarms, retryMs, nodeKey, fatal } = this.#options
    log.warn({}, `the lease of this node has ended (${why}): it gets another one`)
    const { nodeRevision } = this.#held!
    while (!this.#ended.signal.aborted) {
      try {
        const next = await this.#take({ when: [{ kind: 'mod-revision', key: nodeKey, is: '=', to: nodeRevision }], nodeRevision })
        if (next !== undefined && next.kept.trustedUntilMs() > -Infinity) return this.#regained(next)
        await this.#assertStillOurs()
      } catch (error) {
        if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
        if (error.code === '55006') return fatal(error)
        log.warn({}, `this node has no lease yet: ${error.message}`)
      }
      await pause(alarms, retryMs, this.#ended.signal)
    }
  }

  #regained(held: Held): void {
    if (this.#ended.signal.aborted) return held.kept.stop()
    this.#held = held
    this.#options.log.info({}, 'this node has a lease again')
    this.#tell()
  }

  /** 55006 when somebody else was registered by this name. A live key that an attempt of ours has left goes with its lease. */
  async #assertStillOurs(): Promise<void> {
    const { etcd, node, nodeKey, liveKey } = this.#options
    const { found } = await etcd.get(nodeKey)
    if (found?.modRevision !== this.#held!.nodeRevision) {
      const by = found === undefined ? 'its registration was deleted' : `another node, at ${decodeNode(found.value, nodeKey).address}, was started by that name`
      throw new LsmtError('55006', `this node is no longer '${node}' of the cluster: ${by}`)
    }
    const live = await etcd.get(liveKey)
    if (live.found !== undefined) await etcd.revoke(live.found.leaseId)
  }
}
