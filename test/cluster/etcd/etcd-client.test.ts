import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { etcdConformance } from './conformance.ts'
import { describeEtcd, sharedEtcd } from './server/etcd-server.ts'

describeEtcd('real etcd', () => {
  etcdConformance('one member', async () => createEtcdClient({ endpoints: await sharedEtcd(), settings: { pageKeysMax: 3 } }))
})
