/** Memberships with real replicas: rows written through leaders stay there as nodes come, drain, die and return. */
import { expect, it } from 'vitest'
import type { ReplicaOptions, PeerReplica } from '../../../src/cluster/replica/replica-options.ts'
import { openReplica } from '../../../src/cluster/replica/open-replica.ts'
import { createPeerServices } from '../../../src/cluster/replica/peer-services.ts'
import { installFiles } from '../../../src/lsm/replicated/install-files.ts'
import { openReplicatedTree } from '../../../src/lsm/replicated/open-replicated-tree.ts'
import { LsmtError } from '../../../src/errors.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { batchOf, replicaOptions, rowsOf } from '../../lsm/replicated/replica-fixture.ts'
import { until } from '../../until.ts'
import { patientTiming } from '../replica/patient-timing.ts'
import { describeEtcd, sharedEtcd } from '../etcd/server/etcd-server.ts'
import { areAllLed, freshCluster, newDisk, startMemberOf } from './test-member.ts'
import type { MemberOptions, ReplicaKind, TestMember } from './test-member.ts'

const MiB = 1024 * 1024
const kernel = openTestKernel('js', 64 * MiB)

const realReplicas = (failures: unknown[]): ReplicaKind<PeerReplica> => ({
  services: createPeerServices,
  open(shard, host, { storage, transport, log, membership }) {
    const floor = { storage, kernel, shard }
    const trees: ReplicaOptions['trees'] = {
      open: (events) => openReplicatedTree({ ...replicaOptions(kernel, storage, { shard }), onVisible: events.onVisible, onTrimmed: events.onTrimmed, onFailure: events.onFailure }),
      install: (received) => installFiles(floor, received),
    }
    return openReplica({ shard, host, trees, transport, timing: patientTiming, clock: systemClock, alarms: systemAlarms, log, batchBytesMax: MiB, readShardZeroEpoch: () => membership().readShardZeroEpoch(), fatal: (error) => failures.push(error) })
  },
})

type Real = TestMember<PeerReplica>

interface Led {
  readonly replica: PeerReplica
  readonly c: number
  readonly lastSequence: number
}

/** Whoever leads a shard, opened by the coordinator of now; asked again while leaders change. */
async function withLeader<T>(nodes: readonly Real[], shard: number, run: (led: Led) => Promise<T>): Promise<T> {
  for (const endMs = performance.now() + 60_000; ; ) {
    await until(() => areAllLed(nodes, 2))
    const leader = nodes.find(({ membership }) => membership.replica(shard)?.status().isReady === true)?.membership
    try {
      if (leader === undefined) continue
      const replica = leader.replica(shard)!, c = await leader.readShardZeroEpoch()
      return await run({ replica, c, lastSequence: (await replica.open(c)).lastSequence })
    } catch (error) {
      if (!(error instanceof LsmtError) || !['57P03', '55000'].includes(error.code) || performance.now() > endMs) throw error
    }
  }
}

/** Each batch has its place, so that one that is offered twice is there once. */
async function append(nodes: readonly Real[], shard: number, batches: readonly Uint8Array[]): Promise<void> {
  const first = await withLeader(nodes, shard, async ({ lastSequence }) => lastSequence + 1)
  let done = 0
  await withLeader(nodes, shard, async ({ replica, c }) => {
    for (; done < batches.length; done++) await replica.append(c, first + done, batches[done]!.slice(), 'visible')
  })
}

const write = (nodes: readonly Real[], shard: number, from: number, count: number): Promise<void> =>
  append(nodes, shard, Array.from({ length: count }, (_, i) => batchOf(new Map([[from + i, `row ${from + i}`]]))))

const define = (nodes: readonly Real[], shard: number): Promise<void> => append(nodes, shard, [batchOf(new Map(), { defines: true })])

/** Rows of a shard at one of its members, once it has as many. */
async function rowsAt({ membership }: Real, shard: number, count: number): Promise<number> {
  let found = -1
  for (const endMs = performance.now() + 60_000; found !== count && performance.now() < endMs; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const replica = membership.replica(shard)
    if (replica !== undefined) found = (await rowsOf(kernel, replica.tree))?.size ?? -1
  }
  return found
}

describeEtcd('membership with real replicas', () => {
  it('keeps every row on two nodes, whoever comes and goes', async () => {
    const failures: unknown[] = [], kind = realReplicas(failures)
    const place: MemberOptions = { etcd: await sharedEtcd(), cluster: freshCluster(), shardCount: 2 }
    const disk = newDisk()
    const start = (name: string, more: Partial<MemberOptions> = {}): Promise<Real> => startMemberOf(kind, name, { ...place, ...more })
    const [a, b] = await Promise.all([start('a'), start('b', { disk })])
    for (const shard of [0, 1]) {
      await define([a, b], shard)
      await write([a, b], shard, 0, 50)
    }
    await withLeader([a, b], 0, ({ replica }) => replica.tree.flush())

    const c = await start('c')
    await a.membership.operate.drain('a')
    await until(() => [0, 1].every((shard) => ['b,c', 'c,b'].includes(c.membership.membersOf(shard).join())) && areAllLed([b, c], 2))
    await until(() => [0, 1].every((shard) => a.membership.replica(shard) === undefined))
    for (const shard of [0, 1]) {
      await write([b, c], shard, 50, 20)
      expect([await rowsAt(b, shard, 70), await rowsAt(c, shard, 70)]).toEqual([70, 70])
    }

    await a.membership.operate.undrain('a')
    await b.end()
    await until(() => [0, 1].every((shard) => ['a,c', 'c,a'].includes(c.membership.membersOf(shard).join())) && areAllLed([a, c], 2))
    for (const shard of [0, 1]) {
      await write([a, c], shard, 70, 10)
      expect(await rowsAt(a, shard, 80)).toBe(80)
    }

    const again = await start('b', { disk })
    await again.membership.operate.drain('a')
    await until(() => [0, 1].every((shard) => ['b,c', 'c,b'].includes(c.membership.membersOf(shard).join())) && areAllLed([again, c], 2))
    for (const shard of [0, 1]) expect(await rowsAt(again, shard, 80)).toBe(80)
    expect(failures).toEqual([])
  })
})
