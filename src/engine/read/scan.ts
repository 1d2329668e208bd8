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
import { readKind } from '../codec/read-row.ts'
import type { ReadKind } from '../codec/read-row.ts'
import { keyRange } from '../codec/key-codec.ts'
import type { EngineRow, EngineScan } from '../engine.ts'
import type { ColumnSchema } from '../schema.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { allEnded } from './all-ended.ts'
import { physicalPredicate } from './predicate.ts'

const mergedRowsMax = 1024

/** What a scan asks of every tree, or undefined when it can find nothing. */
export function scanRequest({ turns, assertOpen }: Shards, access: TableAccess, scan: EngineScan, columns: readonly number[]): ScanRequest | undefined {
  const range = keyRange(access.keys, scan.lower, scan.upper)
  const predicate = physicalPredicate(scan.table, scan.predicate)
  if (range === 'empty' || predicate === 'none') return undefined
  const { table, reverse = false, conditions, computed } = scan
  const more = { ...(conditions !== undefined && { conditions }), ...(computed !== undefined && { computed: computed.map(({ expression }) => expression) }) }
  return { tableId: table.tableId, ...range, reverse, columns: [...new Set(columns)], predicate, ...more, pace: createPace(turns, scan.signal, assertOpen) }
}

/** How the columns of a scan are read, by ordinal. */
export function scanReadKinds({ kinds }: TableAccess, { computed = [] }: EngineScan): readonly ReadKind[] {
  return [...kinds, ...computed.map(({ type }) => readKind(type))]
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
  const reader: PageReader = { memory: shards.kernel.memory, kinds: scanReadKinds(access, scan), columns: scan.columns }
  yield* isMerged ? mergeShards(reader, shards.trees.map(open), limit, scan.reverse === true) : chainShards(reader, shards.trees, open, limit)
}

interface PageReader {
  readonly memory: LinearMemory
  readonly kinds: readonly ReadKind[]
  readonly columns: readonly number[]
}

async function* chainShards(reader: PageReader, trees: readonly Tree[], open: (tree: Tree, shard: number) => ScanCursor, limit: number): AsyncGenerator<readonly EngineRow[]> {
  let left = limit
  for (const [shard, tree] of trees.entries()) {
    const cursor = open(tree, shard)
    try {
      for (let page = await cursor.next(); page !== undefined && left > 0; page = await cursor.next()) {
        const rows = decodePage(reader, page, left).rows
        left -= rows.length
        if (rows.length > 0) yield rows
        if (left <= 0) return
      }
    } finally {
      cursor.close()
    }
  }
}

interface DecodedPage {
  /** Row numbers in the page. */
  readonly rowNumbers: readonly number[]
  readonly rows: readonly EngineRow[]
}

function decodePage(reader: PageReader, page: Page, limit: number): DecodedPage {
  const selected = selectedRows(reader.memory, page)
  const rowNumbers = selected.length > limit ? selected.slice(0, limit) : selected
  return { rowNumbers, rows: readRows(reader.memory, reader.kinds, page, rowNumbers, reader.columns) }
}

/** One shard's place in a merge. */
interface Stream {
  readonly cursor: ScanCursor
  page: Page | undefined
  decoded: DecodedPage
  position: number
  /** The key at `position`: where it stands, and its first eight bytes as a number, which decides most comparisons. */
  address: number
  byteLength: number
  prefix: number
}

async function* mergeShards(reader: PageReader, cursors: readonly ScanCursor[], limit: number, reverse: boolean): AsyncGenerator<readonly EngineRow[]> {
  try {
    const opened = await allEnded(cursors.map((cursor) => openStream(reader, cursor, limit)))
    let streams = opened.filter((stream) => stream.page !== undefined)
    let left = limit
    let merged: EngineRow[] = []
    while (streams.length > 0 && left > 0) {
      const first = firstStream(reader.memory, streams, reverse)
      merged.push(first.decoded.rows[first.position]!)
      left--
      first.position++
      if (first.position < first.decoded.rows.length) placeKey(reader.memory, first)
      else {
        await nextPage(reader, first, left)
        if (first.page === undefined) streams = streams.filter((stream) => stream !== first)
      }
      if (merged.length === mergedRowsMax) {
        yield merged
        merged = []
      }
    }
    if (merged.length > 0) yield merged
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

const nothingDecoded: DecodedPage = { rowNumbers: [], rows: [] }

async function openStream(reader: PageReader, cursor: ScanCursor, limit: number): Promise<Stream> {
  const stream: Stream = { cursor, page: undefined, decoded: nothingDecoded, position: 0, address: 0, byteLength: 0, prefix: 0 }
  await nextPage(reader, stream, limit)
  return stream
}

/** Moves to the next page that has a selected row; `page` is undefined at the end. */
async function nextPage(reader: PageReader, stream: Stream, limit: number): Promise<void> {
  do {
    stream.page = await stream.cursor.next()
    stream.decoded = stream.page === undefined ? nothingDecoded : decodePage(reader, stream.page, limit)
  } while (stream.page !== undefined && stream.decoded.rows.length === 0 && limit > 0)
  stream.position = 0
  if (stream.page !== undefined && stream.decoded.rows.length > 0) placeKey(reader.memory, stream)
}

function placeKey({ view, u8 }: LinearMemory, stream: Stream): void {
  const { address, byteLength } = stream.page!.keyAt(stream.decoded.rowNumbers[stream.position]!)
  stream.address = address
  stream.byteLength = byteLength
  stream.prefix = byteLength >= 8 ? prefixOf(view.getUint32(address), view.getUint32(address + 4)) : prefixOf(shortWord(u8, address, byteLength), shortWord(u8, address + 4, byteLength - 4))
}

/** Rounded where it is large, which keeps the order; the first bit counted as a sign makes small integer keys exact. */
const prefixOf = (high: number, low: number): number => (high - 0x8000_0000) * 0x1_0000_0000 + low

/** Four bytes, zeros after the end. */
function shortWord(u8: Uint8Array, address: number, byteLength: number): number {
  let word = 0
  for (let i = 0; i < 4; i++) word = word * 256 + (i < byteLength ? u8[address + i]! : 0)
  return word
}

function firstStream(memory: LinearMemory, streams: readonly Stream[], reverse: boolean): Stream {
  let first = streams[0]!
  for (let i = 1; i < streams.length; i++) {
    const stream = streams[i]!
    const order = stream.prefix !== first.prefix ? stream.prefix - first.prefix : compareKeysAt(memory, stream, first)
    if (reverse ? order > 0 : order < 0) first = stream
  }
  return first
}

function compareKeysAt({ u8 }: LinearMemory, a: Stream, b: Stream): number {
  const shared = Math.min(a.byteLength, b.byteLength)
  for (let i = 0; i < shared; i++) {
    const order = u8[a.address + i]! - u8[b.address + i]!
    if (order !== 0) return order
  }
  return a.byteLength - b.byteLength
}
