/** What statements read, over the shards of a database or of one transaction. */
import { checkKey } from '../codec/key-codec.ts'
import { readRow } from '../codec/read-row.ts'
import type { EngineRow, EngineScan, EngineSession, EngineSnapshot } from '../engine.ts'
import { aggregateShards } from '../read/aggregate.ts'
import { groupShards } from '../read/group.ts'
import { lookUp, readEach } from '../read/point-read.ts'
import { ShardRowsByKey } from '../read/rows-by-key.ts'
import { scanColumns, scanShards } from '../read/scan.ts'
import { topShards } from '../read/top.ts'
import { walkShards } from '../read/walk.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { Tables } from '../tables/tables.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { unlessEnded } from '../../runtime/end-signal.ts'

export type EngineReads = Pick<EngineSession, 'snapshot' | 'get' | 'rowsByKey' | 'getMany' | 'scan' | 'scanColumns' | 'walk' | 'aggregate' | 'groupedAggregate' | 'topRows'>

export function createReads(shards: Shards, tables: Pick<Tables, 'access'>): EngineReads {
  const { assertOpen } = shards
  // Whoever asks by key asks again.
  let last: ShardRowsByKey | undefined

  function rowsByKey(access: TableAccess, columns: readonly number[], asText: ReadonlySet<number> | undefined): ShardRowsByKey {
    if (last !== undefined && last.access === access && last.columns === columns && last.asText === asText) return last
    return (last = new ShardRowsByKey(shards, access, columns, asText))
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
      return rowsByKey(tables.access(table), columns, asText).get(given, key, stats)
    },
    rowsByKey: (table, columns, asText) => new ShardRowsByKey(shards, tables.access(table), columns, asText),
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
    async *scanColumns(given: EngineSnapshot, scan: EngineScan, stats?: ReadStats) {
      const access = await readyAccess(given, scan)
      yield* scanColumns(shards, shardsOf(given), access, scan, stats)
    },
    walk(given, scan) {
      assertOpen()
      // One that is not there yet is waited for by a scan.
      return (given as ShardSnapshot).ready === undefined ? walkShards(shards, shardsOf(given), tables.access(scan.table), scan) : undefined
    },
    ...createAggregates(shards, readyAccess),
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
