/**
 * Files written by earlier versions of the format stay readable. `test/golden/table-file-v1.json` and the others were
 * written once and are never rewritten; a later version gets a file of its own (LSMT_GOLDEN=1 writes one that is missing).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { formatVersion, readableVersions } from '../../../src/lsm/table/format.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import { kinds } from '../../kernel/both-kinds.ts'
import { fileBytes } from './forged-files.ts'
import { createFixture, openFixture, shard, writeTable } from './table-files.ts'
import { describeRows, keyBytesOf, readAll } from './table-rows.ts'
import type { CellValue, TestRow } from './table-rows.ts'

interface GoldenFile {
  readonly meta: TableMeta
  readonly rows: readonly string[]
  readonly rangeTombstones: readonly (readonly [string, string])[]
  /** The file, base64 in lines. */
  readonly bytes: readonly string[]
}

const pathOf = (version: number): string => fileURLToPath(new URL(`../../golden/table-file-v${version}.json`, import.meta.url))
const layout: TableLayout = { tableId: 77, columns: ['bytes', 'i64', 'f64', 'bytes', 'i64', 'bytes'], key: [0, 1] }

/** Columns that call for different encodings, nulls among them; every third row of the middle is deleted. */
const rows: readonly TestRow[] = Array.from({ length: 120 }, (_, i) => {
  const cells: readonly CellValue[] = [`city ${String(Math.floor(i / 10)).padStart(2, '0')}`, BigInt(i * i - 500), i % 7 === 0 ? null : i / 8, ['red', 'green', 'blue'][i % 3]!, i % 5 === 0 ? null : BigInt(i), `order ${i} was sent from the warehouse in the north`]
  const tombstone = i >= 40 && i < 80 && i % 3 === 0
  return { key: keyBytesOf(layout, cells), tombstone, cells: tombstone ? cells.map(() => null) : cells }
}).sort((a, b) => Buffer.compare(a.key, b.key))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function writeGolden(): Promise<void> {
  const fixture = createFixture('wasm')
  const rangeTombstones = [{ start: Buffer.from('a'), end: Buffer.from('b') }]
  const meta = await writeTable(fixture, layout, rows, { rowGroupBytes: 4500, rangeTombstones })
  const bytes = Buffer.from(fileBytes(fixture, meta)).toString('base64').match(/.{1,120}/g)!
  const plain = { ...meta, minKey: hex(meta.minKey), maxKey: hex(meta.maxKey) }
  writeFileSync(pathOf(formatVersion), `${JSON.stringify({ meta: plain, rows: describeRows(rows), rangeTombstones: [[hex(Buffer.from('a')), hex(Buffer.from('b'))]], bytes }, null, 1)}\n`, { flag: 'wx' })
}

function readGolden(version: number): GoldenFile {
  const golden = JSON.parse(readFileSync(pathOf(version), 'utf8')) as Omit<GoldenFile, 'meta'> & { meta: Omit<TableMeta, 'minKey' | 'maxKey'> & { minKey: string; maxKey: string } }
  const key = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
  return { ...golden, meta: { ...golden.meta, minKey: key(golden.meta.minKey), maxKey: key(golden.meta.maxKey) } }
}

describe('table files of the past', () => {
  it.each(readableVersions.flatMap((version) => kinds.map((kind) => [version, kind] as const)))('version %i reads as it was written, over %s kernels', async (version, kind) => {
    if (!existsSync(pathOf(formatVersion)) && process.env['LSMT_GOLDEN'] === '1') await writeGolden()
    const golden = readGolden(version)
    const fixture = createFixture(kind)
    await fixture.storage.createIfAbsent('sst/3/00000000000000000001.sst', [Buffer.from(golden.bytes.join(''), 'base64')])
    expect(await verifyTable(fixture.storage, fixture.kernel, golden.meta, shard)).toEqual([])
    const reader = await openFixture(fixture, golden.meta)
    expect(reader.layout).toEqual(layout)
    expect(describeRows(await readAll(fixture.kernel, reader))).toEqual(golden.rows)
    expect(golden.rows).toEqual(describeRows(rows))
    expect(reader.rangeTombstones.map(({ start, end }) => [hex(start), hex(end)])).toEqual(golden.rangeTombstones)
    await reader.close()
  })
})
