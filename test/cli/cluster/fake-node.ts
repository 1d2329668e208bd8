/** A node of a cluster as `lsmt serve` gets one, over the model engine. */
import type { ClusterNode } from '../../../src/cli/serve/cluster-node.ts'
import type { ClusterRequest } from '../../../src/cluster/open-cluster.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { fakeMembership } from '../../http/forward/fake-membership.ts'

export interface FakeNode {
  readonly requests: ClusterRequest[]
  /** What was called, in this order. */
  readonly calls: string[]
  readonly operated: unknown[]
  isReady: boolean
  open(request: ClusterRequest): Promise<ClusterNode>
}

export function fakeNode(): FakeNode {
  const engine = openModelEngine()
  const reading = Object.create(engine, { isReadOnly: { value: true } }) as Engine
  const fake: FakeNode = {
    requests: [],
    calls: [],
    operated: [],
    isReady: true,
    async open(request) {
      fake.requests.push(request)
      return {
        nodeId: request.nodeId,
        engine: reading,
        at: () => reading,
        coordinator: async () => ({ kind: 'here', engine }),
        token: () => 't',
        copies: 2,
        isUpgrade: () => false,
        accept() {},
        membership: fakeMembership(request.nodeId, fake.operated),
        isReady: () => fake.isReady,
        leave: async () => void fake.calls.push('leave'),
        close: async () => void fake.calls.push('close'),
      }
    },
  }
  return fake
}
