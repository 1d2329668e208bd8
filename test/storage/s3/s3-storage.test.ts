/** The conformance suite over a real S3 server. */
import { openStorage } from '../../../src/storage/open-storage.ts'
import { describeStorage } from '../storage-conformance.ts'
import { describeS3, freshAddress } from './s3-server.ts'

describeS3('a real S3 server', () => {
  describeStorage('s3', async () => {
    const storage = await openStorage(await freshAddress())
    return { storage, dispose: () => storage.close() }
  }, { appends: false })
})
