/** Engines over the real S3 server of the tests. */
import type { Engine } from '../../../src/engine/engine.ts'
import { attachStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'

/** Closing it closes the storage. The store is not probed: storage's own tests do that. */
export async function openS3Engine(address: S3Address, settings: TestSettings = {}): Promise<Engine> {
  const storage = await attachStorage(address)
  try {
    const engine = await openTestEngine(storage, settings)
    const { close } = engine
    return Object.assign(engine, { close: async () => { await close(); await storage.close() } })
  } catch (error) {
    await storage.close()
    throw error
  }
}
