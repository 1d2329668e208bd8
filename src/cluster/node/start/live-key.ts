/** One attempt to be there: a new lease, and the node's live key under it in one transaction with what else is to be done. */
import { LsmtError } from '../../../errors.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Alarms } from '../../../runtime/alarms.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { KeptLease, KeepRequest } from '../../etcd/lease/lease-keeper.ts'
import type { KeyValue } from '../../etcd/wire/key-values.ts'
import { isAbsent } from '../store/keys.ts'
import { foundAt } from '../../etcd/wire/transaction.ts'
import type { Condition, Operation, Transaction } from '../../etcd/wire/transaction.ts'

export interface LiveKeyOptions {
  readonly etcd: Pick<EtcdClient, 'transact' | 'keepLease'>
  readonly alarms: Alarms
  readonly retryMs: number
  readonly nodeKey: string
  readonly liveKey: string
  readonly liveValue: string
  /** What takes its place once the node is about to stop. */
  readonly leavingValue: string
  readonly leaseSeconds: number
}

/** The live key as it was made under a lease, and when the node's own key was changed last. */
export interface Held {
  readonly kept: KeptLease
  readonly createRevision: bigint
  readonly nodeRevision: bigint
}

export interface Attempt {
  /** The live key must be gone in any case. */
  readonly when: readonly Condition[]
  /** The node's value that is to be put with it; otherwise its key was changed at `nodeRevision`. */
  readonly register?: string
  readonly nodeRevision?: bigint
}

const unknownsMax = 5

/** undefined when a condition does not hold; then, and after an error, nothing is left of it but what ends with the lease. */
export async function takeLiveKey(options: LiveKeyOptions, { when, register, nodeRevision }: Attempt, events: Pick<KeepRequest, 'onRenewed'> & { onChange(kept: KeptLease, state: Parameters<KeepRequest['onChange']>[0], why: string): void }): Promise<Held | undefined> {
  const { etcd, nodeKey, liveKey, liveValue, leaseSeconds } = options
  const kept: KeptLease = await etcd.keepLease({ ...events, ttlSeconds: leaseSeconds, key: liveKey, onChange: (state, why) => events.onChange(kept, state, why) })
  try {
    const put: Operation = { kind: 'put', key: liveKey, value: liveValue, leaseId: kept.id }
    const registration: readonly Operation[] = register === undefined ? [] : [{ kind: 'put', key: nodeKey, value: register }]
    const { revision, held, node, live } = await settled(options, { when: [isAbsent(liveKey), ...when], apply: [put, ...registration], otherwise: [{ kind: 'get', key: nodeKey }, { kind: 'get', key: liveKey }] })
    if (held) return { kept, createRevision: revision, nodeRevision: nodeRevision ?? revision }
    // An attempt whose answer was lost has taken effect.
    if (live?.leaseId === kept.id) return { kept, createRevision: live.createRevision, nodeRevision: nodeRevision ?? node!.modRevision }
  } catch (error) {
    void kept.revoke().catch(() => undefined)
    throw error
  }
  await kept.revoke()
  return undefined
}

interface Settled {
  readonly held: boolean
  readonly revision: bigint
  readonly node: KeyValue | undefined
  readonly live: KeyValue | undefined
}

/** Offered again while its outcome is unknown: it takes effect once at most, since that ends what it asks for. */
async function settled({ etcd, alarms, retryMs }: LiveKeyOptions, transaction: Transaction): Promise<Settled> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await etcd.transact(transaction)
      const { held, revision } = result
      return held ? { held, revision, node: undefined, live: undefined } : { held, revision, node: foundAt(result, 0), live: foundAt(result, 1) }
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== '40003' || attempt === unknownsMax) throw error
      await pause(alarms, retryMs)
    }
  }
}
