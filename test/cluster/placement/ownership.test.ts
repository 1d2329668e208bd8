import { describe, expect, it } from 'vitest'
import { ownerOf, planGivingUp, planTaking, withOwner } from '../../../src/cluster/placement/ownership.ts'
import type { OwnershipInput } from '../../../src/cluster/placement/ownership.ts'
import { firstConfiguration, withoutLeader } from '../../../src/cluster/replication/configuration.ts'
import type { ShardConfiguration } from '../../../src/cluster/replication/configuration.ts'
import type { LiveNode } from '../../../src/cluster/replication/event.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const nodeOf = (number: number, incarnation = 1): LiveNode => ({ node: `n${number}`, store: `s${number}-${incarnation}`, incarnation })
const [n1, n2, n3] = [nodeOf(1), nodeOf(2), nodeOf(3)]
const fresh = firstConfiguration([n1])

const owned = (...owners: readonly LiveNode[]): Map<number, ShardConfiguration> => new Map(owners.map((owner, shard) => [shard, withOwner(fresh, owner)]))

const taken = (input: Partial<OwnershipInput> & Pick<OwnershipInput, 'shards' | 'live'>): readonly string[] => [...planTaking({ draining: [], ...input })].map(([shard, { node }]) => `${shard} ${node}`)

const givenUp = (shards: ReadonlyMap<number, ShardConfiguration>, live: readonly LiveNode[], draining: readonly string[] = []): readonly string[] =>
  live.flatMap((self) => {
    const shard = planGivingUp({ shards, live, draining }, self)
    return shard === undefined ? [] : [`${shard} ${self.node}`]
  })

/** Carries all plans out until there are none; tells how many shards changed owners. */
function settle(shards: Map<number, ShardConfiguration>, live: readonly LiveNode[], draining: readonly string[] = []): number {
  for (let changes = 0; ; ) {
    const taking = planTaking({ shards, live, draining })
    for (const [shard, taker] of taking) shards.set(shard, withOwner(shards.get(shard)!, taker))
    changes += taking.size
    const givers = live.map((self) => planGivingUp({ shards, live, draining }, self)).filter((shard) => shard !== undefined)
    expect(givers.length).toBeLessThanOrEqual(1)
    if (givers.length === 0) return changes
    for (const shard of givers) shards.set(shard, withoutLeader(shards.get(shard)!))
    expect(changes).toBeLessThan(1_000)
  }
}

const countsOf = (shards: ReadonlyMap<number, ShardConfiguration>, nodes: readonly LiveNode[]): readonly number[] => nodes.map((node) => [...shards.values()].filter((configuration) => ownerOf(configuration, nodes) === node).length)

describe('owners of shards', () => {
  it('are those of the first placement at first', () => {
    const shards = new Map([n3, n1, n2].map((node, shard) => [shard, firstConfiguration([node])]))
    expect(taken({ shards, live: [n1, n2, n3] })).toEqual(['0 n3', '1 n1', '2 n2'])
    expect(taken({ shards, live: [n1, n2] })).toEqual(['0 n1', '1 n1', '2 n2'])
  })

  it('take what a lost one owned, the emptiest first', () => {
    const shards = owned(n1, n1, n2, n3, n3, n3)
    expect(taken({ shards, live: [n1, n2, n3] })).toEqual([])
    expect(taken({ shards, live: [n1, n2] })).toEqual(['3 n2', '4 n1', '5 n2'])
    expect(taken({ shards, live: [] })).toEqual([])
  })

  it('are lost by a restart, whose incarnation never owned anything', () => {
    const shards = owned(n1, n2)
    expect(taken({ shards, live: [n1, nodeOf(2, 2)] })).toEqual(['1 n2'])
    expect(withOwner(shards.get(1)!, nodeOf(2, 2))).toMatchObject({ epoch: 2, version: 3, leader: { node: 'n2', incarnation: 2 }, members: [{ node: 'n2', store: 's2-2' }] })
  })

  it('do not take what they have just given up while others are there', () => {
    const shards = new Map([[0, withoutLeader(withOwner(fresh, n1))], [1, withOwner(fresh, n2)], [2, withOwner(fresh, n2)]])
    expect(taken({ shards, live: [n1, n2] })).toEqual(['0 n2'])
    expect(taken({ shards, live: [n1] })).toEqual(['0 n1', '1 n1', '2 n1'])
  })

  it('are no draining nodes, unless only these are there', () => {
    const shards = owned(n3, n3)
    expect(taken({ shards, live: [n1, n2], draining: ['n1'] })).toEqual(['0 n2', '1 n2'])
    expect(taken({ shards, live: [n1], draining: ['n1'] })).toEqual(['0 n1', '1 n1'])
  })

  it('give up one at a time, the catalog last, and nothing while something has no owner', () => {
    const shards = owned(n1, n1, n1, n2)
    expect(givenUp(shards, [n1, n2, n3])).toEqual(['2 n1'])
    expect(givenUp(shards, [n1, n2])).toEqual(['2 n1'])
    expect(givenUp(owned(n1, n1, n2), [n1, n2])).toEqual([])
    expect(givenUp(new Map([...shards, [4, fresh]]), [n1, n2, n3])).toEqual([])
  })

  it('give up everything when they drain, if somebody can take it', () => {
    const shards = owned(n1, n2, n3)
    expect(givenUp(shards, [n1, n2, n3], ['n2'])).toEqual(['1 n2'])
    expect(givenUp(shards, [n1, n2, n3], ['n1', 'n2', 'n3'])).toEqual([])
  })

  it('come to rest with equally many each, whatever happens', () => {
    const random = seededRandom(5)
    for (let round = 0; round < 200; round++) {
      const nodes = Array.from({ length: 1 + random.below(5) }, (_, i) => nodeOf(i + 1, 1 + random.below(2)))
      const shards = new Map(Array.from({ length: 1 + random.below(12) }, (_, shard) => [shard, random.below(3) === 0 ? firstConfiguration([nodeOf(1 + random.below(5))]) : withOwner(fresh, nodeOf(1 + random.below(5), 1 + random.below(2)))]))
      const draining = nodes.filter(() => random.below(5) === 0).map(({ node }) => node)
      settle(shards, nodes, draining)
      const active = nodes.filter(({ node }) => !draining.includes(node))
      const counts = countsOf(shards, nodes).filter((_, i) => active.length === 0 || active.includes(nodes[i]!))
      if (active.length > 0) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(shards.size)
    }
  })

  it('move no more shards than must move', () => {
    const shards = owned(n1, n1, n1, n2, n2, n2)
    expect(settle(shards, [n1, n2, n3])).toBe(2)
    expect(settle(shards, [n1, n2])).toBe(2)
  })
})
