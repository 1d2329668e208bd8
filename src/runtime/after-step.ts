/** Calls `run` when all promises that can go on have gone on, those included that these let go on: before timers, sockets and other events have their turn. */
export function afterStep(run: () => void): void {
  // Asked for by a promise's step, such a call comes only when no more such steps are waiting.
  queueMicrotask(() => process.nextTick(run))
}
