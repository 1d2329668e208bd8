/** Who is looked at as its data grows: lsmt with no, one and two threads beside the serving one, of each kind, and the others. */
import { keyValuePeers } from '../peers/key-value/contestants.ts'
import { lsmtLevel, lsmtTable, lsmtTableWith } from '../peers/key-value/lsmt.ts'
import type { KeyValuePeer } from '../peers/key-value/store.ts'

const MiB = 1024 * 1024

export const scaleEntrants: readonly KeyValuePeer[] = [
  ...[1, 0, 2].map((threads) => lsmtTableWith(`lsmt, threads ${threads}`, { workers: threads, readers: threads })),
  ...keyValuePeers.filter((peer) => peer !== lsmtTable && peer !== lsmtLevel),
]

/** All sizes an eighth of the defaults and below, so that a hundred times its memtables are filled in a minute. */
const smallTree = { memtableBytesMax: MiB / 4, logSegmentBytes: MiB, tableFileBytes: MiB / 2, level1Bytes: MiB, rowGroupBytes: MiB / 16 }
export const smallMemtables = lsmtTableWith('lsmt, small memtables', { shards: 8, tree: smallTree })
export const smallMemtableBytes = 8 * smallTree.memtableBytesMax
