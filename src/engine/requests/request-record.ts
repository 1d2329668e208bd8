/** What is kept of a request that may be sent again. */
export interface RequestRecord {
  /** Equal for equal requests: a key that comes with another one is a mistake. */
  readonly fingerprint: Uint8Array
  /** How much of the request is done. It only grows; of two records the one with more counts. */
  readonly progress: number
  /** How it was answered so far. Not understood here. */
  readonly answer: string
}

/** The record that goes with a statement, which changes so many rows; of a transaction 0 is told. */
export type RecordOf = (rowCount: number) => RequestRecord
