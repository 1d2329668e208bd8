/** One node's part in who owns what, against a store that it shares with others. */
import { describe, expect, test } from 'vitest'
import { Ownership } from '../../../src/cluster/node/control/ownership.ts'
import type { KnownOwners } from '../../../src/cluster/node/control/ownership.ts'
import type { SwapOutcome, SwapRequest } from '../../../src/cluster/node/hosted-replica.ts'
import { withOwner } from '../../../src/cluster/placement/ownership.ts'
import { firstConfiguration, withoutLeader } from '../../../src/cluster/replication/configuration.ts'
import type { ConfigurationAt } from '../../../src/cluster/replication/configuration.ts'
import type { LiveNode } from '../../../src/cluster/replication/event.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { manualTime } from '../etcd/manual-time.ts'

const [a, b, c] = ['a', 'b', 'c'].map((node): LiveNode => ({ node, store: `s${node}`, incarnation: 1 })) as [LiveNode, LiveNode, LiveNode]
const settings = { holdBackMs: 300, settleMs: 3_000, lookEveryMs: 100 }

function cluster(owners: readonly LiveNode[]) {
  const time = manualTime()
  const shards = new Map<number, ConfigurationAt>(owners.map((owner, shard) => [shard, { revision: 1, configuration: withOwner(firstConfiguration([owner]), owner) }]))
  const state = { live: [...new Set(owners)] as readonly LiveNode[], draining: [] as readonly string[], revision: 1, asked: [] as string[], outcome: undefined as SwapOutcome | undefined }
  const put = (shard: number, configuration: ConfigurationAt['configuration']): number => {
    shards.set(shard, { revision: ++state.revision, configuration })
    return state.revision
  }
  const known = (): KnownOwners => ({ shards, live: state.live, draining: state.draining })
  const swap = (self: LiveNode) => async (shard: number, { revision, configuration, leaseId, absent }: SwapRequest): Promise<SwapOutcome> => {
    state.asked.push(`${self.node} ${shard}`)
    if (state.outcome !== undefined) return state.outcome
    const isAbsent = absent === undefined || !state.live.some(({ node, incarnation }) => node === absent.node && incarnation === absent.incarnation)
    return shards.get(shard)!.revision === revision && isAbsent && leaseId === 7 ? { outcome: 'done', revision: put(shard, configuration) } : { outcome: 'refused' }
  }
  const node = (self: LiveNode): Ownership => new Ownership({
    self, clock: time, alarms: time, log: createLog('silent', () => {}), settings, known, leaseId: () => 7, swap: swap(self),
    async giveUp(shard) {
      put(shard, withoutLeader(shards.get(shard)!.configuration))
    },
  })
  const ownersNow = (): string => [...shards.values()].map(({ configuration: { leader } }) => leader?.node ?? '-').join('')
  return { time, state, node, ownersNow }
}

describe('ownership at a node', () => {
  test('takes what it should at once, what another one should have after a while, and asks again for what was not decided', async () => {
    const { time, state, node, ownersNow } = cluster([a, a, b, c, c])
    const only = node(a)
    only.tend()
    await time.advance(1_000)
    expect(state.asked).toEqual([])
    state.live = [a, b]
    state.outcome = { outcome: 'unknown' }
    await time.advance(200)
    expect(state.asked).toEqual(['a 4'])
    state.outcome = undefined
    await time.advance(150)
    expect(ownersNow()).toBe('aabcc')
    await time.advance(1_000)
    expect(ownersNow()).toBe('aabaa')
    await only.close()
  })

  test('of all nodes comes to rest: each owns as many, and what one that drains had', async () => {
    const { time, state, node, ownersNow } = cluster([a, a, a, a, a, a])
    state.live = [a, b, c]
    const nodes = [a, b, c].map(node)
    for (const each of nodes) each.tend()
    await time.advance(2_900)
    expect(ownersNow()).toBe('aaaaaa')
    await time.advance(60_000)
    expect(ownersNow().split('').toSorted().join('')).toBe('aabbcc')
    state.draining = ['b']
    await time.advance(60_000)
    expect(ownersNow().split('').toSorted().join('')).toBe('aaaccc')
    state.live = [a, c]
    nodes[0]!.leave()
    state.live = [c]
    await time.advance(2_000)
    expect(ownersNow()).toBe('cccccc')
    for (const each of nodes) await each.close()
  })
})
