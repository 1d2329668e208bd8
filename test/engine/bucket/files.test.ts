/** What handles a bucket's files as a whole. */
import { describe, expect, test } from 'vitest'
import { verifyDatabase } from '../../../src/engine/shards/verify-database.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'
import { openOver, smallSettings } from './two-writers.ts'

const kernel = openKernel('js', reserveLinearMemory(8 * 1024 * 1024))
const bucket = (): Storage => createMemoryStorage({ appends: false, syncReads: false })

describe('a database in a bucket', () => {
  test('is copied by a checkpoint to a disk, and to another bucket, and both go on', async () => {
    const source = await openOver(bucket())
    await source.insert(source.table('kv')!, [['a', '1'], ['b', '2'], ['c', '3']], 'upsert')
    const checkpoint = await source.checkpoint()
    for (const target of [bucket(), createMemoryStorage()]) {
      for (const { name, read } of checkpoint.files) {
        const pieces: Uint8Array[] = []
        for await (const piece of read()) pieces.push(piece)
        await target.createIfAbsent(name, pieces)
      }
      for (let opening = 0; opening < 3; opening++) {
        const copy = await openTestEngine(target, smallSettings)
        expect(await scanAll(copy, copy.table('kv')!)).toHaveLength(3 + opening)
        await copy.insert(copy.table('kv')!, [[`copy ${opening}`, 'x']], 'insert')
        if (opening === 1) await copy.flush()
        await copy.close()
      }
    }
    checkpoint.release()
    await source.close()
  })

  test('is verified', async () => {
    const storage = bucket()
    const engine = await openOver(storage)
    await engine.insert(engine.table('kv')!, [['a', '1'], ['b', '2']], 'upsert')
    await engine.close()
    const verified = await verifyDatabase(storage, kernel).next()
    expect(verified).toMatchObject({ done: true, value: { shards: smallSettings.shards, findings: 0 } })
  })
})
