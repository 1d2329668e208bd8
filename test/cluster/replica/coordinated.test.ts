/** What a coordinator may rely on: fencing, places in the log, releases. */
import { expect, it } from 'vitest'
import { configStore } from '../simulation/config-store.ts'
import type { Disk } from '../simulation/disk.ts'
import type { Network } from '../simulation/network.ts'
import { beginShard, write } from './scenario.ts'
import type { Shard } from './scenario.ts'

const placesOf = ({ log }: Disk): readonly (readonly number[])[] => log.map(({ lastSequence, epoch }) => [lastSequence, epoch])

/** Its outcome is asked for later, or never. */
function unawaited<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

async function beginOpened(): Promise<Shard> {
  const shard = await beginShard()
  expect(await shard.outcome(shard.of(shard.first).replica.open(1))).toMatchObject({ lastSequence: 0, flushedSequence: 0, epoch: 1, parts: [] })
  return shard
}

it('takes writes of the coordinator that has opened it, and of nobody else', async () => {
  const shard = await beginShard()
  const { replica, rows } = shard.of(shard.first)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'too early'), 'committed'))).toEqual({ kind: 'notReady' })
  expect(await shard.outcome(replica.open(1))).toMatchObject({ lastSequence: 0 })
  expect(await shard.outcome(replica.append(1, 1, write(1, 'a'), 'visible'))).toEqual({ copies: 2 })
  expect(rows.value('k')).toBe('a')
  expect(await shard.outcome(shard.of(shard.second).replica.append(1, 3, write(3, 'b'), 'visible'))).toEqual({ kind: 'notLeader', leader: shard.first.name })
})

it('hears an older coordinator no more once a newer one has opened it, and neither one that etcd does not know', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'a'), 'committed'))).toEqual({ copies: 2 })
  shard.zeroEpoch = 4
  expect(await shard.outcome(replica.open(3))).toEqual({ kind: 'fenced', epoch: 4 })
  expect(await shard.outcome(replica.append(1, 3, write(3, 'still heard'), 'committed'))).toEqual({ copies: 2 })
  expect(await shard.outcome(replica.open(4))).toMatchObject({ lastSequence: 4 })
  expect(await shard.outcome(replica.append(1, 5, write(5, 'late'), 'committed'))).toEqual({ kind: 'fenced', epoch: 4 })
  expect(await shard.outcome(replica.release(1, 4, 0))).toEqual({ kind: 'fenced', epoch: 4 })
  expect(await shard.outcome(replica.open(1))).toEqual({ kind: 'fenced', epoch: 4 })
  expect(await shard.outcome(replica.append(4, 5, write(5, 'mine'), 'visible'))).toEqual({ copies: 2 })
  expect(shard.of(shard.first).rows.value('k')).toBe('mine')
})

it('tells what waits for an older coordinator that it is fenced, and lets the newer one find it', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  shard.network.cutBoth(shard.first.name, shard.second.name)
  const late = unawaited(replica.append(1, 1, write(1, 'a'), 'committed'))
  shard.zeroEpoch = 2
  const opening = replica.open(2)
  expect(await shard.outcome(late)).toEqual({ kind: 'fenced', epoch: 2 })
  shard.network.healAll()
  expect(await shard.outcome(opening)).toMatchObject({ lastSequence: 2 })
})

it('takes a write once, however often and in which order it is offered', async () => {
  const shard = await beginOpened()
  const { replica, rows } = shard.of(shard.first)
  expect(await shard.outcome(replica.append(1, 3, write(3, 'b'), 'committed'))).toEqual({ kind: 'gap', expectedSequence: 1 })
  const asked = [1, 3, 1, 3].map((baseSequence) => replica.append(1, baseSequence, write(baseSequence, `at ${baseSequence}`), 'visible'))
  expect(await shard.outcome(Promise.all(asked))).toEqual(Array.from({ length: 4 }, () => ({ copies: 2 })))
  expect(replica.status()).toMatchObject({ durableSequence: 4, commitSequence: 4, visibleSequence: 4 })
  expect(rows.value('k')).toBe('at 3')
})

it('refuses batches that are none, or that overlap what is there', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  await expect(shard.outcome(replica.append(1, 1, new Uint8Array(30), 'committed'))).rejects.toMatchObject({ code: 'XX001' })
  expect(await shard.outcome(replica.append(1, 1, write(1, 'a'), 'committed'))).toEqual({ copies: 2 })
  await expect(shard.outcome(replica.append(1, 2, write(2, 'b'), 'committed'))).rejects.toMatchObject({ code: '08P01' })
  await expect(shard.outcome(replica.append(1, 3, write(3, 'x'.repeat(1_100_000)), 'committed'))).rejects.toMatchObject({ code: '54000' })
})

it('lets a failover pass unseen: what was not acknowledged is offered again, and is there once', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'a'), 'visible'))).toEqual({ copies: 2 })
  // The second write reaches the other member, whose answer is lost; the third one does not.
  shard.network.cut(shard.second.name, shard.first.name)
  void unawaited(replica.append(1, 3, write(3, 'b'), 'visible'))
  await shard.run(20)
  shard.network.cutBoth(shard.first.name, shard.second.name)
  void unawaited(replica.append(1, 5, write(5, 'c'), 'visible'))
  await shard.run(10)
  shard.first.crash()
  await shard.until(() => shard.leader() === shard.second)
  const next = shard.of(shard.second)
  expect(await shard.outcome(next.replica.append(1, 3, write(3, 'b'), 'visible'))).toEqual({ kind: 'notReady' })
  shard.network.healAll()
  expect(await shard.outcome(next.replica.open(1))).toMatchObject({ lastSequence: 4, epoch: 2 })
  const again = [3, 5].map((baseSequence) => next.replica.append(1, baseSequence, write(baseSequence, baseSequence === 3 ? 'b' : 'c'), 'visible'))
  expect(await shard.outcome(Promise.all(again))).toEqual([{ copies: 2 }, { copies: 2 }])
  expect(next.replica.status()).toMatchObject({ commitSequence: 6 })
  // The spare took the place of the one that is gone.
  for (const { disk } of [shard.second, shard.spare]) expect(placesOf(disk)).toEqual([[2, 1], [4, 1], [6, 2]])
})

it('cuts off what a leader that was left alone had taken', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'a'), 'visible'))).toEqual({ copies: 2 })
  shard.cutOff(shard.first, [shard.second, configStore])
  const alone = unawaited(replica.append(1, 3, write(3, 'alone'), 'visible'))
  await shard.until(() => shard.second.state?.role.kind === 'leader')
  shard.network.healAll()
  const refusal = await shard.outcome(alone)
  expect(refusal).toMatchObject({ kind: 'notLeader' })
  expect(refusal).not.toHaveProperty('leader', shard.first.name)
  const next = shard.of(shard.second).replica
  expect(await shard.outcome(next.open(1))).toMatchObject({ lastSequence: 2, epoch: 2 })
  expect(await shard.outcome(next.append(1, 3, write(3, 'together'), 'visible'))).toEqual({ copies: 2 })
  await shard.until(() => shard.of(shard.first).rows.value('k') === 'together')
  expect(placesOf(shard.first.disk)).toEqual([[2, 1], [4, 2]])
})

it('shows a part, and what stands behind it, when it is released; followers hear of it', async () => {
  const shard = await beginOpened()
  const { replica, rows } = shard.of(shard.first), other = shard.of(shard.second)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'part', true), 'committed'))).toEqual({ copies: 2 })
  const behind = replica.append(1, 3, write(3, 'behind'), 'visible')
  await shard.run(100)
  expect([rows.applied, other.rows.applied, replica.mayServe()]).toEqual([0, 0, false])
  let isRead = false
  const read = replica.read({ kind: 'linearizable' }).then(() => (isRead = true))
  await shard.run(20)
  expect(isRead).toBe(false)
  expect(await shard.outcome(replica.release(1, 9, 0))).toEqual({ kind: 'gap', expectedSequence: 5 })
  await shard.outcome(replica.release(1, 2, 0))
  expect([await shard.outcome(behind), rows.value('k'), replica.mayServe()]).toEqual([{ copies: 2 }, 'behind', true])
  expect(await shard.outcome(read)).toBe(true)
  await shard.until(() => other.rows.applied === 4)
})

it('repeats what is released until a follower that heard nothing of it knows', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'part', true), 'committed'))).toEqual({ copies: 2 })
  shard.network.cutBoth(shard.first.name, shard.second.name)
  await shard.outcome(replica.release(1, 2, 2))
  await shard.run(30)
  expect(shard.of(shard.second).rows.applied).toBe(0)
  shard.network.healAll()
  await shard.until(() => shard.of(shard.second).rows.applied === 2)
})

it('forgets who has opened it when it leads anew', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  await shard.outcome(replica.resign())
  await shard.until(() => shard.leader() === shard.second)
  shard.zeroEpoch = 2
  const next = shard.of(shard.second).replica
  expect(await shard.outcome(next.open(2))).toMatchObject({ epoch: 2 })
  expect(await shard.outcome(next.append(2, 1, write(1, 'a'), 'visible'))).toEqual({ copies: 2 })
  await shard.outcome(next.resign())
  await shard.until(() => shard.leader() === shard.first)
  expect(await shard.outcome(replica.append(1, 3, write(3, 'late'), 'committed'))).toEqual({ kind: 'notReady' })
  expect(await shard.outcome(replica.open(1))).toEqual({ kind: 'fenced', epoch: 2 })
})

it('sends what one turn appends as one message, and writes it as one', async () => {
  const shard = await beginOpened()
  const { replica } = shard.of(shard.first)
  await shard.run(50)
  let messages = 0, writes = 0
  const network = shard.network as { send: Network['send'] }, disk = shard.first.disk as { request: Disk['request'] }
  const { send } = network, { request } = disk
  network.send = (from, to, arrive) => {
    if (from === shard.first.name && to === shard.second.name) messages++
    send(from, to, arrive)
  }
  disk.request = (carryOut, done) => {
    writes++
    request(carryOut, done)
  }
  const appends = Array.from({ length: 64 }, (_, i) => replica.append(1, 1 + 2 * i, write(1 + 2 * i, `${i}`), 'visible'))
  await shard.run(1)
  expect([messages, writes]).toEqual([1, 1])
  expect(await shard.outcome(Promise.all(appends))).toHaveLength(64)
})

it('ends when its disk fails: who waits is told, and nothing is served', async () => {
  const shard = await beginOpened()
  const { replica, fail } = shard.of(shard.first)
  const waiting = unawaited(replica.append(1, 1, write(1, 'a'), 'visible'))
  fail(new Error('sync failed'))
  expect(await shard.outcome(waiting)).toMatchObject({ kind: 'notLeader' })
  expect(shard.fatal).toEqual([new Error('sync failed')])
  expect(replica.mayServe()).toBe(false)
  expect(await shard.outcome(replica.read({ kind: 'lease' }))).toEqual({ kind: 'notReady' })
})

it('stops for good, and says why, when another replica says what cannot be', async () => {
  const shard = await beginOpened()
  const { replica, receive } = shard.of(shard.first)
  const self = { node: shard.first.name, store: shard.first.disk.store }, from = { node: shard.second.name, store: shard.second.disk.store }
  receive({ kind: 'appended', from, to: self, epoch: 1, matchSequence: 99, round: 0, sentAt: { incarnation: 1, atMs: 0 }, isAsking: false })
  expect(replica.status()).toMatchObject({ role: 'follower', halted: expect.stringContaining('up to 99') })
  expect(replica.mayServe()).toBe(false)
  expect(await shard.outcome(replica.append(1, 1, write(1, 'a'), 'visible'))).toMatchObject({ kind: 'notLeader' })
  expect(await shard.outcome(replica.read({ kind: 'session', afterSequence: 0 }))).toMatchObject({ kind: 'notLeader' })
  shard.expectViolations(1)
})
