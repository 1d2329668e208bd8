/** Rows of all shards in key order: pages are merged where they stand, by the bytes of their keys in linear memory. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import type { Page } from '../../../lsm/page.ts'
import type { ScanCursor } from '../../../lsm/tree.ts'
import { createRowSelector } from '../../codec/read-page.ts'
import type { EngineRow } from '../../engine.ts'
import { allEnded } from '../all-ended.ts'
import { createRowCollector } from './page-reader.ts'
import type { PageReader, RowCollector } from './page-reader.ts'

/** Batches of merged rows, and what is decoded of a shard's page at once, grow, so that a scan that stops early makes few rows. */
const firstMergedRows = 32, firstDecodedRows = 8, mergedRowsMax = 1024

/** One shard's place in a merge. */
interface Stream {
  readonly cursor: ScanCursor
  readonly select: ReturnType<typeof createRowSelector>
  readonly collector: RowCollector
  page: Page | undefined
  /** Row numbers of the page's selected rows; undefined: all. And those of them that are decoded: from `first` on. */
  selected: Uint32Array | undefined
  selectedCount: number
  rows: readonly EngineRow[]
  first: number
  /** Among the selected. */
  position: number
  /** How many rows are decoded at once next. */
  rowsAtOnce: number
}

export async function* mergeShards(reader: PageReader, cursors: readonly ScanCursor[], limit: number, reverse: boolean): AsyncGenerator<readonly EngineRow[]> {
  try {
    const opened = await allEnded(cursors.map((cursor) => openStream(reader, cursor)))
    const streams = opened.filter((stream) => stream.page !== undefined)
    // Of the key where each stream is, which decides most comparisons; those that ended come last.
    const prefixes = Float64Array.from(streams, prefixOf)
    let left = limit, openCount = streams.length
    let merged: EngineRow[] = []
    for (let mergedMax = firstMergedRows; openCount > 0 && left > 0; ) {
      const at = firstStream(reader.memory, streams, prefixes, reverse), first = streams[at]!
      merged.push(takeRow(first, left))
      left--
      if (first.position === first.selectedCount) await nextPage(first)
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
  const stream: Stream = { cursor, select: createRowSelector(reader.memory), collector: createRowCollector(reader), page: undefined, selected: undefined, selectedCount: 0, rows: [], first: 0, position: 0, rowsAtOnce: firstDecodedRows }
  await nextPage(stream)
  return stream
}

/** Moves to the next page that has a selected row; `page` is undefined at the end. */
async function nextPage(stream: Stream): Promise<void> {
  do {
    stream.page = await stream.cursor.next()
    const { rows, count } = stream.page === undefined ? noRows : stream.select(stream.page)
    stream.selected = rows
    stream.selectedCount = count
  } while (stream.page !== undefined && stream.selectedCount === 0)
  stream.rows = []
  stream.first = 0
  stream.position = 0
}

const noRows = { rows: undefined, count: 0 }

/** The row at the stream's place, which moves on. At most `left` are still wanted. */
function takeRow(stream: Stream, left: number): EngineRow {
  const { position } = stream
  if (position === stream.first + stream.rows.length) {
    stream.rows = decode(stream, Math.min(stream.rowsAtOnce, left, stream.selectedCount - position))
    stream.first = position
    stream.rowsAtOnce = Math.min(mergedRowsMax, 2 * stream.rowsAtOnce)
  }
  stream.position++
  return stream.rows[position - stream.first]!
}

function decode({ collector, page, selected, position }: Stream, count: number): readonly EngineRow[] {
  collector.add(page!, { rows: selected?.subarray(position, position + count) ?? numbersFrom(position, count), count })
  return collector.take()
}

/** By a loop: `Uint32Array.from` calls for each element, which takes as long as decoding a cell. */
function numbersFrom(first: number, count: number): Uint32Array {
  const numbers = new Uint32Array(count)
  for (let i = 0; i < count; i++) numbers[i] = first + i
  return numbers
}

const rowNumberOf = ({ selected, position }: Stream): number => (selected === undefined ? position : selected[position]!)
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
