/** What was written lately, in JavaScript; see assembly/skiplist/recent.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { keyCompare, keyCompareNode } from './key.ts'
import { nodeKey, nodeKeyBytes, tableLastVersion, versionAppliedBefore, versionNode, versionSequence } from './layout.ts'
import { emit } from './read.ts'
import type { ReadTarget } from './read.ts'

export interface RecentTarget extends Pick<ReadTarget, 'sequence' | 'keys' | 'values' | 'limit'> {
  readonly since: number
  readonly prefix: Pointer
  readonly prefixBytes: number
}

export function readSince(memory: LinearMemory, table: Pointer, target: RecentTarget): number {
  const nodes = collect(memory, table, target)
  if (nodes === undefined) return -1
  nodes.sort((a, b) => keyCompareNode(memory, a, b + nodeKey, memory.u32[(b + nodeKeyBytes) >>> 2]!, 0))
  let written = 0, before = 0
  for (const node of nodes) {
    if (node !== before) written += emit(memory, table, node, { ...target, skipBytes: target.prefixBytes }, written)
    before = node
  }
  return written
}

/** The nodes of the versions; undefined when there are more than `limit`. */
function collect(memory: LinearMemory, table: Pointer, { since, sequence, prefix, prefixBytes, limit }: RecentTarget): Pointer[] | undefined {
  const { u32, f64 } = memory
  const nodes: Pointer[] = []
  for (let version = u32[(table + tableLastVersion) >>> 2]!; version !== 0; version = u32[(version + versionAppliedBefore) >>> 2]!) {
    const written = f64[(version + versionSequence) >>> 3]!
    if (written <= since) break
    const node = u32[(version + versionNode) >>> 2]!
    if (written > sequence || u32[(node + nodeKeyBytes) >>> 2]! < prefixBytes || keyCompare(memory, node + nodeKey, prefixBytes, prefix, prefixBytes, 0) !== 0) continue
    if (nodes.length === limit) return undefined
    nodes.push(node)
  }
  return nodes
}
