import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { etcdConformance } from './conformance.ts'
import { describeEtcd, patientEtcd, sharedEtcd } from './server/etcd-server.ts'

describeEtcd('real etcd', () => {
  etcdConformance('one member', async () => createEtcdClient({ endpoints: await sharedEtcd(), settings: { ...patientEtcd, pageKeysMax: 3 } }))
})
