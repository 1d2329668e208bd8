/** What statements read, over the shards of a database or of one transaction. */
import { checkKey } from '../codec/key-codec.ts'
import { kindsAsText, readRow } from '../codec/read-row.ts'
import type { RowReader } from '../codec/read-row.ts'
import type { EngineRow, EngineScan, EngineSession, EngineSnapshot } from '../engine.ts'
import { aggregateShards } from '../read/aggregate.ts'
import { groupShards } from '../read/group.ts'
import { isFetch, lookUp, readEach } from '../read/point-read.ts'
import { scanShards } from '../read/scan.ts'
import { topShards } from '../read/top.ts'
import { walkShards } from '../read/walk.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { Tables } from '../tables/tables.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { unlessEnded } from '../../runtime/end-signal.ts'

export type EngineReads = Pick<EngineSession, 'snapshot' | 'get' | 'getMany' | 'scan' | 'walk' | 'aggregate' | 'groupedAggregate' | 'topRows'>

export function createReads(shards: Shards, tables: Pick<Tables, 'access'>): EngineReads {
  const { assertOpen, kernel: { memory } } = shards
  const readerOf = createRowReaders()

  /** Reads the key of `values`; a row that must be fetched first is awaited and asked for again. */
  function get(given: EngineSnapshot | undefined, access: TableAccess, values: EngineRow, columns: readonly number[], stats: ReadStats | undefined, reader: RowReader): EngineRow | undefined | Promise<EngineRow | undefined> {
    assertOpen()
    shards.keys.writeOne(access, values, access.keyInKey)
    const found = lookUp(shards, shards.keys.shardOf(0), given && shardsOf(given), access, stats)
    if (found === undefined) return undefined
    if (!isFetch(found)) return readRow(memory, reader, found, columns, values)
    return found.fetch().then(() => {
      const answer = found.elsewhere?.answer()
      if (answer === undefined) return get(given, access, values, columns, stats, reader)
      assertOpen()
      return answer.row && readRow(memory, reader, answer.row, columns, values)
    })
  }

  /** The access of a table, once the snapshot is there. */
  async function readyAccess(given: EngineSnapshot, { table, signal }: Pick<EngineScan, 'table' | 'signal'>): Promise<TableAccess> {
    assertOpen()
    const access = tables.access(table)
    const { ready } = given as ShardSnapshot
    if (ready !== undefined) await unlessEnded(ready, signal)
    assertOpen()
    return access
  }

  return {
    snapshot() {
      assertOpen()
      return shards.snapshot()
    },
    get(given, table, key, columns, stats, asText) {
      assertOpen()
      const access = tables.access(table)
      const reader = readerOf(access, asText)
      const ready = given && (given as ShardSnapshot).ready
      if (ready === undefined && isShortText(shards, access, key, asText)) {
        const found = lookUp(shards, shards.keys.shardOf(0), given && shardsOf(given), access, stats)
        if (found === undefined) return undefined
        if (!isFetch(found)) return readRow(memory, reader, found, columns, key)
      }
      const values = checkKey(access.keys, key, asText)
      return ready === undefined ? get(given, access, values, columns, stats, reader) : ready.then(() => get(given, access, values, columns, stats, reader))
    },
    getMany(given, table, keys, columns, stats) {
      assertOpen()
      const access = tables.access(table)
      const values = keys.map((key) => checkKey(access.keys, key))
      const ready = given && (given as ShardSnapshot).ready
      return ready === undefined ? readMany(shards, given, access, values, columns, stats) : ready.then(() => readMany(shards, given, access, values, columns, stats))
    },
    async *scan(given: EngineSnapshot, scan: EngineScan, stats?: ReadStats) {
      const access = await readyAccess(given, scan)
      yield* scanShards(shards, shardsOf(given), access, scan, stats)
    },
    walk(given, scan) {
      assertOpen()
      // One that is not there yet is waited for by a scan.
      return (given as ShardSnapshot).ready === undefined ? walkShards(shards, shardsOf(given), tables.access(scan.table), scan) : undefined
    },
    ...createAggregates(shards, readyAccess),
  }
}

/** Writes a key that needs no check; false where it is another. */
function isShortText({ keys }: Shards, { keys: { form, takesShortText }, keyInRow }: TableAccess, key: EngineRow, asText: ReadonlySet<number> | undefined): boolean {
  const [only] = key
  if (key.length !== 1 || typeof only !== 'string' || form !== 'bytes') return false
  return (takesShortText || asText?.has(keyInRow[0]!) === true) && keys.writeShortText(only)
}

/** How rows of a table are read, with some bytes as text: the last answer is kept, since who asks by key asks again. */
function createRowReaders(): (access: TableAccess, asText: ReadonlySet<number> | undefined) => RowReader {
  let last: { readonly access: TableAccess; readonly asText: ReadonlySet<number>; readonly reader: RowReader } | undefined
  return (access, asText) => {
    if (asText === undefined) return access
    if (last === undefined || last.access !== access || last.asText !== asText) last = { access, asText, reader: { kinds: kindsAsText(access.kinds, asText), placeInKey: access.placeInKey } }
    return last.reader
  }
}

/** Reads that look at all rows before they give any. */
function createAggregates(shards: Shards, readyAccess: (given: EngineSnapshot, scan: EngineScan) => Promise<TableAccess>): Pick<EngineReads, 'aggregate' | 'groupedAggregate' | 'topRows'> {
  return {
    async aggregate(given, scan, aggregates, stats) {
      const access = await readyAccess(given, scan)
      return aggregateShards(shards, shardsOf(given), access, scan, aggregates, stats)
    },
    async *groupedAggregate(given, scan, groupBy, aggregates, stats, wanted) {
      const access = await readyAccess(given, scan)
      yield* groupShards(shards, shardsOf(given), access, scan, groupBy, aggregates, stats, wanted)
    },
    async topRows(given, scan, order, limit, stats) {
      const access = await readyAccess(given, scan)
      return topShards(shards, shardsOf(given), access, scan, order, limit, stats)
    },
  }
}

/** The rows of `keys`, by key. */
function readMany(shards: Shards, given: EngineSnapshot | undefined, access: TableAccess, keys: readonly EngineRow[], columns: readonly number[], stats: ReadStats | undefined): ReturnType<EngineReads['getMany']> {
  const rows: (EngineRow | undefined)[] = []
  const rest = readEach({
    count: keys.length,
    ask(index) {
      shards.assertOpen()
      shards.keys.writeOne(access, keys[index]!, access.keyInKey)
      return lookUp(shards, shards.keys.shardOf(0), given && shardsOf(given), access, stats)
    },
    visit(index, row) {
      rows.push(row && readRow(shards.kernel.memory, access, row, columns, keys[index]!))
      return true
    },
    stats,
  })
  return rest === undefined ? rows : rest.then(() => rows)
}
