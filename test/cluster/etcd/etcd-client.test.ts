import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { etcdConformance } from './conformance.ts'
import { createEtcdModel } from './model/etcd-model.ts'
import { describeEtcd, sharedEtcd } from './server/etcd-server.ts'

const settings = { pageKeysMax: 3 }

etcdConformance('the model of etcd', async () => createEtcdClient({ endpoints: ['http://model'], settings }, { transport: createEtcdModel(systemAlarms, { partEvents: 2 }).transport }))

describeEtcd('real etcd', () => {
  etcdConformance('one member', async () => createEtcdClient({ endpoints: await sharedEtcd(), settings }))
})
