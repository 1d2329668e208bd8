/** Something may have changed of who leads what: whoever waits for that looks again. */
import { LsmtError } from '../../../errors.ts'
import { sharedAbort } from '../../../runtime/end-signal.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Alarms } from '../../../runtime/alarms.ts'

export interface Changes {
  tell(): void
  /** Called at every change; not within the one that told. */
  onChange(listener: () => void): void
  /** Resolves at the next change, and after `waitMs` in any case. 57P03 once there are no more. */
  next(waitMs?: number): Promise<void>
  /** Wakes all: there are no more changes, and whoever looked again without waiting would never let go of the thread. */
  close(): void
}

const waitMsDefault = 50

export function createChanges(alarms: Alarms): Changes {
  const listeners: (() => void)[] = []
  let upcoming = sharedAbort()
  let isTold = false, isClosed = false

  function ring(): void {
    isTold = false
    const now = upcoming
    if (!isClosed) upcoming = sharedAbort()
    now.abort()
    for (const listener of listeners) listener()
  }

  return {
    tell() {
      if (isTold || isClosed) return
      isTold = true
      queueMicrotask(ring)
    },
    onChange: (listener) => void listeners.push(listener),
    next: (waitMs = waitMsDefault) => (isClosed ? Promise.reject(new LsmtError('57P03', 'this node has stopped')) : pause(alarms, waitMs, upcoming.signal)),
    close() {
      isClosed = true
      listeners.length = 0
      upcoming.abort()
    },
  }
}
