/** Scans over all shards: rows by column, one shard after the other, or merged by key where order is asked for. */
import type { ReadStats, ScanCursor, ScanRequest, Snapshot, Tree } from '../../lsm/tree.ts'
import { createPace } from '../../runtime/pace.ts'
import { keyRange } from '../codec/key-codec.ts'
import { rowsOfColumns } from '../codec/read-page.ts'
import type { EngineRow, EngineScan, EngineValue } from '../engine.ts'
import type { RowColumns } from '../engine-walk.ts'
import type { ColumnSchema } from '../schema.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { chainShards, chainSorted } from './rows/chain-shards.ts'
import { mergeShards } from './rows/merge-shards.ts'
import { createPageReader } from './rows/page-reader.ts'
import { walkedBatches } from './rows/walked-batches.ts'
import { physicalPredicate } from './predicate.ts'
import { rowKinds } from './row-kinds.ts'
import { walkShards } from './walk.ts'

/**
 * What a scan asks of every tree, or undefined when it can find nothing. Every property is named: to add one to a copy takes
 * microseconds, to set one hardly any time.
 */
export function scanRequest({ turns, assertOpen }: Shards, access: TableAccess, scan: EngineScan, columns: readonly number[]): ScanRequest | undefined {
  const range = keyRange(access.keys, scan.lower, scan.upper)
  const predicate = physicalPredicate(scan.table, scan.predicate)
  if (range === 'empty' || predicate === 'none') return undefined
  const { table: { tableId }, reverse = false, conditions } = scan, { lower, upper } = range
  const computed = scan.computed?.map(({ expression }) => expression), isOrdered = orderOf(scan) === true
  return {
    tableId, lower, upper, reverse, columns: columns.length === 0 ? columns : [...new Set(columns)], predicate, conditions, computed,
    startsSmall: isOrdered || undefined, anyOrder: isOrdered ? undefined : true, keys: undefined, share: undefined,
    pace: createPace(turns, scan.signal, assertOpen),
  }
}

/** A column of the table, or a computed one. */
export function scanColumn({ table, computed = [] }: EngineScan, ordinal: number): Pick<ColumnSchema, 'type'> {
  return table.columns[ordinal] ?? computed[ordinal - table.columns.length]!
}

/** Batches of rows of a scan over the given snapshots (by shard). */
export async function* scanShards(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, stats?: ReadStats): AsyncGenerator<readonly EngineRow[]> {
  for await (const { columns, rowCount } of scanColumns(shards, snapshots, access, scan, stats)) yield rowsOfColumns(columns, rowCount)
}

/** The same by column: of rows that nobody looks at as such none is made. */
export async function* scanColumns(shards: Shards, snapshots: readonly Snapshot[], access: TableAccess, scan: EngineScan, stats?: ReadStats): AsyncGenerator<RowColumns<EngineValue>> {
  const request = scanRequest(shards, access, scan, scan.columns)
  const limit = scan.limit ?? Number.POSITIVE_INFINITY
  if (request === undefined || limit <= 0) return
  const ordered = orderOf(scan), isOneTree = shards.trees.length === 1
  const walk = ordered === true && !isOneTree ? walkShards(shards, snapshots, access, scan, stats) : undefined
  if (walk !== undefined) return yield* walkedBatches(walk, limit)
  const asked = ordered === false || (ordered === true && isOneTree) ? { ...request, keys: false as const } : request
  const open = (tree: Tree, shard: number): ScanCursor => tree.scan(snapshots[shard]!, asked, stats)
  const reader = createPageReader(shards.kernel.memory, rowKinds(access, scan), scan.columns)
  if (ordered === 'few') yield* chainSorted(reader, shards.trees, open, hasIntegerKey(access, scan))
  else if (ordered && !isOneTree) yield* mergeShards(reader, shards.trees.map(open), limit, scan.reverse === true)
  else yield* chainShards(reader, shards.trees, open, limit)
}

/** Insertion order is promised, and who wants the first rows wants the same ones again. */
function orderOf({ table, ordered, limit }: EngineScan): boolean | 'few' {
  return ordered === 'few' && (table.hiddenKey || limit !== undefined) ? true : ordered
}

function hasIntegerKey({ kinds }: TableAccess, { table: { primaryKey } }: EngineScan): boolean {
  return primaryKey.length === 1 && kinds[primaryKey[0]!] === 'i64'
}
