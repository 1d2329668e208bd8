/** What all nodes of a cluster must agree on: the value under `/cluster` in the configuration store, changed by compare-and-swap only. */
import { isCount, isName, readStoreValue } from '../store-value.ts'
import { LsmtError } from '../../errors.ts'

export interface ClusterValue {
  readonly format: 1
  /** Grows by one with every change. */
  readonly version: number
  /** By chance when the cluster is made: tells it from another one of the same name. */
  readonly id: string
  /** Fixed when the cluster is made, since it decides which shard a key belongs to. */
  readonly shardCount: number
  /** Copies of every shard. */
  readonly factor: number
  /** Where the data is, if nodes do not keep it themselves: then each shard has one owner, and no copies. */
  readonly bucket: string | null
  /** Every shard has its members. From then on one that is missing is a loss, and never made anew. */
  readonly isPlaced: boolean
  /** Nodes that are to hold nothing, because they are about to leave. */
  readonly draining: readonly string[]
}

export function newCluster(id: string, shardCount: number, factor: number, bucket: string | null = null): ClusterValue {
  return { format: 1, version: 1, id, shardCount, factor, bucket, isPlaced: false, draining: [] }
}

/** Each as it is when nothing changes. */
export function withDraining(was: ClusterValue, node: string): ClusterValue {
  return was.draining.includes(node) ? was : { ...was, version: was.version + 1, draining: [...was.draining, node].toSorted() }
}

export function withoutDraining(was: ClusterValue, node: string): ClusterValue {
  return was.draining.includes(node) ? { ...was, version: was.version + 1, draining: was.draining.filter((other) => other !== node) } : was
}

/** One node drains, another one, which may have waited as a draining one, is to hold something. */
export function withReplaced(was: ClusterValue, node: string, by: string): ClusterValue {
  const now = withoutDraining(withDraining(was, node), by)
  return now === was ? was : { ...now, version: was.version + 1 }
}

/** Of two nodes that did the same both wrote the same. */
export function withPlaced(was: ClusterValue): ClusterValue {
  return was.isPlaced ? was : { ...was, version: was.version + 1, isPlaced: true }
}

/** 22023 when a node was set up for another cluster than it found. */
export function checkSettings({ shardCount, factor, bucket }: ClusterValue, own: { readonly shardCount: number; readonly factor: number; readonly bucket?: string | null }): void {
  const ownBucket = own.bucket ?? null
  if (ownBucket !== bucket) throw new LsmtError('22023', `the cluster keeps its data ${placeOf(bucket)}, this node was to keep it ${placeOf(ownBucket)}: start it as the others were`, { expected: placeOf(bucket), actual: placeOf(ownBucket) })
  if (own.shardCount !== shardCount) throw new LsmtError('22023', `the cluster has ${shardCount} shards, this node has ${own.shardCount}: a cluster's number of shards is fixed when it is made; start with --shards ${shardCount} and an empty directory`, { expected: String(shardCount), actual: String(own.shardCount) })
  if (own.factor !== factor) throw new LsmtError('22023', `the cluster keeps ${factor} copies, this node was told ${own.factor}: start it with --replication-factor ${factor}`, { expected: String(factor), actual: String(own.factor) })
}

const placeOf = (bucket: string | null): string => (bucket === null ? 'in directories of its nodes' : `in ${bucket}`)

/** Equal values give equal text. */
export function encodeCluster({ version, id, shardCount, factor, bucket, isPlaced, draining }: ClusterValue): string {
  return JSON.stringify({ format: 1, version, id, shardCount, factor, bucket, isPlaced, draining })
}

export function decodeCluster(text: string, key: string): ClusterValue {
  const { fields, broken } = readStoreValue(text, key, 1)
  const { version, id, shardCount, factor, bucket, isPlaced, draining } = fields
  if (!isCount(version)) throw broken('a version', version)
  if (!isName(id)) throw broken('an id', id)
  if (typeof isPlaced !== 'boolean') throw broken('whether shards are placed', isPlaced)
  if (!isCount(shardCount) || shardCount === 0) throw broken('a number of shards', shardCount)
  if (!isCount(factor) || factor === 0) throw broken('a number of copies', factor)
  if (bucket !== null && !isName(bucket)) throw broken('a bucket, or null', bucket)
  if (!Array.isArray(draining) || !draining.every(isName)) throw broken('names of draining nodes', draining)
  return { format: 1, version, id, shardCount, factor, bucket, isPlaced, draining }
}
