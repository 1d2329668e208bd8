/** Being there, over the model of etcd: what is told of the lease, and what lost answers come to. */
import { expect, it } from 'vitest'
import { noLease } from '../../../src/cluster/node/hosted-replica.ts'
import { Presence } from '../../../src/cluster/node/start/presence.ts'
import { storeKeys } from '../../../src/cluster/node/store/keys.ts'
import { decodeLive, decodeNode, encodeLive } from '../../../src/cluster/node/store/node-value.ts'
import type { NodeValue } from '../../../src/cluster/node/store/node-value.ts'
import type { Lease } from '../../../src/cluster/replication/state/replica-state.ts'
import type { LsmtError } from '../../../src/errors.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { modelClient } from '../etcd/model-client.ts'
import type { ModelClient } from '../etcd/model-client.ts'
import type { Fault, ModelScript } from '../etcd/model/etcd-model.ts'

const keys = storeKeys('c')
const value: NodeValue = { incarnation: 4, store: 's1', address: 'http://a:1', version: '1', wasCleanlyStopped: false }
const nodeKey = keys.node('a'), liveKey = keys.live('a', 4)

interface There extends ModelClient {
  readonly presence: Presence
  readonly told: Lease[]
  readonly fatal: LsmtError[]
}

function presenceOver(script: ModelScript = {}): There {
  const model = modelClient(script), told: Lease[] = [], fatal: LsmtError[] = []
  const presence = new Presence({
    etcd: model.client, alarms: model.time, retryMs: 100, leaseSeconds: 3, nodeKey, liveKey, liveValue: encodeLive({ ...value, isLeaving: false }), leavingValue: encodeLive({ ...value, isLeaving: true }), node: 'a', value,
    log: createLog('silent', () => undefined), fatal: (error) => fatal.push(error),
  })
  presence.onChange(() => void told.push(presence.lease))
  return { ...model, presence, told, fatal }
}

/** Meets the first transaction of the node itself. */
function faultOfFirst(fault: Fault): ModelScript {
  let isMet = false
  return {
    fault({ path, endpoint }) {
      if (path !== 'kv/txn' || isMet || endpoint === 'http://other') return undefined
      isMet = true
      return fault
    },
  }
}

it('is under a lease, which is told with each renewal', async () => {
  const { presence, time, told, client } = presenceOver()
  expect(await time.run(presence.begin([]))).toBe(true)
  const live = (await time.run(client.get(liveKey))).found!
  expect(presence.lease).toEqual({ leaseId: Number(live.createRevision), deadlineMs: expect.any(Number) })
  const before = presence.lease.deadlineMs
  await time.advance(3_500)
  expect(told.length).toBeGreaterThanOrEqual(3)
  expect(presence.lease.deadlineMs).toBeGreaterThan(before + 2_000)
  presence.close()
})

it.each<Fault>(['lost-answer', 'lost-request', 'silent-answer', 'silent', 'no-connection', { code: 14, message: 'etcdserver: request timed out' }])('is registered once, whatever happens to the first answer: %j', async (fault) => {
  const { presence, time, client } = presenceOver(faultOfFirst(fault))
  expect(await time.run(presence.begin([]))).toBe(true)
  const [node, live] = [(await time.run(client.get(nodeKey))).found!, (await time.run(client.get(liveKey))).found!]
  expect([node.version, live.version, presence.lease.leaseId]).toEqual([1n, 1n, Number(live.createRevision)])
  presence.close()
})

it('is not there when a condition does not hold, and leaves no lease', async () => {
  const { presence, time, client, other } = presenceOver()
  await time.run(other().put(liveKey, 'somebody'))
  expect(await time.run(presence.begin([]))).toBe(false)
  expect((await time.run(client.get(nodeKey))).found).toBeUndefined()
  presence.close()
})

it('tells that the lease has ended, and the next one, which is another', async () => {
  const { presence, time, told, client, other, fatal } = presenceOver()
  await time.run(presence.begin([]))
  const first = presence.lease
  await time.run(other().revoke((await time.run(client.get(liveKey))).found!.leaseId))
  await time.advance(3_000)
  expect(told).toContainEqual(noLease)
  const live = (await time.run(client.get(liveKey))).found!
  expect(presence.lease.leaseId).toBe(Number(live.createRevision))
  expect(presence.lease.leaseId).toBeGreaterThan(first.leaseId)
  expect([presence.isTrusted(), fatal]).toEqual([true, []])
  presence.close()
})

it('says that it is about to leave, under the same lease and key', async () => {
  const { presence, time, client } = presenceOver()
  await time.run(presence.begin([]))
  const before = (await time.run(client.get(liveKey))).found!
  await time.run(presence.announceLeaving())
  const after = (await time.run(client.get(liveKey))).found!
  expect(decodeLive(after.value, liveKey).isLeaving).toBe(true)
  expect([after.leaseId, after.createRevision, presence.isTrusted()]).toEqual([before.leaseId, before.createRevision, true])
  presence.close()
})

it('tells that there is no lease before etcd hears that it leaves', async () => {
  const { presence, time, told, client, model } = presenceOver()
  await time.run(presence.begin([]))
  let revokesThen = -1
  presence.onChange(() => { revokesThen = model.requests.filter((request) => request.startsWith('lease/revoke')).length })
  await time.run(presence.leave())
  expect([told.at(-1), revokesThen]).toEqual([noLease, 0])
  expect((await time.run(client.get(liveKey))).found).toBeUndefined()
  expect(decodeNode((await time.run(client.get(nodeKey))).found!.value, nodeKey)).toEqual({ ...value, wasCleanlyStopped: true })
})

it('that somebody else was registered ends it', async () => {
  const { presence, time, client, other, fatal } = presenceOver()
  await time.run(presence.begin([]))
  await time.run(other().delete({ key: nodeKey }))
  await time.run(other().revoke((await time.run(client.get(liveKey))).found!.leaseId))
  await time.advance(3_000)
  expect(fatal).toEqual([expect.objectContaining({ code: '55006', message: "this node is no longer 'a' of the cluster: its registration was deleted" })])
  expect(presence.lease).toEqual(noLease)
  presence.close()
})
