/** Requests that wait for a sequence of their shard to be committed, and some then for it to be visible. */
import type { LsmtError } from '../../../errors.ts'

export interface Waiters {
  /** Resolves with the copies that there were when it was committed. */
  wait(throughSequence: number, until: 'committed' | 'visible'): Promise<{ readonly copies: number }>
  committed(throughSequence: number, copies: number): void
  visible(throughSequence: number): void
  /** None of them is waited for any more; each gets an error of its own. */
  refuseAll(errorOf: () => LsmtError): void
}

interface Waiter {
  readonly sequence: number
  readonly until: 'committed' | 'visible'
  readonly resolve: (done: { readonly copies: number }) => void
  readonly reject: (error: LsmtError) => void
  copies: number
}

export function createWaiters(): Waiters {
  /** Both in the order of their sequences. */
  const committing: Waiter[] = [], showing: Waiter[] = []
  return {
    wait: (sequence, until) => new Promise((resolve, reject) => insert(committing, { sequence, until, resolve, reject, copies: 0 })),
    committed(throughSequence, copies) {
      for (const waiter of takeThrough(committing, throughSequence)) {
        waiter.copies = copies
        if (waiter.until === 'committed') waiter.resolve({ copies })
        else insert(showing, waiter)
      }
    },
    visible(throughSequence) {
      for (const { resolve, copies } of takeThrough(showing, throughSequence)) resolve({ copies })
    },
    refuseAll(errorOf) {
      for (const { reject } of [...committing.splice(0), ...showing.splice(0)]) reject(errorOf())
    },
  }
}

/** Almost always at the end. */
function insert(waiters: Waiter[], waiter: Waiter): void {
  let at = waiters.length
  while (at > 0 && waiters[at - 1]!.sequence > waiter.sequence) at--
  if (at === waiters.length) waiters.push(waiter)
  else waiters.splice(at, 0, waiter)
}

function takeThrough(waiters: Waiter[], throughSequence: number): readonly Waiter[] {
  let count = 0
  while (count < waiters.length && waiters[count]!.sequence <= throughSequence) count++
  return count === 0 ? none : waiters.splice(0, count)
}

const none: readonly Waiter[] = []
