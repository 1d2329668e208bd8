/** Zone maps and text extremes of a file, against what its rows say: live rows only, tombstones neither counted nor null. */
import { describe, expect, it } from 'vitest'
import { comparison, readI128 } from '../../../src/kernel/zone-map.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { extremeBytesMax, zoneMapFields } from '../../../src/lsm/table/format.ts'
import type { TableReader } from '../../../src/lsm/table/table.ts'
import { kinds } from '../../kernel/both-kinds.ts'
import { createFixture, openFixture, writeTable } from './table-files.ts'
import { i64KeyBytes, makeRows } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

const layout: TableLayout = { tableId: 4, columns: ['i64', 'i64', 'bytes'], key: [0] }

/** Rows by row group. */
function grouped(reader: TableReader, rows: readonly TestRow[]): TestRow[][] {
  let at = 0
  return Array.from({ length: reader.meta.rowGroupCount }, (_, rowGroup) => rows.slice(at, (at += reader.rowGroupRows(rowGroup))))
}

/** The first 8 bytes, with zeros behind, as hex: how zone maps keep texts. */
const prefixHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').padEnd(16, '0').slice(0, 16)

describe.each(kinds)('zone maps of table files over %s kernels', (kind) => {
  it('count, bound and sum live rows', async () => {
    const fixture = createFixture(kind)
    const { memory } = fixture.kernel
    const rows = makeRows(layout, 2000, 8, 0.3)
    const reader = await openFixture(fixture, await writeTable(fixture, layout, rows))
    const groups = grouped(reader, rows)
    const fields = zoneMapFields(groups.length)
    groups.forEach((group, i) => {
      const live = group.filter(({ tombstone }) => !tombstone)
      expect(memory.u32[reader.rowCounts / 4 + i]).toBe(group.length)
      expect(memory.u32[reader.liveRowCounts / 4 + i]).toBe(live.length)
      for (const ordinal of [0, 1]) {
        const zoneMap = reader.zoneMap(ordinal)
        const values = live.flatMap(({ cells }) => (typeof cells[ordinal] === 'bigint' ? [cells[ordinal]] : [])).sort((a, b) => (a < b ? -1 : 1))
        expect(memory.u32[(zoneMap + fields.nulls) / 4 + i]).toBe(live.length - values.length)
        expect(readI128(memory, zoneMap + fields.sum + i * 16)).toBe(values.reduce((sum, value) => sum + value, 0n))
        if (values.length === 0) continue
        expect([memory.i64[zoneMap / 8 + i], memory.i64[(zoneMap + fields.max) / 8 + i]]).toEqual([values[0], values.at(-1)])
      }
      const texts = live.flatMap(({ cells }) => (typeof cells[2] === 'string' ? [Buffer.from(cells[2])] : [])).sort((a, b) => Buffer.compare(a, b))
      const zoneMap = reader.zoneMap(2)
      expect(memory.u32[(zoneMap + fields.nulls) / 4 + i]).toBe(live.length - texts.length)
      const [min, max] = [texts[0], texts.at(-1)]
      if (min === undefined || max === undefined) return expect(reader.textExtremes(i, 2)).toBeUndefined()
      const kept = Math.max(min.length, max.length) <= extremeBytesMax
      expect(reader.textExtremes(i, 2)).toEqual(kept ? { min: new Uint8Array(min), max: new Uint8Array(max) } : undefined)
      const stored = [zoneMap, zoneMap + fields.max].map((at) => memory.view.getBigUint64(at + i * 8, true).toString(16).padStart(16, '0'))
      expect(stored).toEqual([prefixHex(min), prefixHex(max)])
    })
    expect(reader.zoneMap(3)).toBe(0)
    expect(reader.textExtremes(0, 1)).toBeUndefined()
    await reader.close()
  })

  it('prune in place, with live row counts', async () => {
    const fixture = createFixture(kind)
    const { memory, exports, heap } = fixture.kernel
    // Row group by row group 1,000 rows; the second is all tombstones, the third has nulls and tombstones only.
    const rows: TestRow[] = Array.from({ length: 4000 }, (_, i): TestRow => {
      const [group, key] = [Math.floor(i / 1000), BigInt(i)]
      const tombstone = group === 1 || (group === 2 && i % 2 === 0)
      return { key: i64KeyBytes(key), tombstone, cells: [key, tombstone || group === 2 ? null : BigInt(i), null] }
    })
    const reader = await openFixture(fixture, await writeTable(fixture, layout, rows, { rowGroupBytes: 1000 * 24 }))
    expect(reader.meta.rowGroupCount).toBe(4)
    const [term, out] = [heap.allocate(32), heap.allocate(8)]
    const prune = (op: number, value: bigint): number[] => {
      memory.u32.set([reader.zoneMap(1), 1, op, 0], term / 4)
      memory.i64[term / 8 + 2] = value
      memory.i64[term / 8 + 3] = 0n
      exports.zoneMapPrune(term, 1, reader.liveRowCounts, 4, out)
      return [...memory.u8.subarray(out, out + 4)]
    }
    // 0 none, 1 some, 2 all match. Of no live rows, none match.
    expect(prune(comparison.ge, 3500n)).toEqual([0, 0, 0, 1])
    expect(prune(comparison.lt, 1000n)).toEqual([2, 0, 0, 0])
    expect(prune(comparison.isNull, 0n).slice(2)).toEqual([2, 0])
    expect(prune(comparison.isNotNull, 0n)).toEqual([2, 0, 0, 2])
    await reader.close()
  })
})
