/** What the writer does at its edges: row-group limits, absent vectors, tombstones with values, misuse. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { createTableWriter } from '../../../src/lsm/table/table-writer.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { putI64 } from '../../kernel/both-kinds.ts'
import { createFixture, findRow, openFixture, shard, writeTable } from './table-files.ts'
import type { TableFixture } from './table-files.ts'
import { describeRows, i64KeyBytes, layouts, makeRows, putRows, readAll } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

const layout: TableLayout = { tableId: 2, columns: ['i64', 'bytes'], key: [0] }
const rowOf = (key: number, text: string | null, tombstone = false): TestRow => ({ key: i64KeyBytes(BigInt(key)), tombstone, cells: [BigInt(key), text] })
const settings = { rowGroupBytes: 4096, rowGroupGrowthMax: 1, filterBitsPerKey: 12 }
const writerOver = ({ storage, kernel }: TableFixture, fileNumber = 1): ReturnType<typeof createTableWriter> => createTableWriter({ storage, kernel, layout, fileNumber, shard, settings })

describe('table writer', () => {
  it('cuts row groups at 65,535 rows however small they are', async () => {
    const fixture = createFixture('wasm')
    const { kernel } = fixture
    const count = 70_000
    const writer = await createTableWriter({ storage: fixture.storage, kernel, layout, fileNumber: 1, shard, settings: { rowGroupBytes: 1 << 30, rowGroupGrowthMax: 1, filterBitsPerKey: 10 } })
    const keys = putI64(kernel, Array.from({ length: count }, (_, i) => BigInt(i * 2)))
    await writer.append({ rowCount: count, keys, tombstones: 0, vectors: [] })
    const meta = await writer.finish({ min: 1, max: 1 })
    const reader = await openFixture(fixture, meta)
    expect([reader.rowGroupRows(0), reader.rowGroupRows(1), meta.rowGroupCount]).toEqual([65_535, count - 65_535, 2])
    // Columns that were not given are null throughout.
    expect((await readAll(kernel, reader)).every(({ cells }) => cells[1] === null)).toBe(true)
    expect(await findRow(fixture, reader, i64KeyBytes(139_998n))).toEqual({ rowGroup: 1, row: 4464, tombstone: false })
    expect(await findRow(fixture, reader, i64KeyBytes(139_997n))).toBe('absent')
    await reader.close()
    expect(await verifyTable(fixture.storage, kernel, meta, shard)).toEqual([])
  })

  it('gives a row larger than a row group one of its own', async () => {
    const fixture = createFixture('wasm')
    const random = seededRandom(3)
    const long = Array.from({ length: 50_000 }, () => random.nextU32().toString(36)).join('')
    const rows = [rowOf(1, 'a'), rowOf(2, long), rowOf(3, 'b'), rowOf(4, long.slice(0, 5000))]
    const meta = await writeTable(fixture, layout, rows)
    expect(meta.rowGroupCount).toBe(2)
    const reader = await openFixture(fixture, meta)
    expect(describeRows(await readAll(fixture.kernel, reader))).toEqual(describeRows(rows))
    expect(reader.textExtremes(0, 1)).toBeUndefined()
    await reader.close()
  })

  it('cuts by plain bytes, near the setting', async () => {
    const fixture = createFixture('wasm')
    const rows = Array.from({ length: 1000 }, (_, i) => rowOf(i, 'x'.repeat(84)))
    const meta = await writeTable(fixture, layout, rows, { rowGroupBytes: 10_000, batchRows: 333 })
    // 8 bytes for the key, 8 and 84 for the text.
    expect(meta.rowGroupCount).toBe(10)
  })

  it('makes larger row groups of rows that encode well, until one takes half of the setting in the file', async () => {
    const fixture = createFixture('wasm')
    const random = seededRandom(7)
    const texts = Array.from({ length: 2_000 }, () => Array.from({ length: 84 }, () => String.fromCharCode(random.below(256))).join(''))
    let fileNumber = 0
    const rowGroupsOf = async (textOf: (i: number) => string, rowGroupGrowthMax: number): Promise<number> =>
      (await writeTable(fixture, layout, texts.map((_, i) => rowOf(i, textOf(i))), { rowGroupBytes: 10_000, rowGroupGrowthMax, fileNumber: ++fileNumber })).rowGroupCount
    // Nothing of them goes, so that they are as many as without growth.
    expect(await rowGroupsOf((i) => texts[i]!, 4)).toBe(await rowGroupsOf((i) => texts[i]!, 1))
    // All but nothing is left of them: the first has 100 rows, the others four times as many.
    expect(await rowGroupsOf(() => 'x'.repeat(84), 4)).toBe(1 + Math.ceil(1_900 / 400))
    // The second and all after it take about half of 10,000 bytes.
    const halves = await rowGroupsOf((i) => (i % 3 === 0 ? texts[i]! : 'x'.repeat(84)), 100)
    expect(halves).toBeGreaterThan(8)
    expect(halves).toBeLessThan(20)
  })

  it('writes tombstones as null, whatever their vectors say', async () => {
    const fixture = createFixture('wasm')
    const live = Array.from({ length: 100 }, (_, i) => rowOf(i, `text ${i}`))
    const writer = await writerOver(fixture)
    const batch = putRows(fixture.kernel, layout, live)
    const tombstones = fixture.kernel.heap.allocate(16)
    fixture.kernel.memory.u8.fill(0b0101_0000, tombstones, tombstones + 16)
    await writer.append({ ...batch, tombstones })
    const meta = await writer.finish({ min: 1, max: 2 })
    const reader = await openFixture(fixture, meta)
    const isDeleted = (i: number): boolean => i % 8 === 4 || i % 8 === 6
    expect(describeRows(await readAll(fixture.kernel, reader))).toEqual(describeRows(live.map((row, i) => (isDeleted(i) ? rowOf(i, null, true) : row))))
    expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toEqual([])
    await reader.close()
  })

  it('writes without a filter when it is given no bits', async () => {
    const fixture = createFixture('wasm')
    const meta = await writeTable(fixture, layouts.bytes, makeRows(layouts.bytes, 100, 4), { filterBitsPerKey: 0 })
    const reader = await openFixture(fixture, meta)
    expect(reader.useFilter()!.byteLength).toBe(0)
    await reader.close()
    expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toEqual([])
  })

  it('refuses rows out of order, within a batch and across', async () => {
    for (const keys of [[1n, 3n, 2n], [5n, 5n], [-1n, -2n]]) {
      const fixture = createFixture('wasm')
      const writer = await writerOver(fixture)
      await expect(writer.append({ rowCount: keys.length, keys: putI64(fixture.kernel, keys), tombstones: 0, vectors: [] })).rejects.toMatchObject({ code: 'XX000' })
      await writer.abort()
    }
    const fixture = createFixture('wasm')
    const writer = await writerOver(fixture)
    const append = (key: bigint): Promise<void> => writer.append({ rowCount: 1, keys: putI64(fixture.kernel, [key]), tombstones: 0, vectors: [] })
    await append(7n)
    await expect(append(7n)).rejects.toMatchObject({ code: 'XX000' })
    await writer.abort()
  })

  it('refuses to finish empty, to finish twice, and range tombstones that delete nothing', async () => {
    const fixture = createFixture('wasm')
    const writer = await writerOver(fixture)
    expect(() => writer.addRangeTombstone({ start: i64KeyBytes(2n), end: i64KeyBytes(2n) })).toThrow(/ends where it starts/)
    await expect(writer.finish({ min: 0, max: 0 })).rejects.toMatchObject({ code: 'XX000' })
    writer.addRangeTombstone({ start: i64KeyBytes(2n), end: i64KeyBytes(3n) })
    await writer.finish({ min: 0, max: 0 })
    await expect(writer.finish({ min: 0, max: 0 })).rejects.toMatchObject({ code: 'XX000' })
    // The name is taken now: numbers are never reused.
    const second = await writerOver(fixture)
    second.addRangeTombstone({ start: i64KeyBytes(2n), end: i64KeyBytes(3n) })
    await expect(second.finish({ min: 0, max: 0 })).rejects.toMatchObject({ code: '58030' })
    await second.abort()
    expect(fixture.kernel.heap.usedBytes).toBe(0)
  })

  it('knows its length for cutting files', async () => {
    const fixture = createFixture('wasm')
    const writer = await writerOver(fixture)
    expect([writer.byteLength, writer.rowCount]).toEqual([64, 0])
    const lengths: number[] = []
    for (let i = 0; i < 20; i++) {
      const batch = putRows(fixture.kernel, layout, Array.from({ length: 50 }, (_, row) => rowOf(i * 50 + row, `${i} ${row} ${'y'.repeat(60)}`)))
      await writer.append(batch)
      lengths.push(writer.byteLength)
    }
    expect(writer.rowCount).toBe(1000)
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b))
    const meta = await writer.finish({ min: 1, max: 2 })
    expect(meta.byteLength).toBe(fixture.disk.get('sst/3/00000000000000000001.sst')!.byteLength)
    expect(meta.byteLength - meta.tailBytes).toBeGreaterThanOrEqual(lengths.at(-1)!)
  })
})
