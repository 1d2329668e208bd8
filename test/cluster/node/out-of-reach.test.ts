/** Leaders that the coordinator does not hear, and others do. */
import { expect, it } from 'vitest'
import { createOutOfReach } from '../../../src/cluster/node/control/out-of-reach.ts'
import { emptyView } from '../../../src/cluster/node/store/cluster-view.ts'
import type { ClusterView } from '../../../src/cluster/node/store/cluster-view.ts'
import { firstConfiguration, withLeader } from '../../../src/cluster/replication/configuration.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createLog } from '../../../src/runtime/log.ts'

const names = ['n1', 'n2', 'n3', 'n4'] as const
/** Shards 0 and 1 are led by n1 and n2, as are all others by turns; all nodes are live. */
const view: ClusterView = {
  ...emptyView,
  live: new Map(names.map((node) => [`${node}/1`, { node, incarnation: 1, store: `s${node}`, address: '', isLeaving: false, createRevision: 1 }])),
  shards: new Map([0, 1, 2, 3].map((shard) => [shard, { revision: 1, configuration: withLeader(firstConfiguration([{ node: names[shard % 2]!, store: `s${names[shard % 2]!}` }]), { node: names[shard % 2]!, incarnation: 1 }) }])),
}

function outOfReach(handOver: (via: string) => Promise<void> = async () => {}) {
  const connected = new Set<string>(names), asked: string[] = [], lines: string[] = []
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs }
  const told = { isInCharge: true }
  const subject = createOutOfReach({
    self: 'n1', afterMs: 500, againMs: 1_000, clock, view: () => view, log: createLog('info', (line) => lines.push((JSON.parse(line) as { msg: string }).msg)),
    isConnected: (node) => connected.has(node), isInCharge: () => told.isInCharge,
    handOver: (via, node, shard) => {
      asked.push(`${via}: ${node} ${shard}`)
      return handOver(via)
    },
  })
  const lookAt = async (atMs: number): Promise<readonly string[]> => {
    clock.nowMs = atMs
    subject.look()
    await subject.close()
    return asked.splice(0)
  }
  return { connected, lookAt, told, lines }
}

it('asks a leader that is out of reach, by way of one that is not, once it has been for a while, and again', async () => {
  const { connected, lookAt, lines } = outOfReach()
  expect(await lookAt(0)).toEqual([])
  connected.delete('n2')
  expect(await lookAt(100)).toEqual([])
  expect(await lookAt(599)).toEqual([])
  expect(await lookAt(600)).toEqual(['n3: n2 1', 'n3: n2 3'])
  expect(lines).toEqual(['n2, which is live, cannot be reached from here: by way of n3, n4 it is asked to let others lead shards 1, 3'])
  expect(await lookAt(1_500)).toEqual([])
  expect(await lookAt(1_600)).toEqual(['n3: n2 1', 'n3: n2 3'])
})

it('asks nobody for a node that was away for a moment, or leads nothing, nor without being in charge', async () => {
  const { connected, lookAt, told } = outOfReach()
  connected.delete('n2')
  await lookAt(0)
  connected.add('n2')
  await lookAt(300)
  connected.delete('n2')
  expect(await lookAt(600)).toEqual([])
  told.isInCharge = false
  expect(await lookAt(1_200)).toEqual([])
  connected.add('n2').delete('n3')
  told.isInCharge = true
  await lookAt(2_000)
  expect(await lookAt(3_000)).toEqual([])
})

it('tries the next node where one cannot pass it on', async () => {
  const { connected, lookAt } = outOfReach((via) => (via === 'n3' ? Promise.reject(new LsmtError('08006', 'not there either')) : Promise.resolve()))
  connected.delete('n2')
  await lookAt(0)
  expect(await lookAt(500)).toEqual(['n3: n2 1', 'n3: n2 3', 'n4: n2 1', 'n4: n2 3'])
})
