/** Coordinators that end at any step, or go on after their time, under writers that move money between rows of all shards and readers who count it. */
import { expect, test } from 'vitest'
import type { Coordinator } from '../../../src/cluster/engine/coordinator/coordinator.ts'
import { placeOf } from '../../../src/cluster/engine/reads/placed-snapshot.ts'
import type { Engine, EngineRow } from '../../../src/engine/engine.ts'
import type { ShardSnapshot } from '../../../src/engine/shards/shard-snapshot.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { LsmtError } from '../../../src/errors.ts'
import type { Snapshot } from '../../../src/lsm/tree.ts'
import { newTable } from '../../engine/engine-fixtures.ts'
import { createFakeCluster } from './fake-cluster.ts'
import type { FakeCluster } from './fake-cluster.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const seeds = process.env['LSMT_SEED'] === undefined ? Array.from({ length: isFull ? 300 : 12 }, (_, i) => 100 + i) : [Number(process.env['LSMT_SEED'])]
const accounts = 12, each = 100, shardCount = 3

interface Counter {
  acknowledged: number
  unknown: number
}

test.each(seeds)('no statement is seen half, lost or done twice, seed %i', async (seed) => {
  const cluster = createFakeCluster(shardCount, seed)
  const world: World = { cluster, terms: [], counters: new Map(), isOver: false, problems: [] }
  await newTerm(world)
  const engine = await current(world)
  const table = await engine.createTable(newTable('accounts', { id: 'bigint', balance: 'bigint', moves: 'bigint' }, ['id']))
  await engine.insert(table, Array.from({ length: accounts }, (_, id) => [id, each, 0]), 'insert')
  for (const shard of cluster.shards) {
    shard.trouble = 30
    shard.hasSlowViews = true
  }
  const work = [...Array.from({ length: 6 }, () => move(world)), ...Array.from({ length: 3 }, () => count(world, table, () => cluster.snapshot())), ...Array.from({ length: 2 }, () => count(world, table, () => cluster.nearSnapshot()))]
  for (let step = 0; step < 25; step++) {
    await turns(cluster.random.below(12))
    await trouble(world)
  }
  world.isOver = true
  await Promise.all(work)
  for (const shard of cluster.shards) shard.trouble = 0
  await newTerm(world)
  const rows = await (await current(world)).getMany(undefined, (await current(world)).table('accounts')!, Array.from({ length: accounts }, (_, id) => [id]), [0, 1, 2])
  expect(world.problems).toEqual([])
  expect(rows.reduce((sum, row) => sum + Number(row![1]), 0)).toBe(accounts * each)
  for (const row of rows) {
    const { acknowledged, unknown } = world.counters.get(Number(row![0])) ?? { acknowledged: 0, unknown: 0 }
    expect(Number(row![2]), `account ${String(row![0])}`).toBeGreaterThanOrEqual(acknowledged)
    expect(Number(row![2]), `account ${String(row![0])}`).toBeLessThanOrEqual(acknowledged + unknown)
  }
  await Promise.all(world.terms.map((term) => term.end()))
})

interface World {
  readonly cluster: FakeCluster
  readonly terms: Coordinator[]
  readonly counters: Map<number, Counter>
  readonly problems: string[]
  isOver: boolean
}

/** Another node coordinates; the one before is told now, later, or never. */
async function newTerm({ cluster, terms }: World): Promise<void> {
  const before = terms.at(-1)
  if (before !== undefined && cluster.random.below(3) === 0) await before.end()
  cluster.shards[0]!.changeLeader()
  terms.push(cluster.coordinate())
  if (before !== undefined && cluster.random.below(2) === 0) void before.end()
}

async function current({ terms }: World): Promise<Engine> {
  for (;;) {
    const term = terms.at(-1)!
    try {
      return await term.ready
    } catch (error) {
      if (!term.over.aborted) throw error
      await turns(1)
    }
  }
}

async function trouble(world: World): Promise<void> {
  const { cluster: { random, shards } } = world
  const fate = random.below(4)
  // All at once: what was on its way is lost in some shards, and nobody is left who knows of it.
  if (fate === 0) for (const shard of shards.slice(1)) shard.changeLeader()
  if (fate < 2) await newTerm(world)
  else shards[1 + random.below(shardCount - 1)]!.changeLeader()
}

async function move(world: World): Promise<void> {
  const { cluster: { random }, counters } = world
  while (!world.isOver) {
    // Now and then somebody who still believes that an earlier node coordinates.
    const engine = random.below(6) === 0 ? (world.terms[random.below(world.terms.length)]!.engine ?? (await current(world))) : await current(world)
    const [from, to] = [random.below(accounts), random.below(accounts)]
    const counted = [...new Set([from, to])]
    const note = (field: keyof Counter): void => {
      for (const id of counted) {
        const counter = counters.get(id) ?? { acknowledged: 0, unknown: 0 }
        counters.set(id, { ...counter, [field]: counter[field] + 1 })
      }
    }
    try {
      const table = engine.table('accounts')!
      const moved = ([id, balance, moves]: EngineRow): EngineRow => [id!, Number(balance) + (from === to ? 0 : id === from ? -5 : 5), Number(moves) + 1]
      if (random.below(3) === 0) await inTransaction(engine, table, counted, moved)
      else await engine.update(table, counted.map((id) => [id]), moved)
      note('acknowledged')
    } catch (error) {
      if (!(error instanceof LsmtError)) throw error
      if (error.code === '40003') note('unknown')
      else if (error.code !== '57P03') world.problems.push(`${error.code} ${error.message}`)
    }
    await turns(1)
  }
}

async function inTransaction(engine: Engine, table: TableSchema, ids: readonly number[], change: (row: EngineRow) => EngineRow): Promise<void> {
  const transaction = await engine.begin(() => [table])
  try {
    for (const id of ids) await transaction.update(table, [[id]], change)
    await transaction.commit()
  } finally {
    transaction.rollback()
  }
}

/** A reader on another node: what it sees adds up, and balances of the shards are of one moment. */
async function count(world: World, table: TableSchema, take: () => ShardSnapshot): Promise<void> {
  while (!world.isOver) {
    world.cluster.shards[world.cluster.random.below(shardCount)]!.follow()
    const snapshot = take()
    try {
      await snapshot.ready
      const sums = await Promise.all(snapshot.shards!.map((shard) => sumOf(shard, table)))
      const sum = sums.reduce((total, value) => total + value, 0)
      if (sum !== accounts * each) world.problems.push(`a reader saw ${sum} instead of ${accounts * each}`)
    } catch (error) {
      if (!(error instanceof LsmtError && error.code === '40001')) throw error
    } finally {
      snapshot.release()
    }
    await turns(1)
  }
}

async function sumOf(snapshot: Snapshot, { tableId }: TableSchema): Promise<number> {
  const { tree, inner } = placeOf(snapshot)
  const [partial] = await tree.aggregate(inner, { tableId, columns: [], predicate: [] }, [{ function: 'sum', ordinal: 1 }])
  return partial?.kind === 'sumI64' ? Number(partial.sum) : 0
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn <= count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
