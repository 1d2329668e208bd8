/** What came of a swap is told exactly, whatever goes wrong on the way; over the model of etcd. */
import { expect, it } from 'vitest'
import type { SwapRequest } from '../../../src/cluster/node/hosted-replica.ts'
import { storeKeys } from '../../../src/cluster/node/store/keys.ts'
import { readShard, swapShard } from '../../../src/cluster/node/store/shard-store.ts'
import { encodeConfiguration, firstConfiguration, withLeader } from '../../../src/cluster/replication/configuration.ts'
import { faultsOf, modelClient } from '../etcd/model-client.ts'
import type { ModelClient } from '../etcd/model-client.ts'
import type { Fault } from '../etcd/model/etcd-model.ts'

const keys = storeKeys('c')
const self = { node: 'a', store: 's1', incarnation: 3 }
const first = firstConfiguration([{ node: 'a', store: 's1' }, { node: 'b', store: 's2' }])
const led = withLeader(first, { node: 'a', incarnation: 3 })

interface Setting extends ModelClient {
  readonly revision: number
  readonly leaseId: number
}

/** The shard as it is first, and node a live; the fault meets the first request of the swap. */
async function setting(fault?: Fault): Promise<Setting> {
  const client = modelClient(faultsOf((number) => (number === 1 ? fault : undefined)))
  const other = client.other()
  const revision = Number(await client.time.run(other.put(keys.shard(5), encodeConfiguration(first))))
  const leaseId = Number(await client.time.run(other.put(keys.live('a', 3), 'x')))
  return { ...client, revision, leaseId }
}

const swapIn = ({ client, time, revision, leaseId }: Setting, changes: Partial<SwapRequest> = {}) =>
  time.run(swapShard(client, keys, self, 5, { revision, configuration: led, leaseId, absent: { node: 'b', incarnation: 1 }, ...changes }))

const nowIn = ({ other, time }: Setting) => time.run(readShard(other(), keys, 5))

it('done: with the revision of the new value', async () => {
  const it = await setting()
  const outcome = await swapIn(it)
  expect(await nowIn(it)).toEqual({ revision: outcome.outcome === 'done' ? outcome.revision : 0, configuration: led })
})

it.each<[string, Partial<SwapRequest>]>([
  ['the revision is another one', { revision: 1 }],
  ['the lease is another one', { leaseId: 1 }],
  ['whoever is to be gone is there', { absent: { node: 'a', incarnation: 3 } }],
])('refused, with nothing changed: %s', async (_, changes) => {
  const it = await setting()
  expect(await swapIn(it, changes)).toEqual({ outcome: 'refused' })
  expect((await nowIn(it))!.configuration).toEqual(first)
})

it('an earlier incarnation that is gone does not stand in the way', async () => {
  expect(await swapIn(await setting(), { absent: { node: 'a', incarnation: 2 } })).toMatchObject({ outcome: 'done' })
})

it.each<[Fault, boolean]>([
  ['lost-answer', true],
  ['silent-answer', true],
  ['lost-request', false],
  ['silent', false],
  ['late', false],
  [{ code: 14, message: 'etcdserver: request timed out' }, false],
])('unknown, and not offered a second time: %j', async (fault, hasTakenEffect) => {
  const it = await setting(fault)
  expect(await swapIn(it)).toEqual({ outcome: 'unknown' })
  expect(it.model.requests.filter((request) => request.startsWith('kv/txn'))).toHaveLength(1)
  expect((await nowIn(it))!.configuration).toEqual(hasTakenEffect ? led : first)
  it.model.deliver()
  expect((await nowIn(it))!.configuration).toEqual(hasTakenEffect || fault === 'late' ? led : first)
})

it('a member that was not reached is left for the next', async () => {
  expect(await swapIn(await setting('no-connection'))).toMatchObject({ outcome: 'done' })
})

it('refused by etcd is refused', async () => {
  expect(await swapIn(await setting({ code: 7, message: 'etcdserver: permission denied' }))).toEqual({ outcome: 'refused' })
})

it('reads what has no value as nothing, and what is none as an error', async () => {
  const it = await setting()
  expect(await it.time.run(readShard(it.client, keys, 6))).toBeUndefined()
  await it.time.run(it.other().put(keys.shard(6), '{}'))
  await expect(it.time.run(readShard(it.client, keys, 6))).rejects.toMatchObject({ code: 'XX001' })
})
