/**
 * The lease of a node, by its own monotonic clock. etcd's client libraries tell of a lost lease late and by the wall
 * clock, and a timer of a busy event loop fires late; so the end is computed before the request for it is sent.
 */

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
