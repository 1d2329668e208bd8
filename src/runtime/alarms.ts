/** Timers as a dependency: the real ones here, a simulated clock's in tests. */
export interface Alarms {
  /** Calls `ring` once, after that many milliseconds. What it gives takes the alarm back; after it rang that does nothing. */
  after(ms: number, ring: () => void): () => void
}

export const systemAlarms: Alarms = {
  after(ms, ring) {
    const timer = setTimeout(ring, ms)
    return () => clearTimeout(timer)
  },
}

/** Resolves after that many milliseconds, or at once when the signal aborts. */
export function pause(alarms: Alarms, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const end = (): void => {
      takeBack()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const takeBack = alarms.after(ms, end)
    signal?.addEventListener('abort', end)
  })
}
