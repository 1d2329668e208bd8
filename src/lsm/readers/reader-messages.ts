/** What the serving thread and a reader thread say to each other: plain data only. */
import type { MessagePort } from 'node:worker_threads'
import type { HeapRegion } from '../../kernel/open-kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { KernelKind } from '../../settings.ts'
import type { GroupsPart } from '../groups/groups-part.ts'
import type { ChunkName, TableLayout } from '../layout.ts'
import type { AggregatePartial, AggregateRequest, GroupedAggregateRequest, PredicateTerm } from '../tree.ts'
import type { VectorExpression } from '../vector/expression.ts'

/** What a reader thread starts with. */
export interface ReaderStart {
  /** The serving thread's linear memory, shared. */
  readonly memory: WebAssembly.Memory
  /** The part of it that is the reader's own. */
  readonly region: HeapRegion
  readonly kernelKind: KernelKind
  /**
   * Of a word of it: the number of the scan that the reader may join; it joins by making that negative, and makes it 0 once
   * its outcome is sent. 0: none.
   */
  readonly invitation: Pointer
  /** Where outcomes go: a port of their own, so that the serving thread can take one without a turn of its event loop. */
  readonly outcomes: MessagePort
}

/** A scan as far as readers take part in it. */
export interface SharedScan {
  readonly layout: TableLayout
  readonly predicate: readonly PredicateTerm[]
  readonly conditions: readonly VectorExpression[]
  readonly computed: readonly VectorExpression[]
  /** The chunks that each morsel names. */
  readonly names: readonly ChunkName[]
  readonly work: SharedWork
  readonly queue: Pointer
  /** How many rows are likely to come, for all threads; 0 where a predicate leaves an unknown part of them. */
  readonly rowsExpected: number
}

/** What becomes of the rows. */
export type SharedWork =
  | { readonly kind: 'aggregates'; readonly aggregates: readonly AggregateRequest[] }
  | { readonly kind: 'groups'; readonly groupBy: readonly number[]; readonly aggregates: readonly GroupedAggregateRequest[] }

/** What a reader's rows came to. Addresses are good until it is invited again. */
export type ReaderPart =
  | { readonly kind: 'aggregates'; readonly partials: readonly AggregatePartial[] }
  | { readonly kind: 'groups'; readonly groups: GroupsPart }

export type ToReader =
  | { readonly kind: 'scan'; readonly id: number; readonly scan: SharedScan }
  | { readonly kind: 'close' }

/** What a reader says once, when it can be invited. */
export const readerReady = 'ready'

export type ReaderOutcome =
  | { readonly kind: 'done'; readonly id: number; readonly part: ReaderPart; readonly rowGroups: number }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }
  /** It did not join. */
  | { readonly kind: 'declined'; readonly id: number; readonly reason: string }
