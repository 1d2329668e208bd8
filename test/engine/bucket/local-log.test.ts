/** A database in a bucket whose log is on a local disk. */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { openEngine } from '../../../src/engine/open-engine.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../../src/settings.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { smallSettings } from './two-writers.ts'

let seeds = 0

function open(bucket: MemoryDisk, local?: MemoryDisk, appends = false): Promise<Engine> {
  return openEngine({
    storage: createMemoryStorage({ disk: bucket, appends, syncReads: appends }), clock: systemClock, random: seededRandom(40_000 + seeds++),
    settings: { ...defaultDatabaseSettings, ...smallSettings, workers: 0, tree: { ...defaultDatabaseSettings.tree, ...smallSettings.tree } },
    ...(local !== undefined && { localLog: createMemoryStorage({ disk: local }) }),
  })
}

const write = (engine: Engine, key: string): Promise<unknown> => engine.insert(engine.table('kv')!, [[`${key}/1`, key], [`${key}/2`, key]], 'insert')
const keysOf = async (engine: Engine): Promise<readonly string[]> => [...new Set((await scanAll(engine, engine.table('kv')!)).map(([key]) => String(key).split('/')[0]!))].sort()

describe('a log on a local disk', () => {
  test('asks the bucket for nothing when rows are written, and goes on after a crash', async () => {
    const bucket: MemoryDisk = new Map(), local: MemoryDisk = new Map()
    const crashed = await open(bucket, local)
    expect(crashed.stats().logOn).toBe('disk')
    const before = [...bucket.keys()]
    await write(crashed, 'a')
    expect([...bucket.keys()]).toEqual(before)
    expect([...bucket.keys()].some((name) => name.startsWith('wal/'))).toBe(false)
    const again = await open(bucket, local)
    expect(await keysOf(again)).toEqual(['a'])
    await again.close()
  })

  test('keeps everybody else out until it is closed', async () => {
    const bucket: MemoryDisk = new Map(), local: MemoryDisk = new Map()
    await write(await open(bucket, local), 'a')
    await expect(open(bucket)).rejects.toMatchObject({ code: '55000', evidence: { hint: expect.stringContaining('open the database on that machine') as string } })
    await expect(open(bucket, new Map())).rejects.toMatchObject({ code: '55000' })
    const again = await open(bucket, local)
    await write(again, 'b')
    await again.close()
    const elsewhere = await open(bucket)
    expect(elsewhere.stats().logOn).toBe('bucket')
    expect(await keysOf(elsewhere)).toEqual(['a', 'b'])
    await elsewhere.close()
  })

  test('moves to the bucket and back, with what either holds', async () => {
    const bucket: MemoryDisk = new Map(), local: MemoryDisk = new Map()
    const keys: string[] = []
    for (const place of ['bucket', 'disk', 'disk', 'bucket', 'bucket', 'disk', 'bucket', 'disk']) {
      const engine = await open(bucket, place === 'disk' ? local : undefined)
      expect(engine.stats().logOn).toBe(place)
      expect(await keysOf(engine)).toEqual(keys)
      keys.push(`key ${keys.length}`)
      await write(engine, keys.at(-1)!)
      await engine.close()
    }
  })

  test('is not that of another database, nor one that somebody else went on from', async () => {
    const bucket: MemoryDisk = new Map(), local: MemoryDisk = new Map()
    await write(await open(new Map(), local), 'other')
    await expect(open(bucket, local)).rejects.toMatchObject({ code: '55000', message: expect.stringContaining('is not that of the last writer') as string })
    await expect(open(new Map(), new Map(), true)).rejects.toMatchObject({ code: '22023' })
  })
})
