/** The flags of `lsmt serve` that are numbers: limits of clients, of memory, of patience, and of what is kept. */
import { Option } from 'commander'
import { defaultHttpLimits } from '../../http/guard/limits.ts'
import type { HttpLimits } from '../../http/guard/limits.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import type { DatabaseSettings } from '../../settings.ts'
import { bytesIn, integerIn, variableOf } from '../flags.ts'

/** Flags whose settings have their names, and those that have others since they would mislead on a command line. */
export interface LimitFlags extends HttpLimits, Pick<DatabaseSettings, 'kernelMemoryBytes' | 'queryMemoryBytesMax' | 'queriesMemoryBytesMax' | 'querySpillBytesMax' | 'idempotencyKeysMax' | 'idempotencyKeepMs' | 'followMs' | 'pinAfterMs' | 'logFlushMs' | 'logObjectBytes'> {
  /** Of the linear memory, for what is cached of files. */
  readonly cacheMemoryBytes: number
  readonly slowQueryMs: number
  readonly stopTimeoutMs: number
}

const defaults: LimitFlags = {
  ...defaultHttpLimits,
  ...defaultDatabaseSettings,
  cacheMemoryBytes: defaultDatabaseSettings.cacheBytesMax,
  slowQueryMs: 1_000,
  stopTimeoutMs: 10_000,
}

const MiB = 1024 * 1024, GiB = 1024 * MiB
const dayMs = 24 * 3_600_000

interface NumberFlag {
  readonly name: keyof LimitFlags
  readonly flag: string
  readonly unit: 'bytes' | 'n' | 'ms'
  readonly min: number
  readonly max: number
  readonly help: string
}

const flags: readonly NumberFlag[] = [
  { name: 'bodyBytesMax', flag: 'body-bytes-max', unit: 'bytes', min: 1024, max: 512 * MiB, help: 'of the body of a query' },
  { name: 'bodiesBytesMax', flag: 'bodies-bytes-max', unit: 'bytes', min: 1024, max: 64 * GiB, help: 'of all these bodies at a time' },
  { name: 'statementLengthMax', flag: 'statement-length-max', unit: 'n', min: 100, max: 512 * MiB, help: 'characters of the SQL of a query' },
  { name: 'headerBytesMax', flag: 'header-bytes-max', unit: 'bytes', min: 1024, max: MiB, help: 'of the headers of a request' },
  { name: 'headersMax', flag: 'headers-max', unit: 'n', min: 10, max: 10_000, help: 'headers of a request' },
  { name: 'connectionsMax', flag: 'connections-max', unit: 'n', min: 1, max: 1_000_000, help: 'connections at a time' },
  { name: 'queriesMax', flag: 'queries-max', unit: 'n', min: 1, max: 100_000, help: 'queries that run at a time' },
  { name: 'queueMax', flag: 'queue-max', unit: 'n', min: 0, max: 100_000, help: 'queries that wait for their turn; more are refused' },
  { name: 'statementTimeoutMs', flag: 'statement-timeout-ms', unit: 'ms', min: 0, max: dayMs, help: 'for the statements of a query and their answer; timeoutMs of a request may only shorten it; 0: no limit' },
  { name: 'headersTimeoutMs', flag: 'headers-timeout-ms', unit: 'ms', min: 10, max: dayMs, help: 'for the headers of a request to arrive' },
  { name: 'bodyTimeoutMs', flag: 'body-timeout-ms', unit: 'ms', min: 10, max: dayMs, help: 'for the body of a query to arrive' },
  { name: 'idleTimeoutMs', flag: 'idle-timeout-ms', unit: 'ms', min: 10, max: dayMs, help: 'of a connection between requests' },
  { name: 'stalledTimeoutMs', flag: 'stalled-timeout-ms', unit: 'ms', min: 10, max: dayMs, help: 'of a client that reads nothing of its answer' },
  { name: 'slowQueryMs', flag: 'slow-query-ms', unit: 'ms', min: 0, max: dayMs, help: 'queries that take longer are logged, by shape; 0: none' },
  { name: 'stopTimeoutMs', flag: 'stop-timeout-ms', unit: 'ms', min: 0, max: dayMs, help: 'for requests to end after SIGTERM, and again for the flush after them' },
  { name: 'kernelMemoryBytes', flag: 'kernel-memory-bytes', unit: 'bytes', min: 64 * MiB, max: 4 * GiB, help: 'of linear memory: memtables, cache, scratch' },
  { name: 'cacheMemoryBytes', flag: 'cache-memory-bytes', unit: 'bytes', min: MiB, max: 2 * GiB, help: 'of it for cached parts of files' },
  { name: 'queryMemoryBytesMax', flag: 'query-memory-bytes-max', unit: 'bytes', min: MiB, max: 64 * GiB, help: 'of rows that one query holds; more is spilled' },
  { name: 'queriesMemoryBytesMax', flag: 'queries-memory-bytes-max', unit: 'bytes', min: MiB, max: 64 * GiB, help: 'of those of all queries' },
  { name: 'querySpillBytesMax', flag: 'query-spill-bytes-max', unit: 'bytes', min: MiB, max: 1024 * 1024 * GiB, help: 'that one query may spill to disk' },
  { name: 'idempotencyKeysMax', flag: 'idempotency-keys-max', unit: 'n', min: 1, max: 1_000_000_000, help: 'newer keys after which an idempotency key may be forgotten' },
  { name: 'idempotencyKeepMs', flag: 'idempotency-keep-ms', unit: 'ms', min: 1_000, max: 366 * dayMs, help: 'after which an idempotency key may be forgotten' },
  { name: 'followMs', flag: 'follow-ms', unit: 'ms', min: 10, max: dayMs, help: 'between the looks of --read-only at what the writer has written; each takes two listings of the bucket' },
  { name: 'pinAfterMs', flag: 'pin-after-ms', unit: 'ms', min: 0, max: dayMs, help: 'after which a read of --read-only keeps its files from the writer, by a checkpoint, the one thing that it writes; 0: never' },
  { name: 'logFlushMs', flag: 'log-flush-ms', unit: 'ms', min: 0, max: 60_000, help: 'between two objects of a log in a bucket: each is a request that costs, and a write waits for the next' },
  { name: 'logObjectBytes', flag: 'log-object-bytes', unit: 'bytes', min: 1024, max: 256 * MiB, help: 'from which such an object takes no more records' },
]

export function limitOptions(): readonly Option[] {
  return flags.map(({ name, flag, unit, min, max, help }) =>
    new Option(`--${flag} <${unit}>`, help).env(variableOf(flag)).default(defaults[name]).argParser(unit === 'bytes' ? bytesIn(min, max) : integerIn(min, max)))
}

/** What the flags say of the database. */
export function limitSettings({ kernelMemoryBytes, cacheMemoryBytes, queryMemoryBytesMax, queriesMemoryBytesMax, querySpillBytesMax, idempotencyKeysMax, idempotencyKeepMs, followMs, pinAfterMs, logFlushMs, logObjectBytes }: LimitFlags): Partial<DatabaseSettings> {
  return { kernelMemoryBytes, cacheBytesMax: cacheMemoryBytes, queryMemoryBytesMax, queriesMemoryBytesMax, querySpillBytesMax, idempotencyKeysMax, idempotencyKeepMs, followMs, pinAfterMs, logFlushMs, logObjectBytes }
}
