/** Writes the footer of a table file into linear memory, as src/lsm/table/format.ts draws it. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { keyForm, physicalKindNumber } from '../../layout.ts'
import type { TableLayout } from '../../layout.ts'
import { chunkSlots, footerSections, keyFormNumber, noRef, sharedBytes, zoneMapFields } from '../format.ts'
import type { FooterSections } from '../format.ts'
import type { RowGroupRecords } from './row-group-encoder.ts'
import { zoneRecordBytes } from './zone-record.ts'
import type { RangeTombstone } from '../table.ts'

export interface FooterContents {
  readonly layout: TableLayout
  readonly fileNumber: number
  readonly records: RowGroupRecords
  readonly minKey: Uint8Array
  readonly maxKey: Uint8Array
  readonly rangeTombstones: readonly RangeTombstone[]
  readonly sequences: { readonly min: number; readonly max: number }
}

/** The sections of the footer that `contents` makes; its `byteLength` is what `writeFooter` needs. */
export function footerSectionsOf(contents: FooterContents): FooterSections & { readonly dataBytes: number } {
  const { layout, records, rangeTombstones } = contents
  const dataBytes = footerTexts(contents).reduce((sum, text) => sum + (text?.length ?? 0), 0)
  const sections = footerSections({
    rowGroupCount: records.rowCounts.length,
    columnCount: layout.columns.length,
    textColumnCount: layout.columns.filter((kind) => kind === 'bytes').length,
    keyColumnCount: layout.key.length,
    slotCount: chunkSlots(layout).count,
    rangeTombstoneCount: rangeTombstones.length,
    dataBytes,
  })
  return { ...sections, dataBytes }
}

/** All texts of the footer in the order of their refs: first keys, extremes by text column, key bounds, range tombstones. */
function footerTexts({ layout, records, minKey, maxKey, rangeTombstones }: FooterContents): (Uint8Array | undefined)[] {
  const textColumns = layout.columns.filter((kind) => kind === 'bytes').length
  const texts: (Uint8Array | undefined)[] = [...records.firstKeys]
  for (let column = 0; column < textColumns; column++) {
    for (const extremes of records.extremes) texts.push(extremes[column]?.min, extremes[column]?.max)
  }
  texts.push(minKey, maxKey)
  for (const { start, end } of rangeTombstones) texts.push(start, end)
  return texts
}

export function writeFooter(kernel: Kernel, contents: FooterContents, footer: Pointer): void {
  const { memory } = kernel
  const { layout, records } = contents
  const sections = footerSectionsOf(contents)
  memory.u8.fill(0, footer, footer + sections.byteLength)
  writeHeader(memory.view, contents, sections, footer)
  layout.columns.forEach((kind, ordinal) => (memory.u8[footer + sections.columnKinds + ordinal] = physicalKindNumber[kind]))
  memory.u32.set(layout.key, (footer + sections.keyOrdinals) >>> 2)
  memory.u32.set(records.rowCounts, (footer + sections.rowCounts) >>> 2)
  memory.u32.set(records.rowCounts.map((count, i) => count - records.tombstoneCounts[i]!), (footer + sections.liveRowCounts) >>> 2)
  memory.u8.copyWithin(footer + sections.directory, records.directory.address, records.directory.address + records.directory.byteLength)
  layout.columns.forEach((_, ordinal) => writeZoneMap(memory, contents, footer + sections.zoneMaps, ordinal))
  const shared = sharedBytesOf(records.firstKeys)
  records.firstKeys.forEach((key, i) => writePrefix(memory, key, shared, footer + sections.firstKeys + i * 8))
  writeTexts(memory, contents, sections, footer)
}

function writeHeader(view: DataView, contents: FooterContents, sections: FooterSections & { readonly dataBytes: number }, footer: Pointer): void {
  const { layout, records } = contents
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
  const words = [
    sections.byteLength,
    records.rowCounts.length,
    layout.columns.length,
    layout.key.length,
    keyFormNumber[keyForm(layout)],
    chunkSlots(layout).count,
    layout.tableId,
    contents.rangeTombstones.length,
  ]
  words.forEach((word, i) => view.setUint32(footer + i * 4, word, true))
  const doubles = [contents.fileNumber, sum(records.rowCounts), sum(records.tombstoneCounts), contents.sequences.min, contents.sequences.max]
  doubles.forEach((value, i) => view.setFloat64(footer + 32 + i * 8, value, true))
  view.setUint32(footer + 72, sections.dataBytes, true)
  view.setUint32(footer + 76, sharedBytesOf(records.firstKeys), true)
}

function sharedBytesOf(firstKeys: readonly Uint8Array[]): number {
  const [first] = firstKeys
  return first === undefined ? 0 : sharedBytes(first, firstKeys.at(-1)!)
}

/** Turns one column's zone records, which stand by row group, into fields that stand by column. */
function writeZoneMap({ u32 }: LinearMemory, { layout, records }: FooterContents, zoneMaps: Pointer, ordinal: number): void {
  const n = records.rowCounts.length
  const fields = zoneMapFields(n)
  const zoneMap = zoneMaps + ordinal * fields.byteLength
  for (let i = 0; i < n; i++) {
    const from = (records.zones.address + (i * layout.columns.length + ordinal) * zoneRecordBytes) >>> 2
    u32.copyWithin((zoneMap + fields.min + i * 8) >>> 2, from, from + 2)
    u32.copyWithin((zoneMap + fields.max + i * 8) >>> 2, from + 2, from + 4)
    u32[(zoneMap + fields.nulls + i * 4) >>> 2] = u32[from + 4]!
    u32.copyWithin((zoneMap + fields.sum + i * 16) >>> 2, from + 6, from + 10)
  }
}

/** The 8 bytes of a key after those that all first keys share, as two numbers that compare as they do. */
function writePrefix({ view }: LinearMemory, key: Uint8Array, shared: number, out: Pointer): void {
  for (const half of [0, 4]) {
    let prefix = 0
    for (let i = half; i < half + 4; i++) prefix = prefix * 256 + (key[shared + i] ?? 0)
    view.setUint32(out + half, prefix, true)
  }
}

function writeTexts({ u8, view }: LinearMemory, contents: FooterContents, sections: FooterSections, footer: Pointer): void {
  // The sections of refs follow one another without gaps, each being a multiple of 8 bytes long.
  let ref = footer + sections.firstKeyRefs
  let offset = 0
  footerTexts(contents).forEach((text) => {
    view.setUint32(ref, text === undefined ? noRef : offset, true)
    view.setUint32(ref + 4, text?.length ?? 0, true)
    if (text !== undefined) {
      u8.set(text, footer + sections.data + offset)
      offset += text.length
    }
    ref += 8
  })
}
