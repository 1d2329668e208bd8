/**
 * Renews a lease, and knows until when it may be relied on: counted by the own monotonic clock from before the renewal
 * was sent, less what clocks may differ and a margin. Whoever relies on it asks `isTrusted` in the same turn.
 */
import { pause } from '../../../runtime/alarms.ts'
import type { Calls } from '../calls/calls.ts'
import type { CallEnvironment } from '../calls/members.ts'
import { keyFields } from '../wire/key-values.ts'
import { createLeaseTrust } from './lease-trust.ts'
import type { LeaseState, LeaseTrust } from './lease-trust.ts'
import { confirmTerm } from './leases.ts'
import type { Leases } from './leases.ts'

export interface KeepRequest {
  readonly ttlSeconds: number
  /** One that the user may read, such as one that will be under the lease; it need not exist. */
  readonly key: string
  /** Called for each change of state; the lease begins as 'trusted'. */
  readonly onChange: (state: LeaseState, why: string) => void
  /** Called after each renewal that counts: it is trusted for longer now. */
  readonly onRenewed?: () => void
  /** Asked before each renewal: whether the owner is still at work, so that a keeper on another thread does not keep a hung one alive. */
  readonly mayRenew?: () => boolean
}

export interface KeptLease {
  readonly id: bigint
  readonly ttlMs: number
  /** By the monotonic clock; -Infinity once it is gone or revoked. */
  trustedUntilMs(): number
  isTrusted(): boolean
  /** Ends renewing; the lease ends by itself. */
  stop(): void
  /** Ends renewing and the lease; it is not trusted from the call on. */
  revoke(): Promise<void>
}

/** Renewals for each time to live, so that two may fail. */
const renewalsPerTtl = 3

export async function keepLease(environment: CallEnvironment, calls: Calls, leases: Leases, request: KeepRequest): Promise<KeptLease> {
  const { settings, clock, alarms, closing } = environment
  const { id, ttlMs, sinceMs } = await leases.grant(request.ttlSeconds)
  const trustedFor = (ms: number): number => ms * (1 - settings.clockDriftMax) - settings.leaseMarginMs
  const trust = createLeaseTrust({ clock, alarms, untilMs: sinceMs + trustedFor(ttlMs), onChange: request.onChange })
  const renew = createRenewal({ calls, leases, id, key: request.key, limitMs: ttlMs / renewalsPerTtl, trust, trustedFor, onRenewed: request.onRenewed })
  const ended = new AbortController()

  async function keepRenewing(): Promise<void> {
    let waitMs = ttlMs / renewalsPerTtl
    for (;;) {
      await pause(alarms, waitMs, ended.signal)
      if (ended.signal.aborted) return
      const outcome = request.mayRenew?.() === false ? 'its owner shows no sign of work' : await renew()
      if (outcome === 'gone') return stop()
      if (outcome !== 'renewed') trust.failed(outcome)
      waitMs = outcome === 'renewed' ? ttlMs / renewalsPerTtl : settings.backoffFirstMs
    }
  }

  function stop(): void {
    trust.end()
    closing.removeEventListener('abort', stop)
    ended.abort()
  }

  closing.addEventListener('abort', stop)
  if (closing.aborted) stop()
  void keepRenewing()
  return {
    id,
    ttlMs,
    trustedUntilMs: trust.untilMs,
    isTrusted: () => clock.monotonicMs() < trust.untilMs(),
    stop,
    async revoke() {
      stop()
      trust.gone('it is revoked')
      await leases.revoke(id)
    },
  }
}

interface RenewalOptions {
  readonly calls: Calls
  readonly leases: Leases
  readonly id: bigint
  readonly key: string
  readonly limitMs: number
  readonly trust: LeaseTrust
  readonly trustedFor: (ttlMs: number) => number
  readonly onRenewed: (() => void) | undefined
}

/** Gives 'renewed', 'gone', or why neither is known. */
function createRenewal({ calls, leases, id, key, limitMs, trust, trustedFor, onRenewed }: RenewalOptions): () => Promise<string> {
  const fields = keyFields(key)
  return async () => {
    const renewed = await leases.renew(id, limitMs)
    if (renewed.kind !== 'done') return renewed.error.message
    if (renewed.value.ttlMs === 0) {
      trust.gone('etcd has ended it')
      return 'gone'
    }
    const confirmed = await confirmTerm(calls, fields, limitMs)
    if (confirmed.kind !== 'done') return confirmed.error.message
    if (confirmed.value !== renewed.value.term) return "etcd's leader changed meanwhile"
    trust.renewed(renewed.sentAtMs + trustedFor(renewed.value.ttlMs))
    onRenewed?.()
    return 'renewed'
  }
}
