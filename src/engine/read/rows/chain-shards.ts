/**
 * Rows of one shard after the other, without a merge. Where few were found in all, they are put into key order after all:
 * whoever asks for no order should not get another one each time that something is written.
 */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import { compareBytes } from '../../../lsm/keys/key-bytes.ts'
import type { Page } from '../../../lsm/page.ts'
import type { ScanCursor, Tree } from '../../../lsm/tree.ts'
import { createRowSelector } from '../../codec/read-page.ts'
import type { PageRows } from '../../codec/read-page.ts'
import type { EngineRow } from '../../engine.ts'
import { allEnded } from '../all-ended.ts'
import { createRowCollector } from './page-reader.ts'
import type { PageReader, RowCollector } from './page-reader.ts'

/** A batch of fewer rows, and less text, waits for more pages. Whoever takes batches holds one of them beyond what memory it was given. */
const batchRows = 1024, batchTextBytes = 64 * 1024

/** Rows that are put into order, and their text. */
const sortedRowsMax = 4096, sortedTextBytesMax = 1024 * 1024

type Open = (tree: Tree, shard: number) => ScanCursor

export async function* chainShards(reader: PageReader, trees: readonly Tree[], open: Open, limit: number): AsyncGenerator<readonly EngineRow[]> {
  const collector = createRowCollector(reader), select = createRowSelector(reader.memory)
  let left = limit
  for (const [shard, tree] of trees.entries()) {
    const cursor = open(tree, shard)
    try {
      for (let page = await cursor.next(); page !== undefined && left > 0; page = await cursor.next()) {
        const { rows, count } = select(page)
        collector.add(page, { rows, count: Math.min(count, left) })
        left -= Math.min(count, left)
        if (isBatch(collector)) yield collector.take()
      }
    } finally {
      cursor.close()
    }
    if (left <= 0) break
  }
  if (collector.count > 0) yield collector.take()
}

/** All shards are asked for their first page at once: where they are far away, few rows are few requests one after the other. */
export async function* chainSorted(reader: PageReader, trees: readonly Tree[], open: Open, isIntegerKey: boolean): AsyncGenerator<readonly EngineRow[]> {
  const collector = createRowCollector(reader), select = createRowSelector(reader.memory)
  const cursors: ScanCursor[] = []
  let keys: KeyedRows | undefined = createKeyedRows(reader.memory, isIntegerKey)
  try {
    for (const [shard, tree] of trees.entries()) cursors.push(open(tree, shard))
    const firstPages = await allEnded(cursors.map((cursor) => cursor.next()))
    for (const [shard, cursor] of cursors.entries()) {
      for (let page = firstPages[shard]; page !== undefined; page = await cursor.next()) {
        const rows = select(page)
        collector.add(page, rows)
        keys?.add(page, rows)
        if (!(keys === undefined ? isBatch(collector) : isMuch(collector))) continue
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

const isBatch = ({ count, textBytes }: RowCollector): boolean => count >= batchRows || textBytes >= batchTextBytes
const isMuch = ({ count, textBytes }: RowCollector): boolean => count >= sortedRowsMax || textBytes >= sortedTextBytesMax

/** What was collected, by `keys` in their order, in batches. */
function* batchesOf(collector: RowCollector, keys?: KeyedRows): Generator<readonly EngineRow[]> {
  const { count, textBytes } = collector
  const taken = collector.take(), rows = keys === undefined ? taken : keys.sorted(taken)
  const size = Math.max(1, Math.min(batchRows, Math.floor(count * batchTextBytes / Math.max(1, textBytes))))
  for (let from = 0; from < count; from += size) yield size >= count ? rows : rows.slice(from, from + size)
}

const noBytes = new Uint8Array(0)

interface KeyedRows {
  add(page: Page, rows: PageRows): void
  /** The rows that were added, in key order. */
  sorted(rows: readonly EngineRow[]): readonly EngineRow[]
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
    sorted(rows) {
      const order = Array.from(rows, (_, i) => i).sort((a, b) => prefixes[a]! - prefixes[b]! || compareBytes(keys[a] ?? noBytes, keys[b] ?? noBytes))
      return order.map((index) => rows[index]!)
    },
  }
}
