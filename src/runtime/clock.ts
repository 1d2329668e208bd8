/** Time as a dependency: the real one here, a simulated one in tests. No safety decision may rest on it. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number
  /** Microseconds since the Unix epoch, UTC. */
  wallMicros(): bigint
  /** Ends early when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMicros: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)),
  sleep: (ms, signal) => new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  }),
}
