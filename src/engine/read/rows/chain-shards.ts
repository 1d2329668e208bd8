/**
 * Rows of one shard after the other, without a merge. Where few were found in all, they are put into key order after all:
 * whoever asks for no order should not get another one each time that something is written.
 */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import { compareBytes } from '../../../lsm/keys/key-bytes.ts'
import type { Page } from '../../../lsm/page.ts'
import type { ScanCursor, Tree } from '../../../lsm/tree.ts'
import { createRowSelector, partOfRows } from '../../codec/read-page.ts'
import type { PageRows } from '../../codec/read-page.ts'
import type { EngineValue } from '../../engine.ts'
import type { RowColumns } from '../../engine-walk.ts'
import { allEnded } from '../all-ended.ts'
import { batchRows, batchTextBytes, createRowCollector } from './page-reader.ts'
import type { PageReader, RowCollector } from './page-reader.ts'

/** Rows that are put into order, and their text. */
const sortedRowsMax = 4096, sortedTextBytesMax = 1024 * 1024

type Open = (tree: Tree, shard: number) => ScanCursor

export async function* chainShards(reader: PageReader, trees: readonly Tree[], open: Open, limit: number): AsyncGenerator<RowColumns<EngineValue>> {
  const collector = createRowCollector(reader), select = createRowSelector(reader.memory)
  let left = limit
  for (const [shard, tree] of trees.entries()) {
    const cursor = open(tree, shard)
    try {
      for (let page = await cursor.next(); page !== undefined && left > 0; page = await cursor.next()) {
        const rows = select(page), count = Math.min(rows.count, left)
        left -= count
        yield* filledBatches(collector, page, partOfRows(rows, 0, count))
      }
    } finally {
      cursor.close()
    }
    if (left <= 0) break
  }
  if (collector.count > 0) yield collector.take()
}

/** All shards are asked for their first page at once: where they are far away, few rows are few requests one after the other. */
export async function* chainSorted(reader: PageReader, trees: readonly Tree[], open: Open, isIntegerKey: boolean): AsyncGenerator<RowColumns<EngineValue>> {
  const collector = createRowCollector(reader), select = createRowSelector(reader.memory)
  const cursors: ScanCursor[] = []
  let keys: KeyedRows | undefined
  try {
    for (const [shard, tree] of trees.entries()) cursors.push(open(tree, shard))
    const firstPages = await allEnded(cursors.map((cursor) => cursor.next()))
    if (selectedIn(firstPages) < sortedRowsMax) keys = createKeyedRows(reader.memory, isIntegerKey)
    for (const [shard, cursor] of cursors.entries()) {
      for (let page = firstPages[shard]; page !== undefined; page = await cursor.next()) {
        const rows = select(page)
        if (keys === undefined) {
          yield* filledBatches(collector, page, rows)
          continue
        }
        collector.add(page, rows)
        keys.add(page, rows)
        if (!isMuch(collector)) continue
        keys = undefined
        yield* batchesOf(collector)
      }
      cursor.close()
    }
    yield* batchesOf(collector, keys)
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

const selectedIn = (pages: readonly (Page | undefined)[]): number => pages.reduce((count, page) => count + (page?.selectedCount ?? 0), 0)
const isBatch = ({ count, textBytes }: RowCollector): boolean => count >= batchRows || textBytes >= batchTextBytes
const isMuch = ({ count, textBytes }: RowCollector): boolean => count >= sortedRowsMax || textBytes >= sortedTextBytesMax

/** Adds rows of a page, and gives each batch that they fill. */
function* filledBatches(collector: RowCollector, page: Page, rows: PageRows): Generator<RowColumns<EngineValue>> {
  for (let from = 0; from < rows.count; ) {
    const count = Math.min(rows.count - from, batchRows - collector.count)
    collector.add(page, partOfRows(rows, from, count))
    from += count
    if (isBatch(collector)) yield* batchesOf(collector)
  }
}

/** What was collected, by `keys` in their order, in batches. */
function* batchesOf(collector: RowCollector, keys?: KeyedRows): Generator<RowColumns<EngineValue>> {
  const { count, textBytes } = collector
  const taken = collector.take(), rows = keys === undefined ? taken : keys.sorted(taken)
  const size = Math.ceil(count / Math.max(1, Math.ceil(count / batchRows), Math.floor(textBytes / batchTextBytes)))
  for (let from = 0; from < count; from += size) yield size >= count ? rows : { rowCount: Math.min(size, count - from), columns: rows.columns.map((values) => values.slice(from, from + size)) }
}

const noBytes = new Uint8Array(0)

interface KeyedRows {
  add(page: Page, rows: PageRows): void
  /** The rows that were added, in key order. */
  sorted(rows: RowColumns<EngineValue>): RowColumns<EngineValue>
}

/** Prefixes of integer keys are the keys, but for those that no double holds. */
function createKeyedRows({ u8 }: LinearMemory, isIntegerKey: boolean): KeyedRows {
  const prefixes: number[] = [], keys: (Uint8Array | undefined)[] = []
  const keyOf = (page: Page, row: number): Uint8Array => {
    const { address, byteLength } = page.keyAt(row)
    return u8.slice(address, address + byteLength)
  }
  return {
    add(page, { rows, count }) {
      for (let i = 0; i < count; i++) {
        const row = rows === undefined ? i : rows[i]!, prefix = page.keyPrefixAt(row)
        prefixes.push(prefix)
        keys.push(isIntegerKey && Number.isSafeInteger(prefix) ? undefined : keyOf(page, row))
      }
    },
    sorted({ rowCount, columns }) {
      const order = Array.from(prefixes, (_, i) => i).sort((a, b) => prefixes[a]! - prefixes[b]! || compareBytes(keys[a] ?? noBytes, keys[b] ?? noBytes))
      return { rowCount, columns: columns.map((values) => order.map((index) => values[index]!)) }
    },
  }
}
