/** How long membership waits for what, in milliseconds. None of it decides safety. */
export interface MembershipSettings {
  /** Of the lease under which the node is known to be live; etcd counts whole seconds. */
  readonly leaseSeconds: number
  /** Until first members are chosen though nodes that are known are not there, once there are enough. */
  readonly placementWaitMs: number
  /** Between looks whether that has gone by. */
  readonly lookEveryMs: number
  /** Between lines of the log while something is waited for. */
  readonly tellEveryMs: number
  /** Between plans of the controller, and looks at what is left of shards that are kept elsewhere now. */
  readonly planEveryMs: number
  /** For which a live node is not connected until it is asked, by way of others, to let others lead; and until it is asked again. */
  readonly unreachedMs: number
  readonly unreachedAgainMs: number
  /** Moves of copies under way at once. */
  readonly movesMax: number
  /** Between attempts at what failed. */
  readonly retryMs: number
  /** For which other nodes may take to answer. */
  readonly askMsMax: number
  /** For which a node that leaves waits until others lead. */
  readonly leaveMsMax: number
}

export const defaultMembershipSettings: MembershipSettings = {
  leaseSeconds: 3,
  placementWaitMs: 2_000,
  lookEveryMs: 250,
  tellEveryMs: 5_000,
  planEveryMs: 2_000,
  unreachedMs: 500,
  unreachedAgainMs: 700,
  movesMax: 2,
  retryMs: 500,
  askMsMax: 2_000,
  leaveMsMax: 5_000,
}
