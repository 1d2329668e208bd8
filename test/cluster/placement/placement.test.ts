import { describe, expect, it } from 'vitest'
import { firstConfiguration, withJoined, withJoining, withLeader, withoutLeader } from '../../../src/cluster/replication/configuration.ts'
import type { ReplicaId, ShardConfiguration } from '../../../src/cluster/replication/configuration.ts'
import { checkSettings, decodeCluster, encodeCluster, newCluster, withDraining, withPlaced, withoutDraining } from '../../../src/cluster/placement/cluster-value.ts'
import { planChanges, replacementOrder } from '../../../src/cluster/placement/plan.ts'
import type { Change, PlacedNode } from '../../../src/cluster/placement/plan.ts'
import { firstPlacement, loadsOf } from '../../../src/cluster/placement/spread.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'

const nodesTo = (count: number, from = 1): readonly PlacedNode[] => Array.from({ length: count }, (_, i) => ({ node: `n${from + i}`, store: `s${from + i}`, isDraining: false }))
const counts = (values: Iterable<number>): readonly [number, number] => [Math.min(...values), Math.max(...values)]
const membersOf = (shards: readonly ShardConfiguration[]): readonly (readonly ReplicaId[])[] => shards.map(({ members }) => members)

function started(nodes: readonly ReplicaId[], shardCount: number, factor: number): readonly ShardConfiguration[] {
  return firstPlacement(nodes, shardCount, factor).map((members) => withLeader(firstConfiguration(members), { node: members[0]!.node, incarnation: 1 }))
}

describe('the first placement', () => {
  it('gives every shard its copies on different nodes, and every node its part', () => {
    for (let nodeCount = 1; nodeCount <= 9; nodeCount++) for (let factor = 1; factor <= Math.min(nodeCount, 4); factor++) for (const shardCount of [1, 7, 8, 30]) {
      const shards = firstPlacement(nodesTo(nodeCount), shardCount, factor)
      const name = `${nodeCount} nodes, ${factor} copies, ${shardCount} shards`
      expect(shards.every((members) => new Set(members.map(({ node }) => node)).size === factor), name).toBe(true)
      const [least, most] = counts(loadsOf(nodesTo(nodeCount).map(({ node }) => node), shards).values())
      expect(most - least, name).toBeLessThanOrEqual(1)
      const [fewestLed, mostLed] = counts(loadsOf(nodesTo(nodeCount).map(({ node }) => node), shards.map(([first]) => [first!])).values())
      expect(mostLed - fewestLed, name).toBeLessThanOrEqual(1)
    }
  })

  it('mixes who shares shards with whom', () => {
    const shards = firstPlacement(nodesTo(4), 12, 2)
    expect(new Set(shards.map((members) => members.map(({ node }) => node).toSorted().join())).size).toBe(6)
  })

  it('does not depend on the order of the nodes', () => {
    expect(firstPlacement(nodesTo(5).toReversed(), 8, 2)).toEqual(firstPlacement(nodesTo(5), 8, 2))
  })

  it('refuses more copies than nodes', () => {
    expect(() => firstPlacement(nodesTo(2), 8, 3)).toThrow('3 copies need 3 nodes, and there are 2')
  })
})

describe('a plan', () => {
  const plan = (shards: readonly ShardConfiguration[], nodes: readonly PlacedNode[], movesMax = 4): readonly Change[] => planChanges({ shards, nodes, movesMax }).changes

  it('of a cluster that is even changes nothing', () => {
    for (const [nodeCount, factor] of [[3, 2], [4, 2], [5, 3], [2, 2], [1, 1]] as const) expect(plan(started(nodesTo(nodeCount), 8, factor), nodesTo(nodeCount))).toEqual([])
  })

  it('moves no more than a new node is to get', () => {
    const { shards, moves } = settle(started(nodesTo(3), 12, 2), nodesTo(4), seededRandom(1))
    expect(moves).toBe(6)
    expect([...loadsOf([], membersOf(shards)).values()]).toEqual([6, 6, 6, 6])
  })

  it('has a leader step down before its node gives the shard away', () => {
    const nodes: readonly PlacedNode[] = [...nodesTo(1).map((node) => ({ ...node, isDraining: true })), ...nodesTo(2, 2)]
    const shards = [withLeader(firstConfiguration([nodes[0]!, nodes[1]!]), { node: 'n1', incarnation: 1 }), withLeader(firstConfiguration([nodes[1]!, nodes[0]!]), { node: 'n2', incarnation: 1 })]
    expect(plan(shards, nodes)).toEqual([{ kind: 'handOver', shard: 0, node: 'n1' }, { kind: 'move', shard: 1, fromStore: 's1', to: { node: 'n3', store: 's3' } }])
  })

  it('makes nothing even while a member is lost: its leader is at work, and nobody else steps down', () => {
    const nodes = nodesTo(4)
    const shards = started(nodesTo(2), 8, 2).map((shard) => withLeader(shard, { node: 'n1', incarnation: 1 }))
    const withLost = [...shards.slice(1), withLeader(firstConfiguration([nodes[0]!, { node: 'n9', store: 's9' }]), { node: 'n1', incarnation: 1 })]
    expect(plan(shards, nodes).length).toBeGreaterThan(0)
    expect(plan(withLost, nodes)).toEqual([])
    expect(plan(withLost, nodes.map((node) => ({ ...node, isDraining: node.node === 'n2' }))).length).toBeGreaterThan(0)
  })

  it('keeps to the number of moves at once, those under way included', () => {
    const nodes = [...nodesTo(3).map((node) => ({ ...node, isDraining: node.node === 'n1' })), ...nodesTo(1, 4)]
    const shards = started(nodesTo(3), 12, 2)
    expect(plan(shards, nodes, 3).length).toBe(3)
    const moving = shards.map((shard, i) => (i < 2 ? withJoining(shard, { replica: { node: 'n4', store: 's4' }, replaces: shard.members[1]!.store, isMove: true }) : shard))
    expect(plan(moving, nodes, 3).length).toBe(1)
    expect(plan(moving, nodes, 2)).toEqual([])
  })

  it('says which shards cannot leave', () => {
    const nodes = nodesTo(2).map((node) => ({ ...node, isDraining: node.node === 'n1' }))
    expect(planChanges({ shards: started(nodesTo(2), 3, 2), nodes, movesMax: 4 })).toEqual({ changes: [], stuck: [0, 1, 2] })
    const alone = nodesTo(2).map((node) => ({ ...node, isDraining: node.node === 'n1' }))
    expect(planChanges({ shards: started(nodesTo(1), 2, 1), nodes: alone, movesMax: 4 })).toEqual({ changes: [], stuck: [0, 1] })
  })

  it('brings leaders back to the nodes that lead few', () => {
    const shards = started(nodesTo(3), 12, 2).map((shard) => withLeader(shard, { node: shard.members.some(({ node }) => node === 'n1') ? 'n1' : shard.members[0]!.node, incarnation: 1 }))
    const { shards: settled } = settle(shards, nodesTo(3), seededRandom(3))
    const [least, most] = counts(loadsOf(['n1', 'n2', 'n3'], settled.map(({ leader }) => [{ node: leader!.node, store: '' }])).values())
    expect(most - least).toBeLessThanOrEqual(2)
  })

  it('repeated comes to rest, even and with all copies, however nodes come and go', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = seededRandom(seed)
      const factor = 1 + random.below(3), first = nodesTo(factor + random.below(4))
      let nodes = first, shards = started(first, 1 + random.below(20), factor), nextNode = first.length + 1
      for (let round = 0; round < 4; round++) {
        if (random.below(2) === 0) nodes = [...nodes, ...nodesTo(1 + random.below(2), nextNode)]
        nextNode += 2
        const active = nodes.filter(({ isDraining }) => !isDraining)
        if (active.length > factor && factor > 1) {
          const leaving = active[random.below(active.length)]!.node
          nodes = nodes.map((node) => (node.node === leaving ? { ...node, isDraining: true } : node))
        }
        shards = settle(shards, nodes, random).shards
        const loads = loadsOf(nodes.map(({ node }) => node), membersOf(shards))
        for (const { node } of nodes.filter(({ isDraining }) => isDraining)) expect(loads.get(node), `seed ${seed}, ${node}`).toBe(0)
        const [least, most] = counts(nodes.filter(({ isDraining }) => !isDraining).map(({ node }) => loads.get(node)!))
        // The only copy of a shard stays where it is.
        if (factor > 1) expect(most - least, `seed ${seed}`).toBeLessThanOrEqual(1)
      }
    }
  })
})

/** Plans and carries out until nothing is left to do, as leaders would. */
function settle(from: readonly ShardConfiguration[], nodes: readonly PlacedNode[], random: Random): { readonly shards: readonly ShardConfiguration[]; readonly moves: number } {
  let shards = [...from], moves = 0
  for (let round = 0; round < 500; round++) {
    const { changes } = planChanges({ shards, nodes, movesMax: 1 + random.below(4) })
    if (changes.length === 0) return { shards, moves }
    for (const change of changes) {
      const was = shards[change.shard]!
      if (change.kind === 'move') {
        moves++
        expect(was.leader?.node).not.toBe(was.members.find(({ store }) => store === change.fromStore)!.node)
        const joining = { replica: change.to, replaces: change.fromStore, isMove: true }
        shards[change.shard] = withJoined(withJoining(was, joining), joining)
      } else {
        const others = was.members.filter(({ node }) => node !== change.node)
        shards[change.shard] = withLeader(withoutLeader(was), { node: others[random.below(others.length)]!.node, incarnation: 1 })
      }
      const { members } = shards[change.shard]!
      expect(new Set(members.map(({ node }) => node)).size).toBe(was.members.length)
    }
    shards = [...shards]
  }
  throw new Error('plans never come to an end')
}

describe('the order of replacements', () => {
  it('is by what nodes hold, without those that leave', () => {
    const [n1, n2, n3] = nodesTo(3) as [PlacedNode, PlacedNode, PlacedNode]
    const shards = [[n1, n3], [n3, n1], [n3, n2]].map(firstConfiguration)
    expect(replacementOrder(nodesTo(5), shards, ['n4']).map(({ node }) => node)).toEqual(['n5', 'n2', 'n1', 'n3'])
  })
})

describe('the value of a cluster', () => {
  it('is changed one thing at a time and read back as it was', () => {
    const cluster = newCluster('c1', 8, 2), draining = withDraining(withDraining(cluster, 'n2'), 'n1')
    expect(draining).toEqual({ format: 1, version: 3, id: 'c1', shardCount: 8, factor: 2, bucket: null, isPlaced: false, draining: ['n1', 'n2'] })
    expect(withDraining(draining, 'n1')).toBe(draining)
    expect(withoutDraining(draining, 'n1')).toMatchObject({ version: 4, draining: ['n2'] })
    expect(withoutDraining(cluster, 'n1')).toBe(cluster)
    expect(decodeCluster(encodeCluster(draining), '/cluster')).toEqual(draining)
    expect(withPlaced(draining)).toEqual({ ...draining, version: 4, isPlaced: true })
    expect(withPlaced(withPlaced(draining))).toEqual(withPlaced(draining))
  })

  const text = (changes: object): string => JSON.stringify({ ...newCluster('c1', 8, 2), ...changes })

  it.each([
    [text({ shardCount: 0 }), 'expected a number of shards'],
    [text({ factor: '2' }), 'expected a number of copies'],
    [text({ draining: [1] }), 'expected names of draining nodes'],
    [text({ id: '' }), 'expected an id'],
    [text({ isPlaced: 1 }), 'expected whether shards are placed'],
    ['{"format":9}', 'has format 9; this version knows format 1'],
    ['null', 'expected an object'],
  ])('refuses %s', (text, expected) => {
    expect(() => decodeCluster(text, '/cluster')).toThrow(expected)
  })

  it('tells a node that was set up otherwise', () => {
    const cluster = newCluster('c1', 8, 2)
    expect(() => checkSettings(cluster, { shardCount: 8, factor: 2 })).not.toThrow()
    expect(() => checkSettings(cluster, { shardCount: 4, factor: 2 })).toThrow('the cluster has 8 shards, this node has 4')
    expect(() => checkSettings(cluster, { shardCount: 8, factor: 3 })).toThrow('the cluster keeps 2 copies, this node was told 3')
    expect(() => checkSettings(cluster, { shardCount: 8, factor: 2, bucket: 's3://b/p' })).toThrow('keeps its data in directories of its nodes, this node was to keep it in s3://b/p')
    expect(() => checkSettings(newCluster('c2', 8, 1, 's3://b/p'), { shardCount: 8, factor: 1, bucket: 's3://b/q' })).toThrow('keeps its data in s3://b/p')
  })
})
