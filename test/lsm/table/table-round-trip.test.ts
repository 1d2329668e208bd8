/** What is written comes back: all kinds, keys, nulls and tombstones across row-group cuts, by scan and by key. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { createFixture, findRow, openFixture, shard, writeTable } from './table-files.ts'
import { describeRows, layouts, makeRows, readAll } from './table-rows.ts'

const rowCount = fullTests ? 20_000 : 1500

describe.each(kinds)('table files over %s kernels', (kind) => {
  describe.each(Object.entries(layouts))('with a key of %s', (_, layout) => {
    it.each([1, 64, 5000])('gives back rows appended by %i', async (batchRows) => {
      const fixture = createFixture(kind)
      const used = fixture.kernel.heap.usedBytes
      const rows = makeRows(layout, batchRows === 1 ? 300 : rowCount, batchRows)
      const meta = await writeTable(fixture, layout, rows, { batchRows })
      expect(fixture.kernel.heap.usedBytes, 'the writer frees its memory').toBe(used)
      expect(meta).toMatchObject({ rowCount: rows.length, tombstoneCount: rows.filter(({ tombstone }) => tombstone).length, tableId: layout.tableId })
      expect(meta.rowGroupCount).toBeGreaterThan(1)
      expect([meta.minKey, meta.maxKey].map((key) => Buffer.from(key).toString('hex'))).toEqual([rows[0]!, rows.at(-1)!].map(({ key }) => Buffer.from(key).toString('hex')))
      const reader = await openFixture(fixture, meta)
      expect(reader.layout).toEqual(layout)
      expect(describeRows(await readAll(fixture.kernel, reader))).toEqual(describeRows(rows))
      await reader.close()
      fixture.cache.clear()
      expect(fixture.cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0, scratchBytes: 0 })
      expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toEqual([])
      expect(fixture.kernel.heap.usedBytes).toBe(used)
    })

    it('finds every key and no other', async () => {
      const fixture = createFixture(kind)
      const all = makeRows(layout, rowCount, 77)
      const written = all.filter((_, i) => i % 2 === 0)
      const meta = await writeTable(fixture, layout, written)
      const reader = await openFixture(fixture, meta)
      let at = 0
      for (let rowGroup = 0; rowGroup < meta.rowGroupCount; rowGroup++) {
        for (let row = 0; row < reader.rowGroupRows(rowGroup); row++, at++) {
          const { key, tombstone } = written[at]!
          expect(await findRow(fixture, reader, key)).toEqual({ rowGroup, row, tombstone })
        }
      }
      for (const { key } of all.filter((_, i) => i % 2 === 1)) expect(await findRow(fixture, reader, key)).toBe('absent')
      await reader.close()
    })

    it('bounds ranges by row groups', async () => {
      const fixture = createFixture(kind)
      const rows = makeRows(layout, 800, 5)
      const meta = await writeTable(fixture, layout, rows)
      const reader = await openFixture(fixture, meta)
      const groupOf = groupNumbers(meta.rowGroupCount, (rowGroup) => reader.rowGroupRows(rowGroup))
      const random = seededRandom(6)
      for (let i = 0; i < 200; i++) {
        const first = random.below(rows.length)
        const end = first + 1 + random.below(rows.length - first)
        // Rows [first, end) must be inside, and nothing is read that lies wholly outside.
        const { from, to } = reader.rowGroupsIn(rows[first]!.key, rows[end]?.key)
        expect({ from, to }).toEqual({ from: groupOf[first], to: groupOf[end - 1]! + 1 })
      }
      expect(reader.rowGroupsIn(undefined, undefined)).toEqual({ from: 0, to: meta.rowGroupCount })
      expect(reader.rowGroupsIn(undefined, rows[0]!.key)).toEqual({ from: 0, to: 0 })
      await reader.close()
    })
  })
})

/** Row group of each row. */
const groupNumbers = (count: number, rowsOf: (rowGroup: number) => number): number[] =>
  Array.from({ length: count }, (_, rowGroup) => Array.from({ length: rowsOf(rowGroup) }, () => rowGroup)).flat()
