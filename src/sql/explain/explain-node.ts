/** A plan as it is shown: a tree of named things, before it is text or JSON. */
import type { ReadStats } from '../../lsm/tree.ts'

export interface ExplainNode {
  readonly title: string
  /** How the node belongs to the one above it, where that needs saying. */
  readonly relation?: string
  readonly details: readonly Detail[]
  readonly children: readonly ExplainNode[]
  /** What the node did; absent without ANALYZE, and where it never ran. */
  readonly actual?: Actual
}

export type Detail = readonly [label: string, value: string | number]

/** What a node did, with all that is below it; `reads`, `heldBytes` and `spilledBytes` are its own. */
export interface Actual {
  readonly rows: number
  /** Times that its rows were asked for from the start. */
  readonly loops: number
  readonly ms: number
  readonly reads: ReadStats | undefined
  readonly heldBytes: number
  readonly spilledBytes: number
}
