/** Giving up: what statements ask between batches. An AbortSignal is one; servers use the lighter one made here. */
import type { LsmtError } from '../errors.ts'
import { endReason } from '../runtime/pace.ts'

export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface Canceller {
  readonly signal: CancelSignal
  /** The first reason counts. */
  cancel(reason: LsmtError): void
}

export function createCanceller(): Canceller {
  let reason: LsmtError | undefined
  let listeners: (() => void)[] = []
  return {
    signal: {
      get aborted() {
        return reason !== undefined
      },
      get reason() {
        return reason
      },
      addEventListener(_, listener) {
        listeners.push(listener)
      },
      removeEventListener(_, listener) {
        listeners = listeners.filter((each) => each !== listener)
      },
    },
    cancel(given) {
      if (reason !== undefined) return
      reason = given
      for (const listener of listeners) listener()
    },
  }
}

/** 57014 once the caller has given up or the time is over. */
export function checkCancelled(signal: CancelSignal | undefined): void {
  if (signal?.aborted === true) throw endReason(signal)
}

/** Rejects at once when the caller gives up; the reading goes on to its end and releases what it holds. */
export async function unlessCancelled<T>(reading: Promise<T>, signal: CancelSignal | undefined): Promise<T> {
  if (signal === undefined) return await reading
  let onAbort: () => void = () => {}
  const cancelled = new Promise<never>((_, reject) => {
    onAbort = () => reject(endReason(signal))
    signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([reading, cancelled])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
