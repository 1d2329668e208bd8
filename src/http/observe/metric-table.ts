/** What /metrics tells of the database and of what the server has in hand, each read from one sample taken when it is asked for. */
import type { MembershipStatus, ShardStatus } from '../../cluster/node/membership.ts'
import type { EngineStats } from '../../engine/engine-stats.ts'
import type { QueryStats } from '../../sql/result.ts'
import type { SqlStats } from '../../sql/sql.ts'
import type { Histogram } from '../../runtime/histogram.ts'
import { sumOfHistograms } from '../../runtime/histogram.ts'
import type { ForwardCounts } from '../forward/at-coordinator.ts'
import type { Connections } from '../guard/connections.ts'
import type { Gate } from '../guard/gate.ts'

export interface Sample {
  readonly engine: EngineStats
  readonly sql: SqlStats
  /** Of all queries that were answered. */
  readonly reads: QueryStats
  readonly gate: Gate['counts']
  readonly connections: Connections['counts']
  /** See `src/http/lane/`. */
  readonly laneConnections: number
  readonly bodyBytes: number
  readonly requestsUnderWay: number
  /** To other nodes of a cluster. */
  readonly forwards: ForwardCounts
  /** Undefined at a server by itself. */
  readonly cluster: MembershipStatus | undefined
}

/** One number, or one for each value of a label. */
export interface Metric {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly label?: string
  readonly read: (sample: Sample) => number | Readonly<Record<string, number>>
}

type Shard = EngineStats['shards'][number]

/** Of all shards together. */
const overShards = (read: (shard: Shard) => number) => ({ engine: { shards } }: Sample): number => shards.reduce((sum, shard) => sum + read(shard), 0)

/** Of all files that make writes durable. */
const overLogFiles = (read: (files: Pick<Shard['log'], 'bytes' | 'syncs' | 'segments'>) => number) => (sample: Sample): number =>
  overShards(({ log }) => read(log))(sample) + (sample.engine.journal === undefined ? 0 : read(sample.engine.journal))

const byLevel = (read: (level: Shard['levels'][number]) => number) => ({ engine: { shards } }: Sample): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {}
  for (const each of shards.flatMap(({ levels }) => levels)) sums[each.level] = (sums[each.level] ?? 0) + read(each)
  return sums
}

const counter = (name: string, help: string, read: Metric['read'], label?: string): Metric => ({ kind: 'counter', name: `lsmt_${name}`, help, read, ...(label !== undefined && { label }) })
const gauge = (name: string, help: string, read: Metric['read'], label?: string): Metric => ({ ...counter(name, help, read, label), kind: 'gauge' })

const serving: readonly Metric[] = [
  gauge('http_connections', 'Open connections', ({ connections }) => connections.open),
  gauge('http_lane_connections', 'Open connections whose requests are read the short way so far', ({ laneConnections }) => laneConnections),
  counter('http_connections_refused_total', 'Connections that were turned away or closed, by reason', ({ connections: { turnedAway, timedOut, malformed } }) => ({ too_many: turnedAway, timeout: timedOut, malformed }), 'reason'),
  gauge('http_requests_in_progress', 'Requests without an answer yet', ({ requestsUnderWay }) => requestsUnderWay),
  gauge('http_body_bytes', 'Bytes of request bodies in memory', ({ bodyBytes }) => bodyBytes),
  gauge('queries_running', 'Requests whose statements run', ({ gate }) => gate.running),
  gauge('queries_waiting', 'Requests that wait for their turn', ({ gate }) => gate.waiting),
  counter('statements_total', 'Statements begun, by kind', ({ sql }) => sql.statements, 'kind'),
]

const reading: readonly Metric[] = [
  counter('row_groups_read_total', 'Row groups that scans of answered queries looked into', ({ reads }) => reads.rowGroupsTotal - reads.rowGroupsPruned),
  counter('row_groups_pruned_total', 'Row groups that zone maps and keys spared them', ({ reads }) => reads.rowGroupsPruned),
  counter('storage_read_bytes_total', 'Bytes that answered queries read from storage', ({ reads }) => reads.bytesRead),
  counter('storage_read_requests_total', 'Requests to storage that they made', ({ reads }) => reads.storageRequests),
  counter('storage_requests_total', 'Requests to storage of any kind, for reads, writes and background work', ({ engine: { storage: { counts } } }) => ({ create: counts.creates, append: counts.appends, sync: counts.syncs, read: counts.reads, list: counts.lists, delete: counts.deletes }), 'kind'),
  counter('storage_bytes_total', 'Bytes that they moved', ({ engine: { storage: { counts } } }) => ({ read: counts.bytesRead, written: counts.bytesWritten }), 'direction'),
  counter('storage_cost_usd_total', 'What they cost by the prices set, where storage is a bucket', ({ engine: { storage } }) => storage.estimatedUsd),
  counter('spilled_bytes_total', 'Bytes of rows that they spilled', ({ reads }) => reads.spilledBytes),
  counter('cache_lookups_total', 'Chunks of files looked up in the cache, by outcome', ({ engine: { cache } }) => ({ hit: cache.hits, miss: cache.misses }), 'outcome'),
  counter('disk_cache_lookups_total', 'Blocks of files in a bucket looked up in the cache on disk, by outcome', ({ engine: { storage: { diskCache } } }) => ({ hit: diskCache?.hits ?? 0, miss: diskCache?.misses ?? 0 }), 'outcome'),
  counter('disk_cache_evictions_total', 'Blocks that left it for others', ({ engine: { storage: { diskCache } } }) => diskCache?.evictions ?? 0),
  counter('cache_evictions_total', 'Chunks that left the cache for others', ({ engine: { cache } }) => cache.evictions),
  counter('bloom_probes_total', 'Keys looked for in files: the filter knew that it is absent, found it, or was wrong', (sample) => ({
    absent: overShards(({ filters }) => filters.absent)(sample),
    present: overShards(({ filters }) => filters.present)(sample),
    false_positive: overShards(({ filters }) => filters.wrong)(sample),
  }), 'outcome'),
]

const writing: readonly Metric[] = [
  counter('log_records_total', 'Records appended to the logs', overShards(({ log }) => log.appends)),
  counter('log_bytes_total', 'Bytes written to the logs and their journal', overLogFiles(({ bytes }) => bytes)),
  counter('log_syncs_total', 'Syncs of the logs and their journal', overLogFiles(({ syncs }) => syncs)),
  gauge('log_segments', 'Segments of the logs and their journal', overLogFiles(({ segments }) => segments)),
  counter('log_journal_rounds_total', 'Rounds of the logs of several shards: written to their journal by one sync, or declined and written by each log', ({ engine: { journal } }) => ({ written: journal?.rounds ?? 0, declined: journal?.declined ?? 0 }), 'outcome'),
  counter('stall_seconds_total', 'Time that writers waited, by cause', (sample) => ({
    level0_slow: overShards(({ stalledMs }) => stalledMs.slow)(sample) / 1000,
    flush_or_compaction: overShards(({ stalledMs }) => stalledMs.stop)(sample) / 1000,
    memtable_memory: sample.engine.admission.waitedMs / 1000,
  }), 'cause'),
  gauge('stalled_shards', 'Shards that make writers wait now', overShards(({ stall }) => (stall === 'none' ? 0 : 1))),
  gauge('writers_waiting', 'Statements that wait for memory of the memtables', ({ engine }) => engine.admission.waiting),
  gauge('read_only', 'Whether writes are refused because the disk is full', ({ engine }) => (engine.disk.refusal === undefined ? 0 : 1)),
  counter('disk_full_total', 'Times that the disk was full', ({ engine }) => engine.disk.timesFull),
  counter('disk_full_seconds_total', 'Time that it was', ({ engine }) => engine.disk.fullMs / 1000),
  gauge('failed_shards', 'Shards that take no more writes until a restart', overShards(({ failure }) => (failure === undefined ? 0 : 1))),
]

const tree: readonly Metric[] = [
  gauge('level_files', 'Table files, by level', byLevel(({ files }) => files), 'level'),
  gauge('disk_cache_bytes', 'Bytes of the cache on disk', ({ engine: { storage: { diskCache } } }) => diskCache?.bytes ?? 0),
  gauge('level_bytes', 'Bytes of table files, by level', byLevel(({ bytes }) => bytes), 'level'),
  gauge('compaction_debt_bytes', 'Bytes of table files that compactions are to merge into deeper levels', overShards(({ compactionDebtBytes }) => compactionDebtBytes)),
  counter('flushes_total', 'Memtables that became table files', overShards(({ flushes }) => flushes)),
  counter('flushed_bytes_total', 'Bytes of these files', overShards(({ bytesFlushed }) => bytesFlushed)),
  counter('ingested_bytes_total', 'Bytes of table files that imports wrote without log and memtables', overShards(({ bytesIngested }) => bytesIngested)),
  counter('compactions_total', 'Compactions', overShards(({ compactions }) => compactions)),
  counter('compacted_bytes_total', 'Bytes that compactions wrote', overShards(({ bytesCompacted }) => bytesCompacted)),
  gauge('frozen_memtables', 'Memtables that wait for their flush', overShards(({ frozenMemtables }) => frozenMemtables)),
  gauge('memory_bytes', 'Bytes of memory, by use', (sample) => ({
    memtables: overShards(({ memtableBytes }) => memtableBytes)(sample),
    cache: sample.engine.cacheBytes,
    queries: sample.sql.queryMemoryBytes,
    linear_used: sample.engine.kernelMemoryBytes.used,
    linear_reserved: sample.engine.kernelMemoryBytes.reserved,
  }), 'use'),
]

/** Of a node that only reads; 0 of others. */
const following: readonly Metric[] = [
  gauge('follow_behind_seconds', 'Time since the last look at what the writer has written', ({ engine }) => (engine.following?.behindMs ?? 0) / 1000),
  gauge('follow_waiting_records', 'Records of the log that were read and are not visible yet', ({ engine }) => engine.following?.waitingRecords ?? 0),
  gauge('follow_log_object', 'The newest object of the log that was read', ({ engine }) => engine.following?.logObject ?? 0),
  counter('follow_looks_total', 'Looks at what the writer has written', ({ engine }) => engine.following?.looks ?? 0),
  counter('follow_reloads_total', 'Times that everything was read anew, the opening included', ({ engine }) => engine.following?.reloads ?? 0),
]

const inCluster = (read: (status: MembershipStatus) => number) => ({ cluster }: Sample): number => (cluster === undefined ? 0 : read(cluster))

/** Of shards that are led here, by shard. */
const ofLed = (read: (led: NonNullable<ShardStatus['led']>) => number) => ({ cluster }: Sample): Readonly<Record<string, number>> =>
  Object.fromEntries((cluster?.shards ?? []).flatMap(({ shard, leader, led }) => (led === undefined || leader !== cluster?.node ? [] : [[String(shard), read(led)]])))

/** As this node knows it; 0, or nothing, at a server by itself. */
const cluster: readonly Metric[] = [
  gauge('cluster_nodes_live', 'Nodes of the cluster that are live', inCluster(({ nodes }) => nodes.filter(({ isLive }) => isLive).length)),
  gauge('cluster_shards_led', 'Shards that this node leads', inCluster(({ node, shards }) => shards.filter(({ leader }) => leader === node).length)),
  gauge('cluster_shards_without_leader', 'Shards that nobody leads', inCluster(({ shards }) => shards.filter(({ leader }) => leader === undefined).length)),
  gauge('cluster_shards_moving', 'Shards of which a copy is on its way to another node', inCluster(({ shards }) => shards.filter(({ joining }) => joining !== null).length)),
  gauge('cluster_coordinates_writes', 'Whether this node coordinates writes', inCluster(({ node, shards }) => (shards[0]?.leader === node ? 1 : 0))),
  gauge('cluster_etcd_unreachable', 'Whether etcd cannot be read from this node', inCluster(({ storeFailure }) => (storeFailure === undefined ? 0 : 1))),
  counter('cluster_elections_total', 'Elections of leaders so far, failovers and hand-overs among them: the epochs of all shards', inCluster(({ shards }) => shards.reduce((sum, { epoch }) => sum + epoch, 0))),
  gauge('cluster_shard_epoch', 'Epoch of a shard', ({ cluster: status }) => Object.fromEntries((status?.shards ?? []).map(({ shard, epoch }) => [String(shard), epoch])), 'shard'),
  gauge('cluster_shard_copies', 'Disks that what a shard acknowledges is on, of those that are led here', ofLed(({ copies }) => copies), 'shard'),
  gauge('cluster_shard_lag', 'Sequences that the slowest copy of a shard lacks, of those that are led here', ofLed(({ lag }) => lag), 'shard'),
  counter('forwarded_requests_total', 'Requests that were handed on to the node that coordinates writes, by outcome; not_taken ones may be counted again', ({ forwards: { answered, notTaken, unknown } }) => ({ answered, not_taken: notTaken, unknown }), 'outcome'),
]

export const metricTable: readonly Metric[] = [...serving, ...reading, ...writing, ...tree, ...following, ...cluster]

/** Distributions that are counted where they arise. */
export interface SampledHistogram {
  readonly name: string
  readonly help: string
  /** What one of the histogram's units is in that of the metric. */
  readonly scale: number
  readonly read: (sample: Sample) => Histogram
}

const sumOf = (histograms: readonly Histogram[]): Histogram => sumOfHistograms(histograms, histograms[0]?.bounds ?? [])

const groupsOf = ({ engine: { shards } }: Sample): Histogram => sumOf(shards.map(({ log }) => log.groups))

const syncTimesOf = ({ engine: { shards, journal } }: Sample): Histogram => sumOf([...shards.map(({ log }) => log.syncMs), ...(journal === undefined ? [] : [journal.syncMs])])

export const histogramTable: readonly SampledHistogram[] = [
  { name: 'lsmt_log_group_records', help: 'Records that were written together by group commit', scale: 1, read: groupsOf },
  { name: 'lsmt_log_sync_seconds', help: 'Time of the syncs of the logs and their journal', scale: 0.001, read: syncTimesOf },
]
