/**
 * Compare-and-swap of one key whose outcome is settled when an answer is lost. The same swap is offered again: it takes
 * effect once at most, since taking effect ends what it asks for. When the key has changed, the first change after what
 * was seen tells by its value whose it was, however many others followed.
 */
import { LsmtError, invariant } from '../../../errors.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Calls } from '../calls/calls.ts'
import type { CallEnvironment } from '../calls/members.ts'
import type { Watch } from '../watch/watch.ts'
import type { Change } from '../wire/watch-message.ts'
import { changeRevisionOf } from '../wire/watch-message.ts'
import { foundAt } from '../wire/transaction.ts'
import type { Condition } from '../wire/transaction.ts'
import { attemptTransaction } from './kv.ts'
import type { Seen } from './kv.ts'

export interface SwapRequest {
  /** The key as it must still be. */
  readonly seen: Seen
  /** Nobody else, and no other swap, ever writes the same value under this key: it holds an id, or an epoch and who took it. */
  readonly value: string
  readonly leaseId?: bigint
  /** What else must hold. */
  readonly when?: readonly Condition[]
}

export type SwapOutcome =
  | { readonly kind: 'swapped'; readonly revision: bigint }
  /** Another one was first; the swap had, and will have, no effect. */
  | { readonly kind: 'changed'; readonly now: Seen }
  /** The key is as it was seen, but another condition does not hold; no effect. */
  | { readonly kind: 'unmet'; readonly now: Seen }

/**
 * 40003 when the outcome cannot be told within the deadline, or the swap might yet take effect; 08006 when nothing was
 * sent. Looking for whose a change was may take as long once more. A key that others delete and that was seen absent
 * could be made twice, if an answer is lost in between.
 */
export type SwapKey = (request: SwapRequest) => Promise<SwapOutcome>

export function createSwap(environment: CallEnvironment, calls: Calls, watch: Watch): SwapKey {
  const { settings, clock, alarms, closing } = environment

  async function firstChangeAfter({ key, revision, found }: Seen, limitMs: number): Promise<Change | undefined> {
    const end = new AbortController()
    const takeBack = alarms.after(limitMs, () => end.abort())
    try {
      for await (const event of watch({ scope: { key }, fromRevision: (found?.modRevision ?? revision) + 1n, signal: end.signal })) {
        if (event.kind === 'changes') return event.changes[0]
        if (event.kind === 'compacted') return undefined
      }
      return undefined
    } finally {
      takeBack()
    }
  }

  return async function swap(request) {
    const { seen, value } = request
    if (seen.found?.value === value) throw new LsmtError('22023', `a swap of ${seen.key} in etcd needs a value that differs from the one that is there`)
    const endMs = clock.monotonicMs() + settings.deadlineMs
    const leftMs = (): number => endMs - clock.monotonicMs()
    let doubt: LsmtError | undefined
    for (;;) {
      const outcome = await attemptTransaction(calls, transactionOf(request), leftMs())
      if (outcome.kind === 'unknown') doubt = outcome.error
      else if (outcome.kind !== 'done') throw doubt === undefined ? outcome.error : undecided(seen.key, outcome.error)
      else if (outcome.value.held) return { kind: 'swapped', revision: outcome.value.revision }
      else return settled(request, { key: seen.key, revision: outcome.value.revision, found: foundAt(outcome.value, 0) }, doubt)
      if (closing.aborted || leftMs() <= settings.backoffFirstMs) throw undecided(seen.key, doubt)
      await pause(alarms, settings.backoffFirstMs, closing)
    }
  }

  /** The conditions did not hold at the last attempt; an earlier one may have taken effect. */
  async function settled({ seen, value }: SwapRequest, now: Seen, doubt: LsmtError | undefined): Promise<SwapOutcome> {
    const isAsSeen = now.found?.modRevision === seen.found?.modRevision
    if (doubt === undefined) return { kind: isAsSeen ? 'unmet' : 'changed', now }
    // An attempt that is still on its way takes effect if the other condition comes to hold.
    if (isAsSeen) throw undecided(seen.key, doubt)
    const first = await firstChangeAfter(seen, settings.deadlineMs)
    if (first === undefined) throw undecided(seen.key, doubt)
    return first.kind === 'put' && first.keyValue.value === value ? { kind: 'swapped', revision: changeRevisionOf(first) } : { kind: 'changed', now }
  }
}

function transactionOf({ seen, value, leaseId, when = [] }: SwapRequest): Parameters<typeof attemptTransaction>[1] {
  const { key, found } = seen
  invariant(found === undefined || found.key === key, 'a swap of another key than was seen')
  const unchanged: Condition = found === undefined ? { kind: 'create-revision', key, is: '=', to: 0n } : { kind: 'mod-revision', key, is: '=', to: found.modRevision }
  return { when: [unchanged, ...when], apply: [{ kind: 'put', key, value, ...(leaseId !== undefined && { leaseId }) }], otherwise: [{ kind: 'get', key }] }
}

function undecided(key: string, cause: LsmtError): LsmtError {
  return new LsmtError('40003', `it is not known whether ${key} was swapped in etcd: ${cause.message}`, { ...cause.evidence, hint: 'read it, and compare with the value that was offered' }, cause)
}
