/** What reads cost: storage requests by kind of read, and what the cache saves. */
import { describe, expect, it } from 'vitest'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { createFixture, findRow, openFixture, shard, withKey, writeTable, zeroStats } from './table-files.ts'
import { layouts, makeRows, readAll } from './table-rows.ts'

const layout = layouts.composite

describe('requests of table files', () => {
  it('opens with one read, finds cold with one, warm with none', async () => {
    const fixture = createFixture('wasm')
    const rows = makeRows(layout, 1000, 1)
    const meta = await writeTable(fixture, layout, rows)
    const { counts } = fixture.storage
    const reader = await openFixture(fixture, meta)
    expect(counts).toMatchObject({ reads: 1, bytesRead: meta.tailBytes })
    const stats = zeroStats()
    expect(await findRow(fixture, reader, rows[500]!.key, stats)).toMatchObject({ row: expect.any(Number) })
    expect(counts.reads).toBe(2)
    expect(stats).toMatchObject({ storageRequests: 1, bytesRead: counts.bytesRead - meta.tailBytes })
    expect(await findRow(fixture, reader, rows[500]!.key, stats)).toMatchObject({ row: expect.any(Number) })
    expect(counts.reads).toBe(2)
    expect(stats.storageRequests).toBe(1)
    await reader.close()
  })

  it('fetches a row group once for many that ask at once', async () => {
    const fixture = createFixture('wasm')
    const rows = makeRows(layout, 1000, 2)
    const reader = await openFixture(fixture, await writeTable(fixture, layout, rows))
    await Promise.all(Array.from({ length: 20 }, () => findRow(fixture, reader, rows[3]!.key)))
    expect(fixture.storage.counts.reads).toBe(2)
    await reader.close()
  })

  it('fetches on this thread where the storage can', async () => {
    for (const syncReads of [true, false]) {
      const fixture = createFixture('wasm', undefined, syncReads)
      const rows = makeRows(layout, 200, 3)
      const reader = await openFixture(fixture, await writeTable(fixture, layout, rows))
      const find = (): ReturnType<typeof reader.find> => withKey(fixture.kernel, rows[0]!.key, (key, keyBytes, hash) => reader.find(0, key, keyBytes, hash))
      const first = find()
      if (first === 'absent' || 'row' in first) throw new Error('nothing to fetch')
      expect(first.fetchSync !== undefined).toBe(syncReads)
      if (first.fetchSync === undefined) await first.fetch()
      else first.fetchSync()
      expect(find()).toEqual({ rowGroup: 0, row: 0, tombstone: rows[0]!.tombstone })
      expect(fixture.storage.counts.reads).toBe(2)
      await reader.close()
    }
  })

  it('pins columns with as few reads as pay, and only those that are not cached', async () => {
    const fixture = createFixture('wasm')
    const rows = makeRows(layout, 3000, 4)
    const meta = await writeTable(fixture, layout, rows)
    const reader = await openFixture(fixture, meta)
    const { counts } = fixture.storage
    // Row groups of 4 KB: all that is wanted lies within the gap.
    const pinned = await reader.pin(0, meta.rowGroupCount, [2])
    expect(counts.reads).toBe(2)
    expect(reader.chunk(0, 2)).toBe(pinned.chunk(0, 2))
    expect(reader.chunk(0, 0)).toBeUndefined()
    expect(reader.chunk(0, 99)).toBe(0)
    expect(pinned.chunk(0, 99)).toBe(0)
    const again = await reader.pin(0, meta.rowGroupCount, [2, 2])
    expect(counts.reads).toBe(2)
    pinned.unpin()
    pinned.unpin()
    again.unpin()
    await reader.pin(1, 2, ['key', 0, 1, 2, 3, 'tombstones']).then((more) => more.unpin())
    expect(counts.reads).toBe(3)
    await reader.close()
  })

  it('reads everything through a cache smaller than the file', async () => {
    const fixture = createFixture('wasm')
    const rows = makeRows(layout, 3000, 5)
    const meta = await writeTable(fixture, layout, rows)
    const small = createFixture('wasm', meta.tailBytes + 30_000)
    for (const [name, file] of fixture.disk) small.disk.set(name, file)
    const reader = await openFixture(small, meta)
    expect(await readAll(small.kernel, reader)).toEqual(rows.map(({ key, ...rest }) => ({ key: new Uint8Array(key), ...rest })))
    for (const { key } of rows.filter((_, i) => i % 37 === 0)) expect(await findRow(small, reader, key)).not.toBe('absent')
    expect(small.cache.counts.evictions).toBeGreaterThan(0)
    await expect(reader.pin(0, meta.rowGroupCount, ['key', 0, 1, 2, 3])).rejects.toMatchObject({ code: '53200' })
    // The refusal left nothing pinned.
    const pinned = await reader.pin(0, 1, ['key', 0, 1, 2, 3])
    pinned.unpin()
    await reader.close()
    small.cache.clear()
    expect(small.kernel.heap.usedBytes).toBe(0)
  })

  it('waits for reads under way when it closes, and refuses later ones', async () => {
    const fixture = createFixture('wasm')
    const rows = makeRows(layout, 300, 6)
    const reader = await openFixture(fixture, await writeTable(fixture, layout, rows))
    const running = reader.pin(0, 1, ['key'])
    const refused = expect(running).rejects.toMatchObject({ code: '55000' })
    await reader.close()
    await refused
    await expect(reader.pin(0, 1, ['key'])).rejects.toMatchObject({ code: '55000' })
    fixture.cache.clear()
    expect(fixture.kernel.heap.usedBytes).toBe(0)
  })

  it('keeps range tombstones, alone too', async () => {
    const fixture = createFixture('wasm')
    const key = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
    const rangeTombstones = [{ start: key('m'), end: key('q') }, { start: key('a'), end: key('c') }]
    const meta = await writeTable(fixture, layouts.bytes, [], { rangeTombstones })
    expect(meta).toMatchObject({ rowCount: 0, rowGroupCount: 0, rangeTombstoneCount: 2, minKey: key('a'), maxKey: key('q') })
    const reader = await openFixture(fixture, meta)
    expect(reader.rangeTombstones).toEqual(rangeTombstones.toReversed())
    expect(await findRow(fixture, reader, key('b'))).toBe('absent')
    expect(reader.rowGroupsIn(undefined, undefined)).toEqual({ from: 0, to: 0 })
    expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toEqual([])
    await reader.close()
  })
})
