/**
 * Scans over all shards: each shard's cursor yields pages in key order; rows are put one after the other, or merged
 * by key when order is asked for. A page's wanted rows are decoded as it comes; the merge then only picks rows,
 * comparing key bytes in linear memory where the pages still stand.
 */
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { Page } from '../../lsm/page.ts'
import type { ReadStats, ScanCursor, ScanRequest, Snapshot, Tree } from '../../lsm/tree.ts'
import { createPace } from '../../runtime/pace.ts'
import { readRows, selectedRows } from '../codec/read-page.ts'
import type { ReadKind } from '../codec/read-row.ts'
import { createTextCache } from '../codec/text-cache.ts'
import type { ReadText } from '../codec/text-cache.ts'
import { keyRange } from '../codec/key-codec.ts'
import type { EngineRow, EngineScan } from '../engine.ts'
import type { ColumnSchema } from '../schema.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { allEnded } from './all-ended.ts'
import { physicalPredicate } from './predicate.ts'
import { rowKinds } from './row-kinds.ts'

/** Batches of merged rows, and what is decoded of a shard's page at once, grow, so that a scan that stops early makes few rows. */
const firstMergedRows = 32, firstDecodedRows = 8, mergedRowsMax = 1024

/** What a scan asks of every tree, or undefined when it can find nothing. */
export function scanRequest({ turns, assertOpen }: Shards, access: TableAccess, scan: EngineScan, columns: readonly number[]): ScanRequest | undefined {
  const range = keyRange(access.keys, scan.lower, scan.upper)
  const predicate = physicalPredicate(scan.table, scan.predicate)
  if (range === 'empty' || predicate === 'none') return undefined
  const { table, reverse = false, conditions, computed } = scan
  const more = { ...(conditions !== undefined && { conditions }), ...(computed !== undefined && { computed: computed.map(({ expression }) => expression) }) }
  return { tableId: table.tableId, ...range, reverse, columns: [...new Set(columns)], predicate, ...(scan.ordered ? { startsSmall: true as const } : { anyOrder: true as const }), ...more, pace: createPace(turns, scan.signal, assertOpen) }
}

/** A column of the table, or a computed one. */
export function scanColumn({ table, computed = [] }: EngineScan, ordinal: number): Pick<ColumnSchema, 'type'> {
  return table.columns[ordinal] ?? computed[ordinal - table.columns.length]!
}

/** Batches of rows of a scan over the given snapshots (by shard). */
export async function* scanShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, stats?: ReadStats): AsyncGenerator<readonly EngineRow[]> {
  const request = scanRequest(shards, access, scan, scan.columns)
  const limit = scan.limit ?? Number.POSITIVE_INFINITY
  if (request === undefined || limit <= 0) return
  const isMerged = scan.ordered && shards.trees.length > 1
  const asked = isMerged ? request : { ...request, keys: false as const }
  const open = (tree: Tree, shard: number): ScanCursor => tree.scan(snapshots[shard]!, asked, stats)
  const reader: PageReader = { memory: shards.kernel.memory, kinds: rowKinds(access, scan), columns: scan.columns, asText: createTextCache() }
  yield* isMerged ? mergeShards(reader, shards.trees.map(open), limit, scan.reverse === true) : chainShards(reader, shards.trees, open, limit)
}

interface PageReader {
  readonly memory: LinearMemory
  readonly kinds: readonly ReadKind[]
  readonly columns: readonly number[]
  readonly asText: ReadText
}

async function* chainShards(reader: PageReader, trees: readonly Tree[], open: (tree: Tree, shard: number) => ScanCursor, limit: number): AsyncGenerator<readonly EngineRow[]> {
  let left = limit
  for (const [shard, tree] of trees.entries()) {
    const cursor = open(tree, shard)
    try {
      for (let page = await cursor.next(); page !== undefined && left > 0; page = await cursor.next()) {
        const rows = decodePage(reader, page, left)
        left -= rows.length
        if (rows.length > 0) yield rows
        if (left <= 0) return
      }
    } finally {
      cursor.close()
    }
  }
}

function decodePage(reader: PageReader, page: Page, limit: number): readonly EngineRow[] {
  const selected = selectedRows(reader.memory, page)
  return readRows(reader.memory, reader.kinds, page, selected.length > limit ? selected.slice(0, limit) : selected, reader.columns, reader.asText)
}

/** One shard's place in a merge. */
interface Stream {
  readonly cursor: ScanCursor
  page: Page | undefined
  /** Row numbers of the page's selected rows, and those of them that are decoded: from `first` on. */
  selected: readonly number[]
  rows: readonly EngineRow[]
  first: number
  /** Among the selected. */
  position: number
  /** How many rows are decoded at once next. */
  rowsAtOnce: number
}

async function* mergeShards(reader: PageReader, cursors: readonly ScanCursor[], limit: number, reverse: boolean): AsyncGenerator<readonly EngineRow[]> {
  try {
    const opened = await allEnded(cursors.map((cursor) => openStream(reader, cursor)))
    const streams = opened.filter((stream) => stream.page !== undefined)
    // Of the key where each stream is, which decides most comparisons; those that ended come last.
    const prefixes = Float64Array.from(streams, prefixOf)
    let left = limit, openCount = streams.length
    let merged: EngineRow[] = []
    for (let mergedMax = firstMergedRows; openCount > 0 && left > 0; ) {
      const at = firstStream(reader.memory, streams, prefixes, reverse), first = streams[at]!
      merged.push(takeRow(reader, first, left))
      left--
      if (first.position === first.selected.length) await nextPage(reader, first)
      prefixes[at] = first.page === undefined ? (reverse ? -Infinity : Infinity) : prefixOf(first)
      if (first.page === undefined) openCount--
      if (merged.length === mergedMax) {
        yield merged
        merged = []
        mergedMax = Math.min(mergedRowsMax, 2 * mergedMax)
      }
    }
    if (merged.length > 0) yield merged
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

async function openStream(reader: PageReader, cursor: ScanCursor): Promise<Stream> {
  const stream: Stream = { cursor, page: undefined, selected: [], rows: [], first: 0, position: 0, rowsAtOnce: firstDecodedRows }
  await nextPage(reader, stream)
  return stream
}

/** Moves to the next page that has a selected row; `page` is undefined at the end. */
async function nextPage({ memory }: PageReader, stream: Stream): Promise<void> {
  do {
    stream.page = await stream.cursor.next()
    stream.selected = stream.page === undefined ? [] : selectedRows(memory, stream.page)
  } while (stream.page !== undefined && stream.selected.length === 0)
  stream.rows = []
  stream.first = 0
  stream.position = 0
}

/** The row at the stream's place, which moves on. At most `left` are still wanted. */
function takeRow({ memory, kinds, columns, asText }: PageReader, stream: Stream, left: number): EngineRow {
  const { page, selected, position } = stream
  if (position === stream.first + stream.rows.length) {
    stream.rows = readRows(memory, kinds, page!, selected.slice(position, position + Math.min(stream.rowsAtOnce, left)), columns, asText)
    stream.first = position
    stream.rowsAtOnce = Math.min(mergedRowsMax, 2 * stream.rowsAtOnce)
  }
  stream.position++
  return stream.rows[position - stream.first]!
}

const rowNumberOf = ({ selected, position }: Stream): number => selected[position]!
const prefixOf = (stream: Stream): number => stream.page!.keyPrefixAt(rowNumberOf(stream))

/** The index of the stream whose key comes first. */
function firstStream(memory: LinearMemory, streams: readonly Stream[], prefixes: Float64Array, reverse: boolean): number {
  let first = 0
  for (let i = 1; i < prefixes.length; i++) {
    // Of two streams that ended it is NaN.
    const difference = prefixes[i]! - prefixes[first]!, order = difference === 0 ? compareKeysAt(memory, streams[i]!, streams[first]!) : difference
    if (reverse ? order > 0 : order < 0) first = i
  }
  return first
}

function compareKeysAt({ u8 }: LinearMemory, left: Stream, right: Stream): number {
  const a = left.page!.keyAt(rowNumberOf(left)), b = right.page!.keyAt(rowNumberOf(right))
  const shared = Math.min(a.byteLength, b.byteLength)
  for (let i = 0; i < shared; i++) {
    const order = u8[a.address + i]! - u8[b.address + i]!
    if (order !== 0) return order
  }
  return a.byteLength - b.byteLength
}
