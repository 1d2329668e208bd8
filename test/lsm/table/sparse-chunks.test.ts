/** Point reads of large chunks of compressed text: only head and part come, nothing that is damaged is used, and whoever wants the whole gets it. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { TableMeta, TableReader } from '../../../src/lsm/table/table.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { kinds, takeBytes } from '../../kernel/both-kinds.ts'
import { fileBytes } from './forged-files.ts'
import { createFixture, MiB, openFixture, shard, withKey, writeTable, zeroStats } from './table-files.ts'
import type { TableFixture } from './table-files.ts'
import { describeRows, keyBytesOf, readAll } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

const layout: TableLayout = { tableId: 5, columns: ['bytes', 'bytes', 'i64', 'bytes'], key: [0] }
const lastColumn = 3

/** Half of each text is random, so that it is compressed and still large. */
const randomText = (random: Random): string => Array.from({ length: 8 }, () => random.nextU32().toString(36)).join('').slice(0, 40).padEnd(100, 'abcdefghij')

function rowsOf(count: number, seed: number): readonly TestRow[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const tombstone = random.below(20) === 0
    const cells = [String(2 * i).padStart(12, '0'), random.below(9) === 0 ? null : randomText(random), BigInt(i), randomText(random)]
    return { key: keyBytesOf(layout, cells), tombstone, cells: tombstone ? [cells[0]!, null, null, null] : cells }
  })
}

const wholeRowGroups = { rowGroupBytes: 256 * 1024 }

/** A point read on this thread as the tree makes it: the texts of the row by ordinal, or what there is instead. */
function read({ kernel, cache }: TableFixture, reader: TableReader, key: Uint8Array, stats = zeroStats()): 'absent' | 'deleted' | readonly (string | null)[] {
  const { exports, memory, heap } = kernel
  return withKey(kernel, key, (address, byteLength, hash) => {
    const rowGroup = reader.rowGroupOf(address, byteLength)
    for (let asked = 0; asked < 6; asked++) {
      const found = rowGroup < 0 ? 'absent' : reader.find(rowGroup, address, byteLength, hash, stats)
      if (found === 'absent') return found
      if ('fetch' in found) {
        found.fetchSync!()
        continue
      }
      if (found.tombstone) return 'deleted'
      return [1, lastColumn].map((ordinal) => {
        const chunk = reader.rowChunk(found.rowGroup, ordinal)!, cell = heap.allocate(8 + exports.columnDecodeScratchBytes(chunk))
        const got = exports.columnGetBytes(chunk, found.row, cell, 0)
        if (got === -2) reader.notePartRead(found.rowGroup, ordinal)
        const known = got === -2 ? exports.columnGetBytes(chunk, found.row, cell, cell + 8) : got
        expect(known).toBeGreaterThanOrEqual(0)
        const text = known === 0 ? null : Buffer.from(takeBytes(kernel, memory.u32[cell / 4]!, memory.u32[cell / 4 + 1]!)).toString('latin1')
        heap.free(cell)
        expect(cache.counts.chunkBytes).toBeLessThanOrEqual(cache.bytesMax)
        return text
      })
    }
    throw new Error('asked to fetch without an end')
  })
}

const expected = ({ tombstone, cells }: TestRow): ReturnType<typeof read> => (tombstone ? 'deleted' : [cells[1] as string | null, cells[lastColumn] as string | null])

async function opened(kind: (typeof kinds)[number], count: number, cacheBytes = 8 * MiB): Promise<{ fixture: TableFixture; reader: TableReader; rows: readonly TestRow[]; meta: TableMeta }> {
  const fixture = createFixture(kind, cacheBytes), rows = rowsOf(count, 5), meta = await writeTable(fixture, layout, rows, wholeRowGroups)
  return { fixture, reader: await openFixture(fixture, meta), rows, meta }
}

describe.each(kinds)('sparse chunks over %s kernels', (kind) => {
  it('bring of a row group what a row needs, in few short reads', async () => {
    const { fixture, reader, rows, meta } = await opened(kind, 4000)
    const stats = zeroStats(), live = rows.find(({ tombstone }) => !tombstone)!
    expect(read(fixture, reader, live.key, stats)).toEqual(expected(live))
    // Keys with the first head, the other head (the rest of the first lies between them), a part of each.
    expect(stats.storageRequests).toBeLessThanOrEqual(4)
    expect(stats.bytesRead).toBeLessThan((meta.byteLength - meta.tailBytes) / meta.rowGroupCount / 2)
    const { storageRequests } = stats
    expect(read(fixture, reader, live.key, stats)).toEqual(expected(live))
    expect(stats.storageRequests).toBe(storageRequests)
    await reader.close()
    expect(fixture.cache.counts.chunks).toBe(0)
  })

  it('are read whole and expanded once they are asked for often, and make way for a scan', async () => {
    const { fixture, reader, rows } = await opened(kind, 2500)
    for (const row of rows.slice(0, 400)) expect(read(fixture, reader, row.key)).toEqual(expected(row))
    expect(fixture.cache.counts.expansions).toBeGreaterThan(0)
    const { reads } = fixture.storage.counts
    for (const row of rows.slice(0, 400)) expect(read(fixture, reader, row.key)).toEqual(expected(row))
    expect(fixture.storage.counts.reads).toBe(reads)
    expect(read(fixture, reader, rows.at(-1)!.key)).toEqual(expected(rows.at(-1)!))
    expect(describeRows(await readAll(fixture.kernel, reader))).toEqual(describeRows(rows))
    const { reads: all } = fixture.storage.counts
    for (const row of rows) expect(read(fixture, reader, row.key)).toEqual(expected(row))
    expect(fixture.storage.counts.reads).toBe(all)
    await reader.close()
    expect(fixture.cache.counts.chunks).toBe(0)
  })

  it('give what was written whatever comes between, in a cache that holds everything and in one that does not', async () => {
    for (const cacheBytes of [8 * MiB, 700_000]) for (const seed of [1, 2]) {
      const { fixture, reader, rows, meta } = await opened(kind, 4000, cacheBytes)
      const random = seededRandom(seed)
      for (let step = 0; step < 1_500; step++) {
        const row = rows[random.below(random.below(2) === 0 ? 60 : rows.length)]!
        const what = random.below(40)
        if (what === 0) fixture.cache.clear()
        else if (what === 1) fixture.cache.evict()
        else if (what === 2) {
          const rowGroup = random.below(meta.rowGroupCount), pinned = await reader.pin(rowGroup, rowGroup + 1, [1, 2])
          expect(read(fixture, reader, row.key), `seed ${seed}, step ${step}`).toEqual(expected(row))
          pinned.unpin()
        } else if (what === 3) await reader.fetchRowGroups([random.below(meta.rowGroupCount)])
        else if (what === 4) expect(read(fixture, reader, Buffer.from(`${Buffer.from(row.key).toString('latin1')}x`)), `seed ${seed}, step ${step}`).toBe('absent')
        else expect(read(fixture, reader, row.key), `seed ${seed}, step ${step}`).toEqual(expected(row))
      }
      await reader.close()
      expect(fixture.cache.counts.chunks).toBe(0)
    }
  })

  it('are not used where they are damaged: the error names the part, and other parts are read', async () => {
    const { fixture, reader, rows, meta } = await opened(kind, 700)
    const bytes = fileBytes(fixture, meta), tail = meta.byteLength - meta.tailBytes
    // The last column of the only row group ends where the tail begins: one byte of its last part.
    expect(meta.rowGroupCount).toBe(1)
    bytes[tail - 20]! ^= 1
    const live = rows.filter(({ tombstone }) => !tombstone)
    expect(read(fixture, reader, live[0]!.key)).toEqual(expected(live[0]!))
    expect(() => read(fixture, reader, live.at(-1)!.key)).toThrow(expect.objectContaining({ code: 'XX001', message: expect.stringMatching(/row group 0, column 3, part \d+/) as string }))
    // Asked for often, it would be read whole, which fails, for nobody who asks for other parts.
    for (const row of rows.slice(0, 40)) expect(read(fixture, reader, row.key)).toEqual(expected(row))
    expect(() => read(fixture, reader, live.at(-1)!.key)).toThrow(/part \d+/)
    expect((await verifyTable(fixture.storage, fixture.kernel, meta, shard)).length).toBeGreaterThan(0)
    await reader.close()
    expect(fixture.cache.counts.chunks).toBe(0)
  })
})
