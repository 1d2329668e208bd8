/** Three whole nodes over real etcd: money moves between rows of all shards while leaders change and a node ends; whoever counts it, at whatever level, finds all of it. */
import { expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { until } from '../../until.ts'
import { describeEtcd, sharedEtcd } from '../etcd/server/etcd-server.ts'
import { freshCluster } from '../node/test-member.ts'
import { startServer } from './test-server.ts'
import type { TestServer } from './test-server.ts'

const accounts = 12, each = 100
const seconds = process.env['LSMT_TEST_FULL'] === '1' ? 60 : 4

/** Errors that say that nothing is known to be wrong, but that it is to be tried again. */
const passing: ReadonlySet<string> = new Set(['57P03', '40001', '40003', '08006', '55000'])

describeEtcd('money that moves in a cluster', () => {
  it('is never half moved', async () => {
    const place = { etcd: await sharedEtcd(), cluster: freshCluster() }
    const nodes = await Promise.all(['a', 'b', 'c'].map((name) => startServer(name, place)))
    await until(() => nodes.every(({ server }) => server.isReady()))
    await nodes[0]!.write('CREATE TABLE accounts (id INT PRIMARY KEY, balance INT)')
    await nodes[0]!.write(`INSERT INTO accounts VALUES ${Array.from({ length: accounts }, (_, id) => `(${id}, ${each})`).join()}`)
    const world: World = { nodes: [...nodes], isOver: false, moves: 0, counts: 0 }
    const work = [0, 1, 2, 3].map((worker) => move(world, worker)).concat([count(world, 'linearizable'), count(world, 'session'), count(world, 'stale')])
    const endMs = performance.now() + seconds * 1000
    for (let shard = 0; performance.now() < endMs; shard++) {
      await new Promise((resolve) => setTimeout(resolve, 400))
      await world.nodes[0]!.server.membership.operate.handOver(shard % 3).catch(refuseOthers)
    }
    const { moves } = world
    await world.nodes.pop()!.end()
    await until(() => world.moves > moves + 2, 90_000)
    world.isOver = true
    await Promise.all(work)
    for (const node of world.nodes) expect(await node.read('SELECT sum(balance), count(*) FROM accounts')).toEqual([[accounts * each, accounts]])
    expect(world.counts).toBeGreaterThan(10)
    expect(nodes.flatMap(({ fatal }) => fatal)).toEqual([])
  }, (seconds + 150) * 1000)
})

interface World {
  readonly nodes: TestServer[]
  isOver: boolean
  moves: number
  counts: number
}

async function move(world: World, worker: number): Promise<void> {
  for (let step = worker; !world.isOver; step += 7) {
    const from = step % accounts, to = (step * 5 + 1) % accounts
    const text = step % 2 === 0
      ? `UPDATE accounts SET balance = balance + CASE WHEN id = ${from} THEN -1 ELSE 1 END WHERE id IN (${from}, ${to}) AND ${from} <> ${to}`
      : `BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = ${from}; UPDATE accounts SET balance = balance + 1 WHERE id = ${to}; COMMIT`
    await world.nodes[step % world.nodes.length]!.write(text).then(() => world.moves++, refuseOthers)
  }
}

async function count(world: World, kind: 'linearizable' | 'session' | 'stale'): Promise<void> {
  for (let step = 0; !world.isOver; step++) {
    const node = world.nodes[step % world.nodes.length]!
    const consistency = kind === 'linearizable' ? { kind } : kind === 'session' ? { kind, token: node.server.token() } : { kind, maxMs: 2_000 }
    // All nodes share one thread here, and writers need theirs of it.
    await new Promise((resolve) => setTimeout(resolve, 15))
    const sums = await node.read('SELECT sum(balance) FROM accounts', consistency).catch(refuseOthers)
    if (sums === undefined) continue
    expect(sums, `${kind} on ${node.name}`).toEqual([[accounts * each]])
    world.counts++
  }
}

function refuseOthers(error: unknown): undefined {
  if (!(error instanceof LsmtError && passing.has(error.code))) throw error
}
