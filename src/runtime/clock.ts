/** Time as a dependency: the real one here, a simulated one in tests. No safety decision may rest on it. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number
  /** Microseconds since the Unix epoch, UTC. */
  wallMicros(): bigint
  sleep(ms: number): Promise<void>
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMicros: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}
