/** A client over the model of etcd with manual time: what a script does to requests is all that goes wrong. */
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdAddress } from '../../../src/cluster/etcd/etcd-settings.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { manualTime } from './manual-time.ts'
import type { ManualTime } from './manual-time.ts'
import { createEtcdModel } from './model/etcd-model.ts'
import type { EtcdModel, ModelScript } from './model/etcd-model.ts'

export interface ModelClient {
  readonly client: EtcdClient
  readonly model: EtcdModel
  readonly time: ManualTime
  /** Another client of the same etcd, with whose requests nothing goes wrong. */
  other(): EtcdClient
}

export const [a, b, c] = ['http://a', 'http://b', 'http://c'] as const

export function modelClient(script: ModelScript = {}, address: Partial<EtcdAddress> = {}, seed = 1): ModelClient {
  const time = manualTime()
  const model = createEtcdModel(time, script)
  const random = { ...seededRandom(seed), below: () => 0 }
  const dependencies = { transport: model.transport, clock: time, alarms: time, random }
  return {
    model,
    time,
    client: createEtcdClient({ endpoints: [a, b, c], ...address }, dependencies),
    other: () => createEtcdClient({ endpoints: [otherEndpoint] }, dependencies),
  }
}

const otherEndpoint = 'http://other'

/** A script for the requests of the client itself; its count begins at 1. */
export function faultsOf(fault: (number: number, path: string, endpoint: string) => ReturnType<NonNullable<ModelScript['fault']>>): ModelScript {
  let number = 0
  return { fault: ({ path, endpoint }) => (endpoint === otherEndpoint ? undefined : fault(++number, path, endpoint)) }
}
