/** Somebody's wish that work should end, and what work that waits makes of it. */
import { setMaxListeners } from 'node:events'
import { LsmtError } from '../errors.ts'

/** An AbortSignal is one; servers use a lighter one. */
export interface EndSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** The error of work that was ended: the signal's own LsmtError, or 57014. */
export function endReason({ reason }: Pick<EndSignal, 'reason'>): LsmtError {
  return reason instanceof LsmtError ? reason : new LsmtError('57014', 'the statement was cancelled')
}

/** Rejects at once when the work is to end; what was begun goes on to its end and releases what it holds. */
export async function unlessEnded<T>(work: Promise<T>, signal: EndSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  let onAbort: () => void = () => {}
  const ended = new Promise<never>((_, reject) => {
    onAbort = () => reject(endReason(signal))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** For many to listen to; Node would take more than ten for a leak, and say so. */
export function sharedAbort(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

const abortSignals = new WeakMap<EndSignal, AbortSignal>()

/** For what takes nothing else: one for each signal. */
export function abortSignalOf(signal: EndSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const known = abortSignals.get(signal)
  if (known !== undefined) return known
  const controller = new AbortController()
  if (signal.aborted) controller.abort(signal.reason)
  else signal.addEventListener('abort', () => controller.abort(signal.reason))
  abortSignals.set(signal, controller.signal)
  return controller.signal
}
