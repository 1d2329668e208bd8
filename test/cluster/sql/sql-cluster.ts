/**
 * SQL over three nodes as a client of one of them sees it: what writes runs where writes are coordinated, all else at
 * another node. One node keeps no copy of any shard, so that everything that is read there comes from others.
 */
import type { QueryOptions, Sql } from '../../../src/sql/sql.ts'
import { createSql, defaultSqlSettings } from '../../../src/sql/sql.ts'
import type { SqlSettings } from '../../../src/sql/sql.ts'
import type { MembershipSettings } from '../../../src/cluster/node/settings.ts'
import type { ReplicationTiming } from '../../../src/cluster/replication/timing.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { onlyReads } from '../../../src/sql/run/reading-only.ts'
import type { SqlParameters } from '../../../src/sql/slot.ts'
import type { TestSettings } from '../../engine/open-test-engine.ts'
import { until } from '../../until.ts'
import { startServer } from '../engine/test-server.ts'
import type { TestServer } from '../engine/test-server.ts'
import { sharedEtcd } from '../etcd/server/etcd-server.ts'
import { freshCluster, testSettings as testMembership } from '../node/test-member.ts'

export interface SqlCluster extends Pick<Sql, 'query'> {
  readonly keepers: readonly TestServer[]
  readonly reader: TestServer
  /** The same with other settings: as another program would be that asks the same nodes. */
  withSettings(settings: SqlSettings): Pick<Sql, 'query'>
  /** Where writes run now. */
  coordinating(): Promise<Engine>
  /** All copies of all shards. */
  flush(): Promise<void>
  compact(): Promise<void>
}

export const shardCount = 3

/** No node dies here, and none is to be taken for dead because the machine is busy. */
const membership: Partial<MembershipSettings> = { leaseSeconds: 30 }

/** Which node reads: one that keeps nothing, or one that leads some shards. */
export type ReadsAt = 'empty' | 'leader'

/** Ends with the test. */
export async function startSqlCluster(settings: TestSettings = {}, readsAt: ReadsAt = 'empty', timing?: ReplicationTiming): Promise<SqlCluster> {
  const place = { etcd: await sharedEtcd(), cluster: freshCluster(), settings, ...(timing !== undefined && { timing }), membership, shardCount }
  const nodes = await Promise.all(['a', 'b', 'c'].map((name) => startServer(name, place)))
  const [keepers, empty] = [nodes.slice(0, 2), nodes[2]!]
  await until(() => nodes.every(({ server }) => server.isReady()))
  await empty.server.membership.operate.drain(empty.name)
  await until(() => shards.every((shard) => empty.server.membership.replica(shard) === undefined) && keepers.every(({ name }) => leadersOf(empty).includes(name)))
  await untilStill(empty)
  const reader = readsAt === 'empty' ? empty : keepers.find(({ name, server }) => server.membership.leaderOf(0) !== name)!

  const coordinating = async (): Promise<Engine> => {
    for (const { server } of keepers) {
      const at = await server.coordinator(10_000)
      if (at.kind === 'here') return at.engine
    }
    throw new Error('nobody coordinates')
  }
  const withSettings = (sqlSettings: SqlSettings): Pick<Sql, 'query'> => {
    const reading = createSql(reader.server.engine, sqlSettings)
    let writing: { readonly engine: Engine; readonly sql: Sql } | undefined
    return {
      async query(text: string, parameters?: SqlParameters, options?: QueryOptions) {
        if (onlyReads(reading.prepare(text).statements)) return await reading.query(text, parameters, options)
        const engine = await coordinating()
        if (writing?.engine !== engine) writing = { engine, sql: reading.over(engine) }
        return await writing.sql.query(text, parameters, options)
      },
    }
  }
  const everywhere = async (step: 'flush' | 'compact'): Promise<void> => {
    await Promise.all(keepers.flatMap(({ server }) => shards.map((shard) => server.membership.replica(shard)!.tree[step]())))
  }
  return { keepers, reader, coordinating, withSettings, flush: () => everywhere('flush'), compact: () => everywhere('compact'), ...withSettings(defaultSqlSettings) }
}

const shards = Array.from({ length: shardCount }, (_, shard) => shard)
const leadersOf = ({ server }: TestServer): readonly (string | undefined)[] => shards.map((shard) => server.membership.leaderOf(shard))

/** Plans move leaders until both nodes lead as many as they should. */
async function untilStill(node: TestServer): Promise<void> {
  for (let before = '', now = leadersOf(node).join(); before !== now; now = leadersOf(node).join()) {
    before = now
    await new Promise((resolve) => setTimeout(resolve, 3 * testMembership.planEveryMs))
  }
}

/** As a database is when it is new. */
export async function dropTables({ query, coordinating }: SqlCluster): Promise<void> {
  const names = (await coordinating()).tables().map(({ name }) => name)
  for (const name of names) await query(name === 'kv' ? 'DELETE FROM kv' : `DROP TABLE "${name}"`)
}
