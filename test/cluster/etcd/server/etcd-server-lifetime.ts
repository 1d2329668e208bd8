/** etcd's share of a test run. */
import { sharedServerLifetime } from '../../../shared-server/lifetime.ts'
import { stateVariable } from './etcd-server-state.ts'

export default sharedServerLifetime('etcd', stateVariable)
