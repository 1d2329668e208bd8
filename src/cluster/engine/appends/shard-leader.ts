/** Whoever leads a shard as the coordinator of writes sees it, on this node or on another one. */
import type { OpenedShard, Replica } from '../../replica/replica.ts'

/** Batches that follow each other in the log of a shard. */
export interface Offer {
  readonly baseSequence: number
  readonly batches: readonly Uint8Array[]
  /** Parts of statements over several shards do not become visible until they are released, so nobody waits for that. */
  readonly until: 'committed' | 'visible'
}

export interface Appended {
  /** Disks that all of it is on. */
  readonly copies: number
}

/** Every call may be made again when its answer was lost. Refused as `Replica` says, see src/cluster/replica/refusal.ts. */
export interface ShardLeader {
  /** To tell one leadership from another; the epoch is that by which the leader was found. */
  readonly node: string
  readonly epoch: number
  open(coordinator: number): Promise<OpenedShard>
  append(coordinator: number, offer: Offer): Promise<Appended>
  release(coordinator: number, throughSequence: number, settledThrough: number): Promise<void>
}

/** The replica of this node, which leads or has led. */
export function leaderHere(node: string, epoch: number, replica: Replica): ShardLeader {
  return {
    node,
    epoch,
    open: (coordinator) => replica.open(coordinator),
    append: (coordinator, offer) => appendOffer(replica, coordinator, offer),
    release: (coordinator, throughSequence, settledThrough) => replica.release(coordinator, throughSequence, settledThrough),
  }
}

/** Hands all batches to the replica in this synchronous step, so that offers keep their order. */
export async function appendOffer(replica: Replica, coordinator: number, { baseSequence, batches, until }: Offer): Promise<Appended> {
  let base = baseSequence
  const appended = batches.map((batch) => {
    const at = base
    base += operationCountOf(batch)
    return replica.append(coordinator, at, batch, until)
  })
  const all = await Promise.all(appended)
  return { copies: Math.min(...all.map(({ copies }) => copies)) }
}

export function operationCountOf(batch: Uint8Array): number {
  return new DataView(batch.buffer, batch.byteOffset, batch.byteLength).getUint32(4, true)
}

