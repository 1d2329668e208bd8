/** Counts and times what the operators of a statement do. Time and spilled bytes of a node include what is below it. */
import type { ReadStats } from '../../lsm/tree.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { QueryNode } from '../operator/node.ts'
import type { Batch, Probe, QueryRun, Stream } from '../operator/query-run.ts'
import { childrenOf } from './column-names.ts'
import type { RequestBudget } from '../request-budget.ts'
import { newQueryStats } from '../result.ts'
import type { QueryStats } from '../result.ts'

export interface Observation {
  rows: number
  loops: number
  ms: number
  /** With what is below. */
  heldBytes: number
  /** Its own, at most. */
  heldBytesMax: number
  spilledBytes: number
}

export interface RecordingProbe extends Probe {
  readonly observations: ReadonlyMap<QueryNode, Observation>
  readonly reads: ReadonlyMap<QueryNode, ReadStats>
  /** The sides that joins read by their keys. */
  readonly lookedUp: ReadonlyMap<QueryNode, 'left' | 'right'>
}

export function createProbe(clock: Clock, requests: RequestBudget | undefined): RecordingProbe {
  const observations = new Map<QueryNode, Observation>()
  const reads = new Map<QueryNode, ReadStats>()
  const lookedUp = new Map<QueryNode, 'left' | 'right'>()
  return {
    observations,
    reads,
    lookedUp,
    watch(node, rows, run) {
      const seen = observations.get(node) ?? { rows: 0, loops: 0, ms: 0, heldBytes: 0, heldBytesMax: 0, spilledBytes: 0 }
      observations.set(node, seen)
      const below = childrenOf(node)
      const heldBelow = (): number => below.reduce((bytes, child) => bytes + (observations.get(child)?.heldBytes ?? 0), 0)
      return () => observed(rows, { seen, heldBelow, run, clock })
    },
    statsOf(node) {
      const stats = reads.get(node) ?? newQueryStats(requests)
      reads.set(node, stats)
      return stats
    },
    looksUp(node, side) {
      lookedUp.set(node, side)
    },
  }
}

interface Watch {
  readonly seen: Observation
  /** What the operators below hold now. */
  readonly heldBelow: () => number
  readonly run: QueryRun
  readonly clock: Clock
}

async function* observed(rows: Stream, watch: Watch): AsyncGenerator<Batch> {
  const { seen } = watch
  seen.loops++
  const iterator = rows()[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await step(iterator, watch)
      if (next.done === true) return
      seen.rows += next.value.length
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

async function step(iterator: AsyncIterator<Batch>, { seen, heldBelow, run, clock }: Watch): Promise<IteratorResult<Batch, unknown>> {
  const started = clock.monotonicMs()
  const heldBefore = run.memory.usedBytes
  const spilledBefore = run.stats.spilledBytes
  const next = await iterator.next()
  seen.ms += clock.monotonicMs() - started
  seen.heldBytes += run.memory.usedBytes - heldBefore
  seen.spilledBytes += run.stats.spilledBytes - spilledBefore
  seen.heldBytesMax = Math.max(seen.heldBytesMax, seen.heldBytes - heldBelow())
  return next
}

/** What the nodes read, added to what the statement counted by itself. */
export function totalReads(own: QueryStats, reads: Iterable<ReadStats>): QueryStats {
  // A copy: these are counted already, where a budget counts.
  const total = { ...own }
  for (const stats of reads) {
    total.rowGroupsTotal += stats.rowGroupsTotal
    total.rowGroupsPruned += stats.rowGroupsPruned
    total.bytesRead += stats.bytesRead
    total.storageRequests += stats.storageRequests
  }
  return total
}
