/** What this thread's event loop was doing. */

/** Milliseconds since it began in which it did not wait for anything. */
export function activeMs(): number {
  return performance.eventLoopUtilization().active
}

/** Calls `run` when all that is ready has run, that is when no promise is left that is settled and waited for, and before timers and sockets have their turn. */
export function whenSettled(run: () => void): void {
  // A tick waits for all microtasks only where it was asked for by one: other ticks come before them.
  queueMicrotask(() => process.nextTick(run))
}
