/** Giving up: what statements ask between batches. An AbortSignal is one; servers use the lighter one made here. */
import type { LsmtError } from '../errors.ts'
import { endReason } from '../runtime/end-signal.ts'
import type { EndSignal } from '../runtime/end-signal.ts'

export type CancelSignal = EndSignal

/** A signal and who gives it. A class, since there is one for each request, and literals with getters are slow to make. */
export class Canceller implements CancelSignal {
  reason: LsmtError | undefined = undefined
  private listeners: readonly (() => void)[] = []

  get aborted(): boolean {
    return this.reason !== undefined
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners = [...this.listeners, listener]
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners = this.listeners.filter((each) => each !== listener)
  }

  /** The first reason counts. */
  cancel(reason: LsmtError): void {
    if (this.reason !== undefined) return
    this.reason = reason
    for (const listener of this.listeners) listener()
  }
}

/** 57014 once the caller has given up or the time is over. */
export function checkCancelled(signal: CancelSignal | undefined): void {
  if (signal?.aborted === true) throw endReason(signal)
}
