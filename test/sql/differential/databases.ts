/** The databases that are compared: engines of every make, each with a cache of plans or without, and their states. */
import type { Engine } from '../../../src/engine/engine.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { KernelKind } from '../../../src/settings.ts'
import { createSql, defaultSqlSettings } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'

export interface Make {
  readonly kernels: KernelKind
  readonly shards: number
  readonly rowGroupBytes: number
  readonly memtableBytesMax: number
  readonly cachesPlans: boolean
  /** Little enough that whatever holds rows spills most of them. */
  readonly spills: boolean
}

const KiB = 1024

/** Every combination of kernels, shards, row group sizes, memtable sizes, plan caches and memory of queries. */
export const makes: readonly Make[] = (['wasm', 'js'] as const).flatMap((kernels) =>
  [1, 8].flatMap((shards) => [256, 64 * KiB].flatMap((rowGroupBytes) => [4 * KiB, 256 * KiB].flatMap((memtableBytesMax) => [true, false].flatMap((cachesPlans) => [true, false].map((spills) => ({ kernels, shards, rowGroupBytes, memtableBytesMax, cachesPlans, spills })))))),
)

/** Two makes that differ in everything. */
export function oppositeMakes(random: Random): readonly [Make, Make] {
  const at = random.below(makes.length)
  return [makes[at]!, makes[makes.length - 1 - at]!]
}

/** A handful of rows. */
export const spillingBytes = 1_024

export interface Database {
  readonly make: Make
  readonly engine: Engine
  readonly sql: Sql
}

export async function openDatabase(make: Make): Promise<Database> {
  const { kernels, shards, rowGroupBytes, memtableBytesMax, cachesPlans, spills } = make
  const engine = await openTestEngine(createMemoryStorage(), { kernels, shards, tree: { rowGroupBytes, memtableBytesMax } })
  return { make, engine, sql: createSql(engine, { ...defaultSqlSettings, ...(!cachesPlans && { planCacheEntriesMax: 0 }), ...(spills && { queryMemoryBytesMax: spillingBytes }) }) }
}

export function describeMake({ kernels, shards, rowGroupBytes, memtableBytesMax, cachesPlans, spills }: Make): string {
  return `${kernels} kernels, ${shards} shards, row groups of ${rowGroupBytes} bytes, memtables of ${memtableBytesMax} bytes, plans ${cachesPlans ? 'cached' : 'not cached'}, ${spills ? 'hardly any' : 'enough'} memory for queries`
}
