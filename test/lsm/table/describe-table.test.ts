import { describe, expect, it } from 'vitest'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { describeTable, describeTableText } from '../../../src/lsm/table/describe-table.ts'
import { fileBytes } from './forged-files.ts'
import { createFixture, shard, writeTable } from './table-files.ts'
import { i64KeyBytes } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

const layout: TableLayout = { tableId: 6, columns: ['i64', 'f64', 'bytes'], key: [0] }
const rows = Array.from({ length: 1000 }, (_, i): TestRow => {
  const tombstone = i === 500
  return { key: i64KeyBytes(BigInt(i)), tombstone, cells: [BigInt(i), tombstone ? null : i / 4, tombstone ? null : ['red', 'green'][i % 2]!] }
})

describe('descriptions of table files', () => {
  it('tell rows, row groups, encodings and sizes', async () => {
    const fixture = createFixture('wasm')
    const meta = await writeTable(fixture, layout, rows, { rowGroupBytes: 8000 })
    const description = await describeTable(fixture.storage, fixture.kernel, meta, shard)
    expect(description.columns.map(({ name, encodings }) => [name, encodings])).toEqual([
      [0, { linear: 4 }],
      ['tombstones', { frame: 1 }],
      [1, { decimal: 4 }],
      [2, { dictionary: 4 }],
    ])
    expect(description.rowGroups.reduce((sum, { rows: count }) => sum + count, 0)).toBe(1000)
    expect(description.rowGroups.map(({ tombstones }) => tombstones)).toEqual([0, 1, 0, 0])
    const chunkBytes = description.columns.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(chunkBytes + 64 + meta.tailBytes).toBe(meta.byteLength)
    const text = describeTableText(description)
    expect(text).toMatch(/1000 rows, 1 of them tombstones, 0 range tombstones/)
    expect(text).toMatch(/column 2 bytes: \d+ bytes, \d\.\d\d a row; dictionary × 4/)
    expect(fixture.kernel.heap.usedBytes).toBe(0)
  })

  it('are refused of damaged files', async () => {
    const fixture = createFixture('wasm')
    const meta = await writeTable(fixture, layout, rows)
    fileBytes(fixture, meta)[100]! ^= 1
    await expect(describeTable(fixture.storage, fixture.kernel, meta, shard)).rejects.toMatchObject({ code: 'XX001' })
    expect(fixture.kernel.heap.usedBytes).toBe(0)
  })
})
