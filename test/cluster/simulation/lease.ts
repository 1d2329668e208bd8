/** The lease of a simulated node by its own monotonic clock, as `src/cluster/etcd/lease/` keeps real ones. */

export interface LeasePolicy {
  readonly ttlMs: number
  /** By how much, as a fraction, the clocks of the node and of etcd may differ in rate. */
  readonly driftMax: number
  readonly marginMs: number
  /** For which the main loop may stand still before the lease is no longer renewed for it. */
  readonly stallMsMax: number
}

/** Until when a lease holds that was granted, or kept alive, by a request sent at `sentAtMs`. */
export function leaseDeadlineMs(sentAtMs: number, { ttlMs, driftMax, marginMs }: LeasePolicy): number {
  return sentAtMs + ttlMs * (1 - driftMax) - marginMs
}

/**
 * Keep-alives are sent by a thread of their own, so that load does not lose the lease; but only while the main loop has
 * moved lately, since one that hangs would otherwise stay leader for ever.
 */
export function mayKeepAlive(nowMs: number, lastProgressMs: number, { stallMsMax }: LeasePolicy): boolean {
  return nowMs - lastProgressMs < stallMsMax
}
