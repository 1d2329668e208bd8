/** Writes of which storage does not say at once whether they stand. */
import { describe, expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { newTable, scanAll } from '../engine-fixtures.ts'
import { openOver, turn } from './two-writers.ts'

/** A bucket whose next creations of log objects have no known outcome, with or without an effect, until it is mended. */
function breakable(): { readonly storage: Storage; fail: 'before' | 'after' | 'look' | undefined; readonly offered: Set<string> } {
  const memory = createMemoryStorage({ appends: false, syncReads: false })
  const offered = new Set<string>()
  const unknown = (): LsmtError => new LsmtError('40003', 'the connection broke')
  const bucket = {
    fail: undefined as 'before' | 'after' | 'look' | undefined,
    offered,
    storage: {
      ...memory,
      async createIfAbsent(name: string, parts: readonly Uint8Array[]) {
        if (!name.startsWith('wal/')) return memory.createIfAbsent(name, parts)
        const bytes = Buffer.concat(parts)
        if (bucket.fail !== undefined) offered.add(`${name} ${bytes.toString('base64')}`)
        if (bucket.fail === 'before') throw unknown()
        const outcome = await memory.createIfAbsent(name, parts)
        const isOwn = outcome === 'exists' && bytes.equals(Buffer.from(await memory.read(name)))
        if (bucket.fail === 'after') throw unknown()
        return isOwn ? 'created' : outcome
      },
      async read(name: string) {
        if (bucket.fail === 'look' && name.endsWith('.claim')) throw new LsmtError('58030', 'the connection broke')
        return memory.read(name)
      },
    } satisfies Storage,
  }
  return bucket
}

const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'written', (error: unknown) => (error instanceof LsmtError ? error.code : error))

describe('a write whose outcome is not known', () => {
  test.each(['before', 'after'] as const)('is told so, is decided by the same bytes, and then is there whole; the effect was to come %s', async (moment) => {
    const bucket = breakable()
    const engine = await openOver(bucket.storage)
    const kv = engine.table('kv')!
    await engine.insert(kv, [['first', '1']], 'upsert')
    bucket.fail = moment
    const many = Array.from({ length: 20 }, (_, i) => [`told/${i}`, 'x'])
    const told = codeOf(engine.insert(kv, many, 'insert'))
    // Behind the same keys: it must not pass before the first is decided.
    const behind = engine.update(kv, [['told/3']], ([key]) => [key!, 'changed'])
    const defined = engine.createTable(newTable('late', { key: 'text' }, ['key']))
    expect(await told).toBe('40003')
    expect(await codeOf(engine.insert(kv, [['refused', 'x']], 'upsert'))).toBe('57P03')
    expect(engine.stats().doubt).toContain('earlier write')
    expect((await scanAll(engine, kv)).map(([key]) => key)).toEqual(['first'])
    bucket.fail = undefined
    expect(await codeOf(behind)).toBe('written')
    expect((await defined).name).toBe('late')
    expect(await scanAll(engine, kv)).toHaveLength(21)
    expect((await scanAll(engine, kv)).find(([key]) => key === 'told/3')).toEqual(['told/3', 'changed'])
    expect(await codeOf(engine.insert(kv, [['told/0', 'again']], 'insert'))).toBe('23505')
    expect(new Set([...bucket.offered].map((offer) => offer.split(' ')[0])).size).toBe(bucket.offered.size)
    await engine.close()
    const again = await openOver(bucket.storage)
    expect(await scanAll(again, again.table('kv')!)).toHaveLength(21)
    await again.close()
  })

  test('is told so when the look for claims fails, and is there when it succeeds', async () => {
    const bucket = breakable()
    const engine = await openOver(bucket.storage)
    const kv = engine.table('kv')!
    bucket.fail = 'look'
    const told = codeOf(engine.insert(kv, [['told', 'x']], 'upsert'))
    await turn()
    expect(await told).toBe('40003')
    bucket.fail = undefined
    while (await codeOf(engine.insert(kv, [['next', 'x']], 'upsert')) === '57P03') await turn()
    expect(engine.stats().doubt).toBeUndefined()
    expect(await scanAll(engine, kv)).toHaveLength(2)
    await engine.close()
  })
})
