/** Verification finds what checksums cannot: files whose parts contradict one another. */
import { beforeEach, describe, expect, it } from 'vitest'
import { chunkSlots, footerSections, headerBytes } from '../../../src/lsm/table/format.ts'
import type { FooterSections } from '../../../src/lsm/table/format.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { storedOnlyEncoding } from '../../../src/lsm/table/read/chunk-loader.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { checksum, fileBytes, forgeFooter, tailParts } from './forged-files.ts'
import { createFixture, shard, writeTable } from './table-files.ts'
import type { TableFixture } from './table-files.ts'
import type { TestRow } from './table-rows.ts'

const layout: TableLayout = { tableId: 5, columns: ['bytes', 'i64', 'bytes'], key: [0] }
const rows: readonly TestRow[] = Array.from({ length: 60 }, (_, i) => {
  const text = `key-${String(i).padStart(3, '0')}`
  const tombstone = i % 10 === 4
  return { key: new Uint8Array(Buffer.from(text)), tombstone, cells: [text, tombstone ? null : BigInt(i * i), tombstone ? null : `value ${i}`] }
})

let fixture: TableFixture
let meta: TableMeta

beforeEach(async () => {
  fixture = createFixture('wasm')
  meta = await writeTable(fixture, layout, rows, { rowGroupBytes: 1000 })
  expect(meta.rowGroupCount).toBeGreaterThan(2)
})

const verify = async (): Promise<string[]> => (await verifyTable(fixture.storage, fixture.kernel, meta, shard)).map(({ code, block }) => `${code} ${block}`)

/** Where the footer's sections are; the shape is that of the file under test. */
function sections(): FooterSections {
  const { footer } = tailParts(fixture, meta)
  const dataBytes = new DataView(footer.buffer, footer.byteOffset).getUint32(72, true)
  return footerSections({
    rowGroupCount: meta.rowGroupCount,
    columnCount: 3,
    textColumnCount: 2,
    keyColumnCount: 1,
    slotCount: chunkSlots(layout).count,
    rangeTombstoneCount: 0,
    dataBytes,
  })
}

/** Changes one byte of the footer, at an offset into a section, under a right checksum. */
const forgeByte = (at: number): void => forgeFooter(fixture, meta, (footer) => (footer[at]! ^= 1))

describe('verification', () => {
  it('finds nothing in a good file', async () => expect(await verify()).toEqual([]))

  it('finds zone maps that are not those of the rows', async () => {
    const { zoneMaps, firstKeys } = sections()
    const zoneMapBytes = (firstKeys - zoneMaps) / 3
    forgeByte(zoneMaps + zoneMapBytes + 8)
    forgeByte(zoneMaps + 2 * zoneMapBytes + meta.rowGroupCount * 16)
    expect(await verify()).toEqual(['XX001 zone map, row group 0, column 2', 'XX001 zone map, row group 1, column 1'])
  })

  it('finds text extremes that are not those of the rows', async () => {
    const { data } = sections()
    const { footer } = tailParts(fixture, meta)
    const at = Buffer.from(footer).indexOf('value ', data)
    forgeByte(at + 6)
    expect(await verify()).toEqual([expect.stringMatching(/^XX001 text extremes, row group \d, column 2$/)])
  })

  it('finds a filter that does not know a key', async () => {
    const { filter } = tailParts(fixture, meta)
    filter.fill(0)
    forgeFooter(fixture, meta, () => undefined)
    expect(await verify()).toEqual(Array.from({ length: meta.rowGroupCount }, () => 'XX001 filter'))
  })

  it('finds first keys that are not those of the rows', async () => {
    const { data, firstKeys } = sections()
    // The last byte of the second row group's first key, and of its prefix, which follows the shared 'key-0'.
    forgeFooter(fixture, meta, (footer) => {
      const refs = new DataView(footer.buffer, footer.byteOffset)
      const offset = refs.getUint32(firstKeys + meta.rowGroupCount * 8 + 8, true)
      footer[data + offset + 6]! ^= 1
      const prefix = firstKeys + 8
      refs.setUint32(prefix, (refs.getUint32(prefix, true) ^ 0x1_0000) >>> 0, true)
    })
    expect(await verify()).toEqual(['XX001 row group 1, keys, first key'])
  })

  it('finds tombstone counts that are not those of the rows', async () => {
    const { liveRowCounts } = sections()
    forgeFooter(fixture, meta, (footer) => {
      // One live row is said to be in another row group: the sums agree, the row groups do not.
      footer[liveRowCounts]! -= 1
      footer[liveRowCounts + 4]! += 1
    })
    expect(await verify()).toEqual(expect.arrayContaining(['XX001 row group 0, tombstones', 'XX001 row group 1, tombstones']))
  })

  it('finds keys out of order', async () => {
    const bytes = Buffer.from(fileBytes(fixture, meta).buffer, fileBytes(fixture, meta).byteOffset, meta.byteLength)
    // What stands behind the beginning that the first keys share.
    const five = bytes.indexOf('0506', headerBytes)
    expect(five).toBeGreaterThan(0)
    bytes.write('0605', five)
    reseal(0)
    expect(await verify()).toEqual(['XX001 row group 0, keys'])
  })

  it('finds stored keys that are not what they say', async () => {
    const bytes = fileBytes(fixture, meta)
    const { directory } = sections(), { footer } = tailParts(fixture, meta)
    const chunk = new DataView(footer.buffer, footer.byteOffset).getUint32(directory, true) * 8
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect(bytes[chunk]).toBe(storedOnlyEncoding)
    const shared = chunk + view.getUint32(chunk + 24, true)
    view.setUint16(shared, view.getUint16(shared, true) + 1, true)
    reseal(0)
    expect(await verify()).toEqual(['XX001 row group 0, column 0'])
  })

  it('reports damage in several places at once', async () => {
    const bytes = fileBytes(fixture, meta)
    const { directory } = sections()
    const { footer } = tailParts(fixture, meta)
    const view = new DataView(footer.buffer, footer.byteOffset)
    const { count } = chunkSlots(layout)
    bytes[20]! ^= 4
    for (const index of [0, count + 2, 2 * count + 3]) bytes[view.getUint32(directory + index * 16, true) * 8 + 50]! ^= 4
    expect(await verify()).toEqual(['XX001 header checksum', 'XX001 row group 0, column 0 checksum', 'XX001 row group 1, column 1 checksum', 'XX001 row group 2, column 2 checksum'])
  })

  it('finds bounds of the manifest that are not those of the rows', async () => {
    const { keyBounds, data } = sections()
    forgeFooter(fixture, meta, (footer) => {
      const view = new DataView(footer.buffer, footer.byteOffset)
      footer[data + view.getUint32(keyBounds + 8, true) + 6] = 0x7a
    })
    const { maxKey } = meta
    const lie = Buffer.from(maxKey)
    lie[6] = 0x7a
    meta = { ...meta, maxKey: lie }
    expect(await verify()).toEqual(['XX001 largest key'])
  })
})

/** Puts the right checksum of a chunk, as it stands now, into the directory. */
function reseal(index: number): void {
  const { directory } = sections()
  const bytes = fileBytes(fixture, meta)
  forgeFooter(fixture, meta, (footer) => {
    const view = new DataView(footer.buffer, footer.byteOffset + directory + index * 16)
    const start = view.getUint32(0, true) * 8
    const sum = checksum(fixture.kernel, bytes.subarray(start, start + Math.ceil(view.getUint32(4, true) / 8) * 8))
    footer.set(sum, directory + index * 16 + 8)
  })
}
