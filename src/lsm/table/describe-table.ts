/** What a table file holds, for people: rows, row groups, and for each column its encodings and their sizes. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { ObjectReader, Storage } from '../../storage/storage.ts'
import { keyForm } from '../layout.ts'
import type { KeyForm, PhysicalKind, PhysicalValue, TableLayout } from '../layout.ts'
import { align8, zoneMapFields } from './format.ts'
import { keyText, valueText } from './key-text.ts'
import { checkChunk, directoryEntry } from './read/chunk-loader.ts'
import { checkLengths, readTail } from './read/tail.ts'
import { textExtremesAt, zoneMapAt } from './read/tail-view.ts'
import type { Tail } from './read/tail-view.ts'
import type { ChunkName, TableMeta } from './table.ts'
import { tableFileName } from './table-file-name.ts'
import { createArena, readToArena } from './verify/arena.ts'

export interface TableDescription {
  readonly file: string
  readonly meta: TableMeta
  readonly layout: TableLayout
  readonly keyForm: KeyForm
  readonly filterBytes: number
  readonly columns: readonly ColumnDescription[]
  /** Rows and encoded bytes by row group. */
  readonly rowGroups: readonly { readonly rows: number; readonly tombstones: number; readonly bytes: number }[]
}

/** All chunks of one column (or of the keys, or of tombstones) together. */
export interface ColumnDescription {
  readonly name: ChunkName
  readonly kind: PhysicalKind
  readonly bytes: number
  /** Chunks by encoding. */
  readonly encodings: Readonly<Record<string, number>>
  /** Of the live rows by zone map; absent for keys that are a chunk of their own, and tombstones. */
  readonly zone?: ColumnZone
}

/** What a file's zone maps say of a column: extremes are absent where all is null, and those of text where they are long. */
export interface ColumnZone {
  readonly nulls: number
  readonly min?: PhysicalValue
  readonly max?: PhysicalValue
}

/** Encoding numbers of src/kernel/column.ts. */
const encodingNames: Readonly<Record<number, string>> = {
  1: 'constant', 2: 'plain', 3: 'frame', 4: 'linear', 5: 'delta', 6: 'decimal', 7: 'stepped delta',
  16: 'constant', 17: 'plain', 18: 'dictionary', 19: 'runs', 20: 'lz', 21: 'front',
}

/** Reads the whole file; raises what opening and reading it would. */
export async function describeTable(storage: Storage, kernel: Kernel, meta: TableMeta, shard: number): Promise<TableDescription> {
  const file = tableFileName(shard, meta.fileNumber)
  const object = await storage.open(file)
  const arena = createArena(kernel)
  try {
    checkLengths(file, meta, object.byteLength)
    const tail = readTail(kernel, file, meta, await readToArena(object, kernel, arena, meta.byteLength - meta.tailBytes, meta.tailBytes))
    return await describeTail(object, kernel, tail, meta)
  } finally {
    arena.free()
    await object.close()
  }
}

async function describeTail(object: ObjectReader, kernel: Kernel, tail: Tail, meta: TableMeta): Promise<TableDescription> {
  const { u32 } = kernel.memory
  const { slots, sections, footer, layout } = tail
  const columns = slots.kinds.map((kind, slot) => ({ name: slots.names[slot]!, kind, bytes: 0, encodings: {} as Record<string, number> }))
  const rowGroups: { rows: number; tombstones: number; bytes: number }[] = []
  for (let rowGroup = 0; rowGroup < meta.rowGroupCount; rowGroup++) {
    let bytes = 0
    for (const [slot, column] of columns.entries()) {
      const chunkBytes = await addChunk(object, kernel, tail, rowGroup * slots.count + slot, column)
      column.bytes += chunkBytes
      bytes += chunkBytes
    }
    const rows = u32[((footer + sections.rowCounts) >>> 2) + rowGroup]!
    rowGroups.push({ rows, tombstones: rows - u32[((footer + sections.liveRowCounts) >>> 2) + rowGroup]!, bytes })
  }
  const live = rowGroups.map(({ rows, tombstones }) => rows - tombstones)
  const zoned = columns.map((column) => (typeof column.name === 'number' ? { ...column, zone: columnZone(kernel.memory, tail, column.name, live) } : column))
  return { file: tail.file, meta, layout, keyForm: keyForm(layout), filterBytes: tail.filter.byteLength, columns: zoned, rowGroups }
}

function columnZone(memory: LinearMemory, tail: Tail, ordinal: number, liveRows: readonly number[]): ColumnZone {
  const fields = zoneMapFields(tail.shape.rowGroupCount)
  const at = zoneMapAt(tail, ordinal)
  const extremes: PhysicalValue[] = []
  let nulls = 0
  for (const [rowGroup, rows] of liveRows.entries()) {
    const groupNulls = memory.u32[((at + fields.nulls) >>> 2) + rowGroup]!
    nulls += groupNulls
    if (groupNulls < rows) extremes.push(...rowGroupExtremes(memory, tail, ordinal, rowGroup))
  }
  const sorted = extremes.toSorted(compareValues)
  return { nulls, ...(sorted.length > 0 && { min: sorted[0]!, max: sorted.at(-1)! }) }
}

function rowGroupExtremes(memory: LinearMemory, tail: Tail, ordinal: number, rowGroup: number): readonly PhysicalValue[] {
  const fields = zoneMapFields(tail.shape.rowGroupCount)
  const at = zoneMapAt(tail, ordinal)
  const [min, max] = [at + fields.min + 8 * rowGroup, at + fields.max + 8 * rowGroup] as const
  switch (tail.layout.columns[ordinal]!) {
    case 'i64':
      return [memory.i64[min / 8]!, memory.i64[max / 8]!]
    case 'f64':
      return [memory.f64[min / 8]!, memory.f64[max / 8]!]
    case 'bytes': {
      const texts = textExtremesAt(memory, tail, rowGroup, ordinal)
      return texts === undefined ? [] : [texts.min, texts.max]
    }
  }
}

function compareValues(a: PhysicalValue, b: PhysicalValue): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** Counts a chunk's encoding in its column; returns its bytes, 0 when there is none. */
async function addChunk(object: ObjectReader, kernel: Kernel, tail: Tail, index: number, column: { readonly encodings: Record<string, number> }): Promise<number> {
  const entry = directoryEntry(tail, index) >>> 2
  const byteLength = kernel.memory.u32[entry + 1]!
  if (byteLength === 0) return 0
  const arena = createArena(kernel)
  try {
    const chunk = await readToArena(object, kernel, arena, kernel.memory.u32[entry]! * 8, align8(byteLength))
    checkChunk(kernel, tail, index, chunk)
    const number = kernel.exports.columnEncoding(chunk)
    const encoding = encodingNames[number] ?? `encoding ${number}`
    column.encodings[encoding] = (column.encodings[encoding] ?? 0) + 1
    return byteLength
  } finally {
    arena.free()
  }
}

/** The description as lines of text. */
export function describeTableText(description: TableDescription): string {
  const { file, meta, columns, rowGroups, filterBytes } = description
  const perRow = (bytes: number): string => (meta.rowCount === 0 ? '' : `, ${(bytes / meta.rowCount).toFixed(2)} a row`)
  const counts = rowGroups.map(({ rows }) => rows)
  const spread = counts.length === 0 ? '' : ` of ${Math.min(...counts)} to ${Math.max(...counts)} rows`
  const lines = [
    `${file}: ${meta.byteLength} bytes, table ${meta.tableId}, sequences ${meta.minSequence} to ${meta.maxSequence}`,
    `  ${meta.rowCount} rows, ${meta.tombstoneCount} of them tombstones, ${meta.rangeTombstoneCount} range tombstones`,
    `  keys (${description.keyForm}) ${keyText(description.keyForm, meta.minKey)} to ${keyText(description.keyForm, meta.maxKey)}`,
    `  ${rowGroups.length} row groups${spread}; filter ${filterBytes} bytes; footer ${meta.tailBytes - filterBytes} bytes with its trailer`,
  ]
  for (const { name, kind, bytes, encodings, zone } of columns) {
    if (bytes === 0) continue
    const shown = Object.entries(encodings).map(([encoding, count]) => `${encoding} × ${count}`)
    lines.push(`  ${typeof name === 'number' ? `column ${name}` : name} ${kind}: ${bytes} bytes${perRow(bytes)}; ${shown.join(', ')}${zoneText(zone)}`)
  }
  return lines.join('\n')
}

function zoneText(zone: ColumnZone | undefined): string {
  if (zone === undefined) return ''
  const range = zone.min === undefined || zone.max === undefined ? '' : `; ${valueText(zone.min)} to ${valueText(zone.max)}`
  return `${range}; ${zone.nulls} nulls`
}
