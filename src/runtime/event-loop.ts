/** What this thread's event loop was doing. */

/** Milliseconds since it began in which it did not wait for anything. */
export function activeMs(): number {
  return performance.eventLoopUtilization().active
}
