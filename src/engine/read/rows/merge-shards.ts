/** Rows of all shards in key order: pages are merged where they stand, by the bytes of their keys in linear memory. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import type { Page } from '../../../lsm/page.ts'
import type { ScanCursor } from '../../../lsm/tree.ts'
import { createRowSelector, partOfRows } from '../../codec/read-page.ts'
import type { PageRows } from '../../codec/read-page.ts'
import type { EngineValue } from '../../engine.ts'
import type { RowColumns } from '../../engine-walk.ts'
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
  /** The page's selected rows, and those of them that are decoded: from `first` on. */
  selected: PageRows
  rows: RowColumns<EngineValue>
  first: number
  /** Among the selected. */
  position: number
  /** How many rows are decoded at once next. */
  rowsAtOnce: number
}

export async function* mergeShards(reader: PageReader, cursors: readonly ScanCursor[], limit: number, reverse: boolean): AsyncGenerator<RowColumns<EngineValue>> {
  try {
    const opened = await allEnded(cursors.map((cursor) => openStream(reader, cursor)))
    const streams = opened.filter((stream) => stream.page !== undefined)
    // Of the key where each stream is, which decides most comparisons; those that ended come last.
    const prefixes = Float64Array.from(streams, prefixOf)
    const none = (): EngineValue[][] => reader.columns.map(() => [])
    let left = limit, openCount = streams.length, merged = none(), rowCount = 0
    for (let mergedMax = firstMergedRows; openCount > 0 && left > 0; ) {
      const at = firstStream(reader.memory, streams, prefixes, reverse), first = streams[at]!
      takeRow(first, left, merged)
      rowCount++
      left--
      if (first.position === first.selected.count) await nextPage(first)
      prefixes[at] = first.page === undefined ? (reverse ? -Infinity : Infinity) : prefixOf(first)
      if (first.page === undefined) openCount--
      if (rowCount === mergedMax) {
        yield { rowCount, columns: merged }
        merged = none()
        rowCount = 0
        mergedMax = Math.min(mergedRowsMax, 2 * mergedMax)
      }
    }
    if (rowCount > 0) yield { rowCount, columns: merged }
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

async function openStream(reader: PageReader, cursor: ScanCursor): Promise<Stream> {
  const stream: Stream = { cursor, select: createRowSelector(reader.memory), collector: createRowCollector(reader), page: undefined, selected: noRows, rows: nothingDecoded, first: 0, position: 0, rowsAtOnce: firstDecodedRows }
  await nextPage(stream)
  return stream
}

/** Moves to the next page that has a selected row; `page` is undefined at the end. */
async function nextPage(stream: Stream): Promise<void> {
  do {
    stream.page = await stream.cursor.next()
    stream.selected = stream.page === undefined ? noRows : stream.select(stream.page)
  } while (stream.page !== undefined && stream.selected.count === 0)
  stream.rows = nothingDecoded
  stream.first = 0
  stream.position = 0
}

const noRows: PageRows = { rows: undefined, first: 0, count: 0 }
const nothingDecoded: RowColumns<EngineValue> = { rowCount: 0, columns: [] }

/** Adds the row at the stream's place, which moves on, to columns. At most `left` are still wanted. */
function takeRow(stream: Stream, left: number, into: readonly EngineValue[][]): void {
  const { position } = stream
  if (position === stream.first + stream.rows.rowCount) {
    stream.rows = decode(stream, Math.min(stream.rowsAtOnce, left, stream.selected.count - position))
    stream.first = position
    stream.rowsAtOnce = Math.min(mergedRowsMax, 2 * stream.rowsAtOnce)
  }
  stream.position++
  const { first, rows: { columns } } = stream
  for (let i = 0; i < columns.length; i++) into[i]!.push(columns[i]![position - first]!)
}

function decode({ collector, page, selected, position }: Stream, count: number): RowColumns<EngineValue> {
  collector.add(page!, partOfRows(selected, position, count))
  return collector.take()
}

const rowNumberOf = ({ selected: { rows }, position }: Stream): number => (rows === undefined ? position : rows[position]!)
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
