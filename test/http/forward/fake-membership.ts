/** A cluster of two nodes as its status tells of it, and what people ask of it. */
import type { LostShard, MembershipStatus } from '../../../src/cluster/node/membership.ts'
import { LsmtError } from '../../../src/errors.ts'
import type { ServedCluster } from '../../../src/http/forward/served-cluster.ts'

export const lostShard: LostShard = {
  shard: 1,
  at: { configuration: { version: 4, epoch: 2, leader: undefined, leaderIncarnation: 0, members: [], joining: undefined }, revision: 9 } as unknown as LostShard['at'],
  copies: [{ node: 'b', store: 'store-b', epoch: 2, sequence: 70 }, { node: 'a', store: 'store-a', epoch: 2, sequence: 50 }],
}

export function fakeStatus(node: string): MembershipStatus {
  const nodeStatus = (name: string, isDraining: boolean): MembershipStatus['nodes'][0] => ({ node: name, store: `store-${name}`, incarnation: 1, address: `http://${name}:8080`, version: '1.2.3', isLive: true, isDraining, wasCleanlyStopped: true })
  const members = ['a', 'b'].map((name) => ({ node: name, store: `store-${name}`, isLive: true }))
  return {
    cluster: 'test', node, shardCount: 2, factor: 2, isPlaced: true, isLeaseTrusted: true, storeFailure: undefined, stuck: [], unopened: [{ shard: 1, reason: 'corrupt log' }],
    nodes: [nodeStatus('a', false), nodeStatus('b', true)],
    shards: [
      { shard: 0, epoch: 3, leader: 'a', members, joining: null, possibleLoss: null, led: { isReady: true, commitSequence: 12, copies: 2, lag: 1 } },
      { shard: 1, epoch: 2, leader: undefined, members, joining: null, possibleLoss: 2, led: undefined },
    ],
  }
}

export function fakeMembership(node: string, operated: unknown[]): ServedCluster['membership'] {
  const noted = (...asked: unknown[]): Promise<void> => {
    operated.push(asked)
    return asked.includes('nobody') ? Promise.reject(new LsmtError('22023', "there is no node 'nobody'")) : Promise.resolve()
  }
  return {
    status: () => fakeStatus(node),
    statusOfAll: () => Promise.resolve(fakeStatus(node)),
    operate: {
      drain: (name) => noted('drain', name),
      undrain: (name) => noted('undrain', name),
      replace: (name, by) => noted('replace', name, by),
      handOver: (shard) => noted('handOver', shard),
      findLost: () => Promise.resolve([lostShard]),
      recoverLost: (lost) => noted('recover', lost),
    },
  }
}
