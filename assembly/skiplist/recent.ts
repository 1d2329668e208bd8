// What was written lately: versions are linked by when they were applied, so nothing older is looked at.
import { textCompare } from '../compare/text'
import { keyCompareNode } from './key'
import { NODE_KEY, NODE_KEY_BYTES, TABLE_LAST_VERSION, VERSION_APPLIED_BEFORE, VERSION_NODE, VERSION_SEQUENCE } from './layout'
import { keepVisible, writeKeys } from './read'

export function skiplistReadSince(
  table: usize, since: f64, sequence: f64, prefix: usize, prefixBytes: u32, keys: usize, values: usize, limit: u32,
): i32 {
  const count = collect(table, since, sequence, prefix, prefixBytes, keys, limit)
  if (count < 0) return -1
  sort(keys, count)
  const distinct = leaveOutRepeated(keys, count)
  if (distinct == 0) return 0
  writeKeys(keys, 8, distinct, prefixBytes, keys, values)
  return keepVisible(table, distinct, sequence, prefixBytes, keys, values)
}

/** Of a node's versions, which are neighbours, one; returns how many nodes there are. */
function leaveOutRepeated(nodes: usize, count: u32): u32 {
  let distinct: u32 = 0
  let before: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const node = load<u32>(nodes + (<usize>i << 3))
    if (node == before) continue
    before = node
    store<u32>(nodes + (<usize>distinct << 3), node)
    distinct++
  }
  return distinct
}

/** Writes the nodes of the versions, eight bytes each; -1 when there are more than `limit`. */
function collect(table: usize, since: f64, sequence: f64, prefix: usize, prefixBytes: u32, nodes: usize, limit: u32): i32 {
  let count: u32 = 0
  for (let version = <usize>load<u32>(table, TABLE_LAST_VERSION); version != 0; version = load<u32>(version, VERSION_APPLIED_BEFORE)) {
    const written = load<f64>(version, VERSION_SEQUENCE)
    if (written <= since) break
    const node = <usize>load<u32>(version, VERSION_NODE)
    if (written > sequence || !hasPrefix(node, prefix, prefixBytes)) continue
    if (count == limit) return -1
    store<u32>(nodes + (<usize>count << 3), <u32>node)
    count++
  }
  return count
}

function hasPrefix(node: usize, prefix: usize, prefixBytes: u32): bool {
  return load<u32>(node, NODE_KEY_BYTES) >= prefixBytes && textCompare(node + NODE_KEY, prefixBytes, prefix, prefixBytes) == 0
}

/** Sorts nodes by key (heap sort, Williams 1964: no memory beside them). */
function sort(nodes: usize, count: u32): void {
  for (let root = count >> 1; root > 0; root--) sink(nodes, root - 1, count)
  for (let end = count; end > 1; end--) {
    const last = load<u32>(nodes + (<usize>(end - 1) << 3))
    store<u32>(nodes + (<usize>(end - 1) << 3), load<u32>(nodes))
    store<u32>(nodes, last)
    sink(nodes, 0, end - 1)
  }
}

/** Moves the node at `root` down in the heap of the first `count` until no greater one is below it. */
function sink(nodes: usize, root: u32, count: u32): void {
  const node = <usize>load<u32>(nodes + (<usize>root << 3))
  const keyBytes = load<u32>(node, NODE_KEY_BYTES)
  let at = root
  while (true) {
    let child: u32 = 2 * at + 1
    if (child >= count) break
    if (child + 1 < count && order(nodes, child, child + 1) < 0) child++
    const below = <usize>load<u32>(nodes + (<usize>child << 3))
    if (keyCompareNode(below, node + NODE_KEY, keyBytes, 0) <= 0) break
    store<u32>(nodes + (<usize>at << 3), <u32>below)
    at = child
  }
  store<u32>(nodes + (<usize>at << 3), <u32>node)
}

function order(nodes: usize, a: u32, b: u32): i32 {
  const other = <usize>load<u32>(nodes + (<usize>b << 3))
  return keyCompareNode(load<u32>(nodes + (<usize>a << 3)), other + NODE_KEY, load<u32>(other, NODE_KEY_BYTES), 0)
}
