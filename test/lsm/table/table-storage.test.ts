/** Table files over real files, and over disks that fail: errors keep their codes, nothing half-written shows, nothing leaks. */
import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { temporaryDirectory } from '../../storage/temporary-directory.ts'
import { createFixture, findRow, fixtureOver, openFixture, shard, writeTable } from './table-files.ts'
import type { TableFixture } from './table-files.ts'
import { describeRows, layouts, makeRows, readAll } from './table-rows.ts'

const layout = layouts.composite
/** Brings all files of a fixture to another storage. */
async function copyFiles({ storage: from }: TableFixture, to: Storage): Promise<void> {
  for (const { name } of await from.list('')) await to.createIfAbsent(name, [await from.read(name)])
}

const failure = (): LsmtError => new LsmtError('58030', 'the disk says no')

describe('table files and storage', () => {
  it('live in files', async () => {
    const directory = temporaryDirectory()
    const storage = await openLocalStorage(directory.path)
    const fixture = fixtureOver(storage)
    const rows = makeRows(layout, 2000, 1)
    const meta = await writeTable(fixture, layout, rows, { fileNumber: 42 })
    expect(await storage.list('sst/')).toEqual([{ name: 'sst/3/00000000000000000042.sst', byteLength: meta.byteLength }])
    const reader = await openFixture(fixture, meta)
    expect(describeRows(await readAll(fixture.kernel, reader))).toEqual(describeRows(rows))
    expect(await findRow(fixture, reader, rows[7]!.key)).toMatchObject({ row: 7 })
    expect(await verifyTable(storage, fixture.kernel, meta, shard)).toEqual([])
    await reader.close()
    await storage.close()
    directory.remove()
  })

  it('are not there after a write that failed, at whichever operation', async () => {
    const rows = makeRows(layout, 3000, 2)
    let failed = 0
    for (let at = 1; ; at++) {
      const fixture = fixtureOver(createFaultyStorage({ seed: at, fail: ({ number }) => (number === at ? failure() : undefined) }))
      const outcome = await writeTable(fixture, layout, rows).catch((error: unknown) => error)
      expect(fixture.kernel.heap.usedBytes).toBe(0)
      if (!(outcome instanceof LsmtError)) break
      expect(outcome.code).toBe('58030')
      expect(await fixture.storage.list('')).toEqual([])
      failed += 1
    }
    expect(failed).toBeGreaterThan(1)
  })

  it('say so when a read fails, and answer when it is asked again', async () => {
    const source = createFixture('wasm')
    const rows = makeRows(layout, 500, 3)
    const meta = await writeTable(source, layout, rows)
    let failing = false
    const storage = createFaultyStorage({ seed: 3, delayTurnsMax: 3, fail: ({ kind }) => (failing && kind === 'read' ? failure() : undefined) })
    await copyFiles(source, storage)
    const fixture = fixtureOver(storage)
    failing = true
    await expect(openFixture(fixture, meta)).rejects.toMatchObject({ code: '58030' })
    expect(fixture.cache.counts.chunkBytes).toBe(0)
    failing = false
    const reader = await openFixture(fixture, meta)
    failing = true
    await expect(findRow(fixture, reader, rows[300]!.key)).rejects.toMatchObject({ code: '58030' })
    await expect(reader.pin(0, meta.rowGroupCount, [0, 'key'])).rejects.toMatchObject({ code: '58030' })
    // The tail, which is held.
    expect(fixture.cache.counts.chunks).toBe(1)
    expect(await verifyTable(storage, fixture.kernel, meta, shard)).toMatchObject([{ code: '58030' }])
    failing = false
    expect(await findRow(fixture, reader, rows[300]!.key)).toMatchObject({ tombstone: rows[300]!.tombstone })
    await reader.close()
    fixture.cache.clear()
    expect(fixture.kernel.heap.usedBytes).toBe(0)
  })

  it('meet reads of one row group by many, and a close between them', async () => {
    const source = createFixture('wasm')
    const rows = makeRows(layout, 1500, 4)
    const meta = await writeTable(source, layout, rows)
    const storage = createFaultyStorage({ seed: 4, delayTurnsMax: 5 })
    await copyFiles(source, storage)
    const fixture = fixtureOver(storage)
    const reader = await openFixture(fixture, meta)
    const pins = await Promise.all(Array.from({ length: 30 }, (_, i) => reader.pin(i % 4, (i % 4) + 3, i % 2 === 0 ? ['key', 0, 1] : [1, 2, 3])))
    for (const pinned of pins) pinned.unpin()
    expect(fixture.cache.counts.chunkBytes).toBeGreaterThan(0)
    const late = Array.from({ length: 10 }, (_, i) => reader.pin(i, meta.rowGroupCount, [0, 2]).then((pinned) => pinned.unpin(), (error: unknown) => error))
    await reader.close()
    for (const outcome of await Promise.all(late)) expect(outcome).toMatchObject({ code: '55000' })
    fixture.cache.clear()
    expect(fixture.kernel.heap.usedBytes).toBe(0)
  })
})
