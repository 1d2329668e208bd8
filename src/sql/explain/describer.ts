/** What operators are described with, and what a description is before it is known what the operator did. */
import type { Run } from '../expression/compile.ts'
import type { CommonPlan } from '../operator/node.ts'
import type { Values } from '../value/values.ts'
import type { ExplainNode } from './explain-node.ts'
import type { RecordingProbe } from './probe.ts'

export interface Describer {
  readonly values: Values
  readonly run: Run
  /** Whether rows are asked for again and again. */
  readonly repeated: boolean
  readonly qualified: boolean
  readonly probe: RecordingProbe | undefined
  /** Queries of WITH that are scanned, to be told of beside. */
  readonly common: Set<CommonPlan>
}

export type Description = Pick<ExplainNode, 'title' | 'details' | 'children'>
