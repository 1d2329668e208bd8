/**
 * Clients of a bucket that die at any request, while they open, write, flush and compact, several in a row: what was
 * acknowledged is there, no statement is there by half, and nothing that was seen to be gone comes back, though the last
 * request of a dead client may take effect when the next one has long been at work.
 */
import { expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createSql } from '../../../src/sql/sql.ts'
import { attachStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { describeS3, freshAddress } from '../../storage/s3/s3-server.ts'
import { createLedger, judge, openTables, writeUntilCrash } from '../crash-ledger.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'
import { expectOnce, prepare, settings as onceSettings, text } from '../requests/exactly-once.ts'
import { openDroppedClient } from './dropped-client.ts'
import type { Drop, DroppedClient, LastRequest } from './dropped-client.ts'
import { openS3Engine } from './open-s3-engine.ts'

const lasts: readonly LastRequest[] = ['unsent', 'sent', 'late']
const turnsOfLasts: readonly (readonly [string, readonly LastRequest[]])[] = fullTests ? lasts.map((last) => [last, [last]]) : [['of each kind in turn', lasts]]
const settings: TestSettings = { shards: 3, kernelMemoryBytes: 32 * 1024 * 1024, cacheBytesMax: 4 * 1024 * 1024, tree: { memtableBytesMax: 16 * 1024 } }

/** Works with an engine over a client that dies; whether the work came to its end before. */
async function workUntilDeath(address: S3Address, drop: Drop, random: Random, work: (storage: Storage) => Promise<void>): Promise<{ readonly isDone: boolean; readonly client: DroppedClient }> {
  const client = await openDroppedClient(address, drop, random)
  const isDone = await Promise.race([work(client.storage).then(() => true), client.death.then(() => false)])
  return { isDone, client }
}

async function run(seed: number): Promise<number> {
  const random = seededRandom(seed)
  const address = await freshAddress()
  const ledger = createLedger()
  const clients: DroppedClient[] = []
  const first = await openS3Engine(address, settings)
  await openTables(first)
  await first.close()
  for (let round = 0; round < 3; round++) {
    // While it opens, or at any request later, or when it writes its log, where most can be lost.
    const drop = [{ request: 1 + random.below(30) }, { request: 1 + random.below(150) }, { request: 2 + random.below(12), isOfLog: true }][(seed + round) % 3]!
    const { client } = await workUntilDeath(address, { ...drop, last: drop.isOfLog === true && random.below(2) === 0 ? 'unsent' : lasts[random.below(3)]! }, random, async (storage) => {
      const engine = await openTestEngine(storage, settings)
      await Promise.all([writeUntilCrash(engine, random, ledger), compactAgainAndAgain(engine)])
    })
    clients.push(client)
    const engine = await openS3Engine(address, settings)
    await judge(engine, ledger, true)
    // By now the last requests have taken effect.
    if (round === 2) for (const each of clients) await each.settled()
    await judge(engine, ledger, true)
    await engine.close()
  }
  return ledger.acknowledged.size
}

async function compactAgainAndAgain(engine: Engine): Promise<void> {
  for (;;) await engine.compact()
}

describeS3('clients of a bucket that die', () => {
  const seeds = process.env['LSMT_SEED'] !== undefined ? [Number(process.env['LSMT_SEED'])] : Array.from({ length: fullTests ? 100 : 2 }, (_, i) => 1 + i)
  let acknowledged = 0
  test.each(seeds)('leave statements whole, and all that were acknowledged, seed %i', async (seed) => {
    acknowledged += await run(seed)
  })
  test('some statements were acknowledged', () => {
    expect(acknowledged).toBeGreaterThan(5 * seeds.length)
  })

  test.each(turnsOfLasts)('leave a text under an idempotency key to be applied exactly once, at whichever request, the last one %s', async (_, turns) => {
    let deaths = 0
    for (let request = 1; ; request += fullTests ? 1 : 34) {
      const address = await freshAddress()
      const straight = await attachStorage(address)
      await prepare(straight)
      const { isDone, client } = await workUntilDeath(address, { request, last: turns[deaths % turns.length]! }, seededRandom(request), async (storage) => {
        const engine = await openTestEngine(storage, onceSettings)
        await createSql(engine).query(text, undefined, { idempotencyKey: 'k' })
        await engine.compact()
        await engine.close()
      })
      const engine = await openS3Engine(address, onceSettings)
      await expectOnce(engine, `dead at request ${request}`)
      await client.settled()
      await expectOnce(engine, `dead at request ${request}, and settled`)
      await engine.close()
      await straight.close()
      if (isDone) break
      deaths++
    }
    expect(deaths).toBeGreaterThan(fullTests ? 60 : 2)
  })
})
