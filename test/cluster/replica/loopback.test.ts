/** Replicas over real trees that speak to each other by the real transport. */
import { expect, it } from 'vitest'
import { until } from '../../until.ts'
import { realShard } from './real-shard.ts'
import type { RealNode, RealShard } from './real-shard.ts'

const changes = (from: number, to: number, text: string): ReadonlyMap<number, string> => new Map(Array.from({ length: to - from }, (_, i) => [from + i, `${text} ${from + i}`]))

async function begin(): Promise<RealShard> {
  const shard = realShard(['n1', 'n2'])
  for (const name of ['n1', 'n2', 'n3']) await shard.start(name)
  await shard.write(changes(0, 5, 'first'), { defines: true })
  return shard
}

const isMember = (shard: RealShard, store: string): boolean => shard.configuration().members.some((member) => member.store === store)
const other = (shard: RealShard, { name }: RealNode): RealNode => shard.node(name === 'n1' ? 'n2' : 'n1')

it('keeps two copies, and goes on with the spare when one is lost', async () => {
  const shard = await begin()
  const first = await shard.opened(), second = other(shard, first)
  expect(first.replica.status()).toMatchObject({ role: 'leader', isReady: true, copies: 2, commitSequence: 6, visibleSequence: 6, peers: [{ node: second.name, lag: 0 }] })
  expect(await first.rows()).toEqual(changes(0, 5, 'first'))
  await until(() => second.replica.tree.visibleSequence === 6)
  expect(await second.rows()).toEqual(changes(0, 5, 'first'))
  await shard.kill(first.name)
  await shard.write(changes(5, 10, 'second'))
  expect(isMember(shard, 'n3-1')).toBe(true)
  await until(() => shard.node('n3').replica.tree.visibleSequence === 11)
  expect(await shard.node('n3').rows()).toEqual(new Map([...changes(0, 5, 'first'), ...changes(5, 10, 'second')]))
})

it('gives files to one that lacks what the log no longer has, and then the rest of the log', async () => {
  const shard = await begin()
  for (let i = 0; i < 40; i++) await shard.write(changes(10 * i, 10 * i + 10, 'x'.repeat(100)))
  const first = await shard.opened(), second = other(shard, first)
  for (const { replica } of [first, second]) await replica.tree.flush()
  await until(() => [first, second].every(({ replica }) => replica.status().flushedSequence > 300))
  await shard.kill(second.name)
  await shard.write(changes(1_000, 1_010, 'later'))
  const spare = shard.node('n3')
  expect(spare.lines.filter((line) => line.includes('are here'))).toHaveLength(1)
  await until(() => spare.replica.tree.visibleSequence === first.replica.tree.visibleSequence)
  expect(await spare.rows()).toEqual(await first.rows())
  expect((await spare.rows())!.size).toBe(410)
})

it('takes back a member with its old disk, and one with an empty disk as another one', async () => {
  const shard = await begin()
  const first = await shard.opened(), second = other(shard, first)
  await shard.kill(second.name)
  const again = await shard.start(second.name)
  await shard.write(changes(5, 6, 'with its disk'))
  await until(() => again.replica.tree.visibleSequence === 7)
  expect(await again.rows()).toEqual(new Map([...changes(0, 5, 'first'), ...changes(5, 6, 'with its disk')]))
  await shard.kill(second.name)
  await shard.kill('n3')
  shard.wipe(second.name)
  const empty = await shard.start(second.name)
  expect(empty.replica.store).not.toBe(`${second.name}-1`)
  await shard.write(changes(6, 7, 'with an empty disk'))
  expect(isMember(shard, empty.replica.store)).toBe(true)
  await until(() => empty.replica.tree.visibleSequence === 8)
  expect(await empty.rows()).toEqual(await shard.node(first.name).rows())
})

it('reads by every level', async () => {
  const shard = await begin()
  const first = await shard.opened(), second = other(shard, first)
  expect(first.replica.mayServe()).toBe(true)
  const { deadlineMs } = await first.replica.read({ kind: 'lease' })
  expect(deadlineMs).toBeGreaterThan(performance.now())
  expect(await first.replica.read({ kind: 'linearizable' })).toEqual({ deadlineMs: Infinity })
  await until(() => second.replica.tree.visibleSequence === 6)
  expect(await second.replica.read({ kind: 'session', afterSequence: 6 })).toEqual({ deadlineMs: Infinity })
  expect((await second.replica.read({ kind: 'stale', staleMsMax: 20_000 })).deadlineMs).toBeGreaterThan(performance.now())
  await expect(second.replica.read({ kind: 'lease' })).rejects.toMatchObject({ code: '57P03' })
  await expect(second.replica.read({ kind: 'session', afterSequence: 99 })).rejects.toMatchObject({ code: '57P03' })
  await expect(first.replica.read({ kind: 'lease' }, 99)).rejects.toMatchObject({ code: '57P03' })
})

it('hands over when it is asked to', async () => {
  const shard = await begin()
  const first = await shard.opened(), second = other(shard, first)
  await first.replica.resign()
  await until(() => second.replica.status().isReady)
  await shard.write(changes(5, 6, 'at another leader'))
  expect(await shard.node(second.name).rows()).toEqual(new Map([...changes(0, 5, 'first'), ...changes(5, 6, 'at another leader')]))
})
