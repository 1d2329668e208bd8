/**
 * Where the copies of shards go. Every shard has exactly as many members as the factor says, on different nodes; nodes
 * hold equally many, give or take one; and the pairs that share shards are mixed, so that what a lost node held is
 * recovered by many, not by one.
 */
import type { ReplicaId } from '../replication/configuration.ts'
import { LsmtError } from '../../errors.ts'

/** How many shards each node is a member of; nodes that hold none count too. */
export function loadsOf(nodes: Iterable<string>, shards: readonly (readonly ReplicaId[])[]): Map<string, number> {
  const loads = new Map([...nodes].map((node) => [node, 0]))
  for (const members of shards) for (const { node } of members) loads.set(node, (loads.get(node) ?? 0) + 1)
  return loads
}

/** Members for each shard of a new cluster; the first of them is the first that tries to lead. 22023 when there are fewer nodes than copies. */
export function firstPlacement(nodes: readonly ReplicaId[], shardCount: number, factor: number): readonly (readonly ReplicaId[])[] {
  if (nodes.length < factor) throw new LsmtError('22023', `${factor} copies need ${factor} nodes, and there are ${nodes.length}: start more nodes, or make the cluster with a smaller --replication-factor`, { expected: `at least ${factor}`, actual: String(nodes.length) })
  const sorted = nodes.toSorted((a, b) => (a.node < b.node ? -1 : 1))
  const shared = new Map<string, number>(), firsts = new Map<string, number>()
  const shards: (readonly ReplicaId[])[] = []
  for (let shard = 0; shard < shardCount; shard++) {
    const loads = loadsOf(sorted.map(({ node }) => node), shards)
    const members: ReplicaId[] = []
    while (members.length < factor) {
      const sharing = ({ node }: ReplicaId): number => members.reduce((sum, member) => sum + (shared.get(pairOf(node, member.node)) ?? 0), 0)
      members.push(least(sorted.filter((node) => !members.includes(node)), [({ node }) => loads.get(node)!, sharing, ({ node }) => firsts.get(node) ?? 0]))
    }
    for (const a of members) for (const b of members) if (a.node < b.node) shared.set(pairOf(a.node, b.node), (shared.get(pairOf(a.node, b.node)) ?? 0) + 1)
    const first = least(members, [({ node }) => firsts.get(node) ?? 0])
    firsts.set(first.node, (firsts.get(first.node) ?? 0) + 1)
    shards.push([first, ...members.filter((member) => member !== first)])
  }
  return shards
}

const pairOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** The least by the first measure, among equals by the next; the first of those that are equal in all. Not of nothing. */
export function least<T>(list: readonly T[], measures: readonly ((item: T) => number)[]): T {
  return list.reduce((best, item) => {
    for (const measure of measures) {
      const difference = measure(item) - measure(best)
      if (difference !== 0) return difference < 0 ? item : best
    }
    return best
  })
}
