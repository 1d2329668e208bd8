/** The S3 server's share of a test run. */
import { sharedServerLifetime } from '../../shared-server/lifetime.ts'
import { stateVariable } from './s3-server-state.ts'

export default sharedServerLifetime('s3', stateVariable)
