/** Leases: keys that are put under one go when it ends. Ids are 64-bit; etcd counts time to live in whole seconds. */
import { invariant } from '../../../errors.ts'
import type { Random } from '../../../runtime/random.ts'
import type { Calls, Outcome } from '../calls/calls.ts'
import { fieldsOf, int64Of } from '../wire/fields.ts'
import type { Fields } from '../wire/fields.ts'

export interface Grant {
  readonly id: bigint
  /** May be more than was asked for: no less than etcd's own election takes. */
  readonly ttlMs: number
  /** By the monotonic clock: the lease ends no earlier than its time to live after that. */
  readonly sinceMs: number
}

export interface Renewal {
  /** 0: there is no such lease any more. */
  readonly ttlMs: number
  /** Of the member that took it, before it was carried out. */
  readonly term: bigint
}

export interface Leases {
  grant(ttlSeconds: number): Promise<Grant>
  /** Its keys go at once. One that is gone already is no error. */
  revoke(id: bigint): Promise<void>
  renew(id: bigint, deadlineMs: number): Promise<Outcome<Renewal>>
}

const millisecondsOf = (seconds: bigint): number => Math.max(0, Number(seconds)) * 1000

const termOf = (answer: Fields): bigint => int64Of(fieldsOf(answer['header'], 'header')['raft_term'], 'raft_term')

export function createLeases(calls: Calls, clock: { monotonicMs(): number }, random: Random): Leases {
  return {
    async grant(ttlSeconds) {
      invariant(Number.isInteger(ttlSeconds) && ttlSeconds > 0, 'a lease lives for whole seconds')
      // Our own id, which nobody else takes: so the request may be repeated, and 'exists' speaks of an attempt of ours.
      const id = (BigInt(random.nextU32() >>> 1) << 32n) | BigInt(random.nextU32() || 1)
      const sinceMs = clock.monotonicMs()
      const outcome = await calls.attempt({ path: 'lease/grant', body: { ID: String(id), TTL: String(ttlSeconds) }, isRepeatable: true, decode: (answer) => millisecondsOf(int64Of(answer['TTL'], 'TTL')) })
      if (outcome.kind === 'refused' && outcome.reason === 'lease-exists') return { id, ttlMs: ttlSeconds * 1000, sinceMs }
      if (outcome.kind !== 'done') throw outcome.error
      return { id, ttlMs: outcome.value, sinceMs }
    },
    async revoke(id) {
      const outcome = await calls.attempt({ path: 'lease/revoke', body: { ID: String(id) }, isRepeatable: true, decode: () => undefined })
      if (outcome.kind !== 'done' && !(outcome.kind === 'refused' && outcome.reason === 'lease-missing')) throw outcome.error
    },
    async renew(id, deadlineMs) {
      const decode = (answer: Fields): Renewal => {
        const result = fieldsOf(answer['result'], 'result')
        return { ttlMs: millisecondsOf(int64Of(result['TTL'], 'TTL')), term: termOf(result) }
      }
      const sentAtMs = clock.monotonicMs()
      const outcome = await calls.attempt({ path: 'lease/keepalive', body: { ID: String(id) }, isRepeatable: true, deadlineMs, decode })
      return outcome.kind === 'refused' && outcome.reason === 'lease-missing' ? { kind: 'done', value: { ttlMs: 0, term: 0n }, sentAtMs } : outcome
    },
  }
}

/**
 * The term in which a majority has just confirmed its leader, by a linearizable read of a key. A leader that was deposed
 * while it was frozen renews leases as before until it hears of it, and its successor does not know of that; so a
 * renewal counts only if a read after it is of the same term. (etcd checks this itself from 3.4.28 and 3.5.10 on.)
 */
export function confirmTerm(calls: Calls, key: Fields, deadlineMs: number): Promise<Outcome<bigint>> {
  return calls.attempt({ path: 'kv/range', body: { ...key, count_only: true }, isRepeatable: true, deadlineMs, decode: termOf })
}
