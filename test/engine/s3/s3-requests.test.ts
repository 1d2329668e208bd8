/** What is asked of a real store, as it is billed: puts are PUT and LIST, gets GET and HEAD. ARCHITECTURE.md has the numbers. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { attachStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import type { RequestCounts, Storage } from '../../../src/storage/storage.ts'
import { describeS3, freshAddress } from '../../storage/s3/s3-server.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'

const shards = 8
const settings: TestSettings = { shards, logFlushMs: 50, tree: { level0RunsCompact: 8, memtableBytesMax: 1024 * 1024, logSegmentBytes: 1024 * 1024 } }

type Billed = Pick<RequestCounts, 'puts' | 'gets' | 'deletes'>

describeS3('requests to a store', () => {
  let address: S3Address
  let storage: Storage
  let engine: Engine
  beforeEach(async () => {
    address = await freshAddress()
    storage = await attachStorage(address)
    engine = await openTestEngine(storage, settings)
  })
  afterEach(async () => {
    await engine.close()
    await storage.close()
  })

  /** `work` asks for at most so much; what goes in the background may come later. */
  async function expectAtMost(bounds: Billed, work: () => Promise<unknown>): Promise<void> {
    const before = { ...storage.requests! }
    await work()
    const { puts, gets, deletes } = storage.requests!
    const asked: Billed = { puts: puts - before.puts, gets: gets - before.gets, deletes: deletes - before.deletes }
    for (const kind of ['puts', 'gets', 'deletes'] as const) expect(asked[kind], `${kind} of ${JSON.stringify(asked)}`).toBeLessThanOrEqual(bounds[kind])
    expect(asked.puts + asked.gets).toBeGreaterThan(0)
  }

  const put = (key: string): Promise<unknown> => engine.insert(engine.table('kv')!, [[key, 'value']], 'upsert')

  test('1,000 writes of one row by 64 writers: an object of the log for each round of them, and a look', async () => {
    let next = 0
    await expectAtMost({ puts: 20, gets: 20, deletes: 0 }, () => Promise.all(Array.from({ length: 64 }, async () => {
      while (next < 1000) await put(`key ${next++}`)
    })))
  })

  test('a flush of one shard: a table file and a manifest; a look; the manifest before the last', async () => {
    await engine.flush()
    await put('a')
    await engine.flush()
    await put('a')
    await expectAtMost({ puts: 2, gets: 1, deletes: 1 }, () => engine.flush())
  })

  test('a compaction of four small runs of one shard: a table file, a manifest, what is pinned; two reads of each run, a look; what went', async () => {
    await engine.compact()
    for (let run = 0; run < 4; run++) {
      await put('a')
      await engine.flush()
    }
    await expectAtMost({ puts: 3, gets: 9, deletes: 6 }, () => engine.compact())
  })

  test('an opening: the format, the log, the claim and its fence; by shard its manifest read and published, and what there is listed', async () => {
    await put('a')
    await engine.flush()
    await engine.close()
    await storage.close()
    storage = await attachStorage(address)
    await expectAtMost({ puts: 7 + 4 * shards, gets: 10 + shards, deletes: shards }, async () => { engine = await openTestEngine(storage, settings) })
  })
})
