/** A promise that is settled from outside. That nobody waits for it any more is no failure: who settles it tells of what went wrong elsewhere too. */
export interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: (settled?: Promise<void>) => void
  readonly reject: (cause: unknown) => void
}

export function createDeferred(): Deferred {
  let resolve = (_settled?: Promise<void>): void => {}
  let reject: (cause: unknown) => void = () => {}
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
