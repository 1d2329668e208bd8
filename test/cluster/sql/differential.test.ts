/**
 * Random queries at a node of a cluster that does not coordinate writes, over what was written by random statements and transactions, flushed and
 * compacted on the nodes that keep it: the answers are SQLite's. `LSMT_SEED=n` replays one world.
 */
import { expect, it } from 'vitest'
import type { Random } from '../../../src/runtime/random.ts'
import type { KernelKind } from '../../../src/settings.ts'
import { createSql, defaultSqlSettings } from '../../../src/sql/sql.ts'
import { openModelEngine } from '../../engine/model-engine.ts'
import { spillingBytes } from '../../sql/differential/databases.ts'
import type { Database } from '../../sql/differential/databases.ts'
import { supportedFeatures } from '../../sql/differential/features.ts'
import { runWorld } from '../../sql/differential/world.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import { dropTables, startSqlCluster } from './sql-cluster.ts'
import type { ReadsAt, SqlCluster } from './sql-cluster.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const queryCountMin = isFull ? 4_000 : 150
const oneSeed = process.env['LSMT_SEED']
const firstSeed = isFull ? Date.now() % 1_000_000_000 : 1
const failuresShown = 12

describeEtcd('queries in a cluster', () => {
  it.each<[ReadsAt, KernelKind]>([['empty', 'wasm'], ['leader', 'js']])('agree with SQLite, at a node that is %s, %s kernels', async (readsAt, kernels) => {
    const cluster = await startSqlCluster({ kernels, tree: { memtableBytesMax: 4_096, rowGroupBytes: 256 } }, readsAt)
    const features = await supportedFeatures(createSql(openModelEngine()))
    const failures: string[] = []
    let queryCount = 0
    for (let seed = oneSeed === undefined ? firstSeed : Number(oneSeed); queryCount < (oneSeed === undefined ? queryCountMin : 1) && failures.length < failuresShown; seed++) {
      const result = await runWorld(seed, features, async (random) => [databaseOver(cluster, random)])
      queryCount += result.queryCount
      failures.push(...result.failures)
    }
    expect(failures.slice(0, failuresShown).join('\n\n'), `${failures.length} differences in ${queryCount} queries`).toBe('')
  })
})

function databaseOver(cluster: SqlCluster, random: Random): Database {
  const [cachesPlans, spills] = [random.below(2) === 0, random.below(2) === 0]
  const { query } = cluster.withSettings({ ...defaultSqlSettings, ...(!cachesPlans && { planCacheEntriesMax: 0 }), ...(spills && { queryMemoryBytesMax: spillingBytes }) })
  return {
    description: `a cluster, plans ${cachesPlans ? 'cached' : 'not cached'}, ${spills ? 'hardly any' : 'enough'} memory for queries`,
    cachesPlans, engine: cluster.reader.server.engine, sql: { query }, flush: cluster.flush, compact: cluster.compact, close: () => dropTables(cluster),
  }
}
