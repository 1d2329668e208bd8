/** What the clients of a load saw; plain data, so that it crosses from their process to that of the test. */
import type { RegisterOperation } from '../../linearizability.ts'

export interface ProbeOutcome {
  /** The node that was asked. */
  readonly node: number
  readonly calledAt: number
  readonly returnedAt: number
  /** undefined: it was answered. */
  readonly code: string | undefined
}

export interface Observed {
  readonly history: readonly RegisterOperation[]
  /** One statement over all shards to one node, again and again. */
  readonly probes: readonly ProbeOutcome[]
  /** Groups of rows that were written by one statement each, and acknowledged. */
  readonly groups: readonly number[]
  /** Whatever must not be, whenever it is seen. */
  readonly violations: readonly string[]
  /** Requests by outcome: 'answered', or kind and code of what came instead. */
  readonly counts: Readonly<Record<string, number>>
  /** Statements that got no answer with all their repetitions, though one node at least was there. */
  readonly givenUp: readonly string[]
}

/** Infinity does not cross as JSON. */
export const toLine = (observed: Observed): string => JSON.stringify(observed, (_, value: unknown) => (value === Infinity ? 'never' : value))
export const fromLine = (line: string): Observed => JSON.parse(line, (key, value: unknown) => (key === 'returnedAt' && value === 'never' ? Infinity : value)) as Observed
