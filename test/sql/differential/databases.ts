/** The databases that are compared: engines of every make, each with a cache of plans or without, and their states. */
import type { Engine } from '../../../src/engine/engine.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { KernelKind } from '../../../src/settings.ts'
import { createSql, defaultSqlSettings } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'
import type { TestSettings } from '../../engine/open-test-engine.ts'
import { temporaryDirectory } from '../../storage/temporary-directory.ts'

export interface Make {
  readonly kernels: KernelKind
  readonly shards: number
  readonly rowGroupBytes: number
  readonly memtableBytesMax: number
  readonly cachesPlans: boolean
  /** Worker threads, for which the database lies on disk; without them in memory. */
  readonly workers: 0 | 2
  /** Reader threads that take part in every scan of row groups. */
  readonly readers: 0 | 2
  /** Little enough that whatever holds rows spills most of them. */
  readonly spills: boolean
}

const KiB = 1024

/** Two makes that differ in everything. */
export function oppositeMakes(random: Random): readonly [Make, Make] {
  const bits = random.below(2 ** 8)
  return [makeOf(bits), makeOf(~bits)]
}

/** Each bit decides one thing. */
function makeOf(bits: number): Make {
  const either = <T>(bit: number, a: T, b: T): T => ((bits >> bit) & 1 ? a : b)
  return {
    kernels: either<KernelKind>(0, 'wasm', 'js'),
    shards: either(1, 1, 8),
    rowGroupBytes: either(2, 256, 64 * KiB),
    memtableBytesMax: either(3, 4 * KiB, 256 * KiB),
    cachesPlans: either(4, true, false),
    spills: either(5, true, false),
    workers: either<0 | 2>(6, 0, 2),
    readers: either<0 | 2>(7, 0, 2),
  }
}

/** A handful of rows. */
export const spillingBytes = 1_024

export interface Database {
  /** For who reads of a difference. */
  readonly description: string
  readonly cachesPlans: boolean
  /** For reads that are asked of it directly. */
  readonly engine: Engine
  readonly sql: Pick<Sql, 'query'>
  flush(): Promise<void>
  compact(): Promise<void>
  close(): Promise<void>
}

export async function openDatabase(make: Make): Promise<Database> {
  const { kernels, shards, rowGroupBytes, memtableBytesMax, cachesPlans, spills, workers, readers } = make
  const settings: TestSettings = { kernels, shards, workers, readers, readerRowsMin: 0, durability: 'memory', tree: { rowGroupBytes, rowGroupGrowthMax: 4, memtableBytesMax } }
  const engine = workers === 0 ? await openTestEngine(createMemoryStorage(), settings) : await openOnDisk(settings)
  const sql = createSql(engine, { ...defaultSqlSettings, ...(!cachesPlans && { planCacheEntriesMax: 0 }), ...(spills && { queryMemoryBytesMax: spillingBytes }) })
  return { description: describeMake(make), cachesPlans, engine, sql, flush: () => engine.flush(), compact: () => engine.compact(), close: () => engine.close() }
}

/** Closing the engine removes its directory. */
async function openOnDisk(settings: TestSettings): Promise<Engine> {
  const { path, remove } = temporaryDirectory()
  const storage = await openLocalStorage(path)
  const engine = await openTestEngine(storage, settings, path)
  const { close } = engine
  return Object.assign(engine, { close: async () => { await close(); await storage.close(); remove() } })
}

function describeMake({ kernels, shards, rowGroupBytes, memtableBytesMax, cachesPlans, spills, workers, readers }: Make): string {
  return `${kernels} kernels, ${shards} shards, row groups of ${rowGroupBytes} bytes, memtables of ${memtableBytesMax} bytes, plans ${cachesPlans ? 'cached' : 'not cached'}, ${spills ? 'hardly any' : 'enough'} memory for queries, ${workers} workers, ${readers} readers`
}
