import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { etcdConformance } from './conformance.ts'
import { createEtcdModel } from './model/etcd-model.ts'

etcdConformance('the model of etcd', async () => createEtcdClient({ endpoints: ['http://model'], settings: { pageKeysMax: 3 } }, { transport: createEtcdModel(systemAlarms, { partEvents: 2 }).transport }))
