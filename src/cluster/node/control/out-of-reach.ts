/**
 * A leader that everybody but this node hears: where only the link between two is cut, etcd and the third node see nothing
 * wrong, and still whoever coordinates writes cannot have that shard written. It asks the leader, by way of a node that both
 * hear, to let another member lead. That one may be out of reach as well; then it is asked in its turn, once its own
 * leader has replaced whom it does not hear.
 */
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { liveNodes } from '../store/cluster-view.ts'
import type { ClusterView } from '../store/cluster-view.ts'

export interface OutOfReachOptions {
  readonly self: string
  readonly afterMs: number
  readonly againMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
  view(): ClusterView
  /** There is a connection to it, or it is this node. */
  isConnected(node: string): boolean
  /** This node leads shard 0, and is not about to leave. */
  isInCharge(): boolean
  /** Asks `via`, which asks the leader. */
  handOver(via: string, node: string, shard: number): Promise<void>
}

export interface OutOfReach {
  /** Called several times a second. */
  look(): void
  close(): Promise<void>
}

export function createOutOfReach(options: OutOfReachOptions): OutOfReach {
  const { self, afterMs, againMs, clock, log } = options
  /** By node: since when. */
  const missed = new Map<string, number>()
  let askedAtMs = -Infinity
  let asking: Promise<void> | undefined

  function note(live: Iterable<string>, nowMs: number): void {
    const gone = new Set([...live].filter((node) => !options.isConnected(node)))
    for (const node of missed.keys()) if (!gone.has(node)) missed.delete(node)
    for (const node of gone) if (!missed.has(node)) missed.set(node, nowMs)
  }

  async function ask(view: ClusterView, node: string): Promise<void> {
    const shards = [...view.shards].filter(([, { configuration }]) => configuration.leader?.node === node).map(([shard]) => shard)
    const others = [...liveNodes(view).keys()].filter((other) => other !== self && options.isConnected(other))
    if (shards.length === 0 || others.length === 0) return
    log.warn({ node, shards }, `${node}, which is live, cannot be reached from here: by way of ${others.join(', ')} it is asked to let others lead shards ${shards.join(', ')}`)
    for (const via of others) {
      const outcomes = await Promise.allSettled(shards.map((shard) => options.handOver(via, node, shard)))
      const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
      for (const failure of failures) if (!(failure instanceof LsmtError) || failure.code === 'XX000') throw failure
      if (failures.length === 0) return
      log.warn({ node, via }, `${node} was not reached by way of ${via}, or did not take it: ${(failures[0] as LsmtError).message}`)
    }
  }

  return {
    look() {
      const view = options.view(), nowMs = clock.monotonicMs()
      note(liveNodes(view).keys(), nowMs)
      if (!options.isInCharge() || asking !== undefined || nowMs - askedAtMs < againMs) return
      const due = [...missed].filter(([, sinceMs]) => nowMs - sinceMs >= afterMs).map(([node]) => node)
      if (due.length === 0) return
      askedAtMs = nowMs
      asking = Promise.all(due.map((node) => ask(view, node))).then(() => {}).finally(() => { asking = undefined })
    },
    async close() {
      await asking
    },
  }
}
