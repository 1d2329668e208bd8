/**
 * A store that could not be reached for longer than storage repeats requests ended writes until the database was opened
 * again, though nothing was undecided; so did an old manifest that could not be deleted. And a write whose object was
 * offered, and perhaps stood, was told that nothing of it was written when storage was closed before it said so.
 */
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { LsmtError } from '../../src/errors.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { scanAll } from '../engine/engine-fixtures.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

/** A bucket whose requests of some kinds, below some folders, fail as `failing` says. */
function brokenBucket(): { readonly storage: Storage; failing: ((kind: 'create' | 'delete' | 'read', name: string) => LsmtError | undefined) | undefined } {
  const memory = createMemoryStorage({ appends: false, syncReads: false })
  const bucket = { failing: undefined as ReturnType<typeof brokenBucket>['failing'], storage: memory }
  const around = async <T>(kind: 'create' | 'delete' | 'read', name: string, request: () => Promise<T>): Promise<T> => {
    const failure = bucket.failing?.(kind, name)
    if (failure !== undefined) throw failure
    return await request()
  }
  bucket.storage = {
    ...memory,
    createIfAbsent: (name, parts) => around('create', name, () => memory.createIfAbsent(name, parts)),
    delete: (name) => around('delete', name, () => memory.delete(name)),
    read: (name) => around('read', name, () => memory.read(name)),
  }
  return bucket
}

const outOfReach = new LsmtError('58030', 'connection refused')
const put = (engine: Engine, key: string): Promise<number> => engine.insert(engine.table('kv')!, [[key, 'x']], 'upsert')
const keysOf = async (engine: Engine): Promise<readonly unknown[]> => (await scanAll(engine, engine.table('kv')!)).map(([key]) => key)

/** Whatever is refused meanwhile: in the end it is taken. */
async function untilTaken(engine: Engine, key: string): Promise<void> {
  for (;;) {
    const code = await put(engine, key).then(() => undefined, (error: unknown) => (error as LsmtError).code)
    if (code === undefined) return
    expect(code).toBe('57P03')
    await systemClock.sleep(5)
  }
}

test.each(['create', 'read'] as const)('writes go on when a store that could not be reached is back, met by a %s', async (met) => {
  const bucket = brokenBucket()
  const engine = await openTestEngine(bucket.storage, { shards: 2 })
  await put(engine, 'a')
  bucket.failing = (kind) => (kind === met ? outOfReach : undefined)
  await expect(put(engine, 'b')).rejects.toMatchObject({ code: '40003' })
  await expect(put(engine, 'c')).rejects.toMatchObject({ code: '57P03' })
  await systemClock.sleep(100)
  bucket.failing = undefined
  await untilTaken(engine, 'd')
  expect(await keysOf(engine)).toEqual(['a', 'b', 'd'])
  await engine.close()
})

test('a manifest that was certainly not published is published later', async () => {
  const bucket = brokenBucket()
  const engine = await openTestEngine(bucket.storage, { shards: 1 })
  await put(engine, 'a')
  bucket.failing = (kind, name) => (kind === 'create' && name.startsWith('manifest/') ? outOfReach : undefined)
  await expect(engine.flush()).rejects.toMatchObject({ code: '58030' })
  await put(engine, 'b')
  bucket.failing = undefined
  await engine.flush()
  await put(engine, 'c')
  expect(engine.stats().shards.map(({ failure }) => failure)).toEqual([undefined])
  await engine.close()
  const again = await openTestEngine(bucket.storage)
  expect(await keysOf(again)).toEqual(['a', 'b', 'c'])
  await again.close()
})

test('a manifest that cannot be deleted stays, and nothing else comes of it', async () => {
  const bucket = brokenBucket()
  const engine = await openTestEngine(bucket.storage, { shards: 1 })
  bucket.failing = (kind, name) => (kind === 'delete' && name.startsWith('manifest/') ? outOfReach : undefined)
  for (const key of ['a', 'b', 'c', 'd']) {
    await put(engine, key)
    await engine.flush()
  }
  expect((await bucket.storage.list('manifest/')).length).toBeGreaterThan(4)
  await engine.close()
  bucket.failing = undefined
  await (await openTestEngine(bucket.storage)).close()
  expect(await bucket.storage.list('manifest/')).toHaveLength(2)
})

test('a write is not called refused when storage is closed while its object is offered', async () => {
  for (const met of ['create', 'read'] as const) {
    const bucket = brokenBucket()
    const engine = await openTestEngine(bucket.storage, { shards: 1 })
    bucket.failing = (kind) => (kind === met ? new LsmtError('55000', 'the storage is closed') : undefined)
    await expect(put(engine, 'a')).rejects.toMatchObject({ code: '40003' })
    await expect(put(engine, 'b')).rejects.toMatchObject({ code: '55000' })
    await engine.close().catch(() => undefined)
  }
})
