/** How long a replica waits for what. None of it decides safety: other values make it slower or busier, never wrong. */
export interface ReplicationTiming {
  /** Between signs of life of a leader. */
  readonly heartbeatMs: number
  /** Without progress of a follower until entries are sent again. */
  readonly retransmitMs: number
  /** After a failed attempt to lead, until the next one. */
  readonly electionPauseMs: number
  /** Silence of a member after which it counts as lost. */
  readonly replaceAfterMs: number
  /** The same of one whose node is not live either; and silence of all others for which a leader that is asked to step down does not begin to. */
  readonly goneAfterMs: number
  /** Silence of the one that joins after which another one is tried. */
  readonly joinAfterMs: number
  /** Silence of all others after which a leader lets a live member try; above `replaceAfterMs`. */
  readonly resignAfterMs: number
  /** For which a leader that stepped down leaves it to others to follow. */
  readonly standAsideMs: number
  /** Between changes of membership. */
  readonly changePauseMs: number
  /** For which a read waits for what it needs. */
  readonly readMsMax: number
  /** Without an answer of the configuration store until it is asked again. */
  readonly storeTimeoutMs: number
}

/** For leases of three seconds: whatever single fault leaves a member and a spare, writes go on within a lease and two seconds. */
export const defaultTiming: ReplicationTiming = {
  heartbeatMs: 100,
  retransmitMs: 500,
  electionPauseMs: 300,
  replaceAfterMs: 1_500,
  goneAfterMs: 500,
  joinAfterMs: 10_000,
  resignAfterMs: 2_200,
  standAsideMs: 1_000,
  changePauseMs: 2_000,
  readMsMax: 5_000,
  storeTimeoutMs: 1_000,
}
