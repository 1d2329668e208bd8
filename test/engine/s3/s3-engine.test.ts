/** The engine over a real S3 server: all that every engine keeps true (in full runs; else what it keeps true of writes, tables and transactions), and random operations with reopenings. */
import { afterAll, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { describeS3, freshAddress } from '../../storage/s3/s3-server.ts'
import { describeEngine } from '../engine-conformance.ts'
import { runDifferential } from '../engine-differential.ts'
import { openS3Engine } from './open-s3-engine.ts'

/** Opening takes many short requests one after the other: some are under way while tests run. */
const opening: Promise<Engine>[] = []
async function nextEngine(): Promise<Engine> {
  while (opening.length < 4) opening.push(freshAddress().then((address) => openS3Engine(address, { shards: 2 })))
  return await opening.shift()!
}

describeS3('over S3', () => {
  afterAll(async () => {
    for (const engine of opening) await (await engine).close()
  })
  describeEngine('engine, wasm kernels, 2 shards', nextEngine, fullTests)

  test.each(fullTests ? [21, 22, 23, 24] : [21])('random operations with reopenings agree with the model, seed %i', async (seed) => {
    const address = await freshAddress()
    await runDifferential({ open: () => openS3Engine(address, { shards: 3, tree: { memtableBytesMax: 32 * 1024 } }), reopens: true, steps: fullTests ? 2_000 : 150, seed })
  }, 600_000)
})
