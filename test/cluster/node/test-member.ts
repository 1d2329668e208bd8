/** Nodes in this process: memberships over etcd, each with a transport on loopback, storage in memory and replicas without data. */
import { createServer } from 'node:http'
import { afterEach } from 'vitest'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdSettings } from '../../../src/cluster/etcd/etcd-settings.ts'
import type { HostedReplica, ReplicaHost } from '../../../src/cluster/node/hosted-replica.ts'
import type { ClusterMembership } from '../../../src/cluster/node/membership.ts'
import { openMembership } from '../../../src/cluster/node/open-membership.ts'
import { defaultMembershipSettings } from '../../../src/cluster/node/settings.ts'
import type { MembershipSettings } from '../../../src/cluster/node/settings.ts'
import { emptyLog } from '../../../src/cluster/replication/state/log-state.ts'
import { messageReceiver, messageSender } from '../../../src/cluster/transport/replication-messages.ts'
import { createTransport } from '../../../src/cluster/transport/transport.ts'
import type { Transport, TransportOptions } from '../../../src/cluster/transport/transport.ts'
import type { LsmtError } from '../../../src/errors.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLog } from '../../../src/runtime/log.ts'
import type { Log } from '../../../src/runtime/log.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { patientEtcd } from '../etcd/server/etcd-server.ts'
import { serveUpgrades } from '../transport/serve-upgrades.ts'
import { listen, patientSettings, secret } from '../transport/test-node.ts'
import { openEmptyReplica } from './empty-replica.ts'
import type { EmptyDisk, EmptyReplica } from './empty-replica.ts'

/** What a node has when it is started again. */
export interface MemberDisk {
  readonly files: MemoryDisk
  readonly shards: Map<number, EmptyDisk>
}

export const newDisk = (): MemberDisk => ({ files: new Map(), shards: new Map() })

/** What replicas are there, and how messages come to them. */
export interface ReplicaKind<R extends HostedReplica> {
  open(shard: number, host: ReplicaHost, node: { readonly name: string; readonly disk: MemberDisk; readonly storage: Storage; readonly transport: Transport; readonly log: Log; membership(): ClusterMembership<R> }): Promise<R>
  services(name: string, replicaOf: (shard: number) => R | undefined): Pick<TransportOptions, 'onMessage' | 'streams'>
}

export interface MemberOptions {
  readonly etcd: readonly string[] | EtcdClient
  readonly cluster: string
  readonly etcdSettings?: Partial<EtcdSettings>
  readonly disk?: MemberDisk
  readonly shardCount?: number
  readonly factor?: number
  readonly version?: string
  readonly settings?: Partial<MembershipSettings>
  readonly openFails?: (shard: number) => Error | undefined
}

export interface TestMember<R extends HostedReplica = EmptyReplica> {
  readonly name: string
  readonly url: string
  readonly disk: MemberDisk
  readonly storage: Storage
  readonly membership: ClusterMembership<R>
  readonly lines: string[]
  readonly fatal: LsmtError[]
  readonly etcd: EtcdClient
  /** As if the process had ended: nothing is handed over, and the lease ends by itself. */
  end(): Promise<void>
}

export const kernel = openKernel('js', reserveLinearMemory(1024 * 1024))
export const testSettings: MembershipSettings = { ...defaultMembershipSettings, leaseSeconds: 1, placementWaitMs: 300, lookEveryMs: 50, tellEveryMs: 200, planEveryMs: 300, retryMs: 100, leaveMsMax: 20_000 }

let clusterCount = 0
export const freshCluster = (): string => `t${process.pid}-${Date.now().toString(36)}-${clusterCount++}`

const ends = new Set<() => Promise<void>>()

afterEach(async () => {
  await Promise.all([...ends].map((end) => end()))
})

/** Without data. */
const emptyReplicas: ReplicaKind<EmptyReplica> = {
  services: (name, replicaOf) => ({ onMessage: messageReceiver(name, ({ shard, message }) => replicaOf(shard)?.receive(message)), streams: {} }),
  async open(shard, host, { name, disk, storage, transport }) {
    // Its files, so that there is something to be deleted.
    await storage.createIfAbsent(`replica/${shard}/1`, [Uint8Array.of(1)])
    if ((await storage.list(`manifest/${shard}/`)).length === 0) {
      disk.shards.delete(shard)
      await storage.createIfAbsent(`manifest/${shard}/1`, [Uint8Array.of(1)])
    }
    const shardDisk = disk.shards.get(shard) ?? { storedEpoch: 0, log: emptyLog }
    disk.shards.set(shard, shardDisk)
    const send = messageSender(name, transport)
    return openEmptyReplica({ shard, host, disk: shardDisk, send: (message) => void send({ shard, message }) })
  },
}

export const startMember = (name: string, options: MemberOptions): Promise<TestMember> => startMemberOf(emptyReplicas, name, options)

/** Ended after the test. */
export async function startMemberOf<R extends HostedReplica>(kind: ReplicaKind<R>, name: string, options: MemberOptions): Promise<TestMember<R>> {
  const { cluster, disk = newDisk() } = options
  const lines: string[] = [], fatal: LsmtError[] = []
  const log = createLog('info', (line) => lines.push((JSON.parse(line) as { msg: string }).msg))
  const storage = createMemoryStorage({ disk: disk.files })
  const etcd = 'get' in options.etcd ? options.etcd : createEtcdClient({ endpoints: options.etcd, settings: options.etcdSettings ?? patientEtcd })
  const opened: { membership?: ClusterMembership<R>; transport?: Transport } = {}
  const server = createServer()
  const { port, sockets } = await listen(server)
  const url = `http://127.0.0.1:${port}`
  const end = async (): Promise<void> => {
    if (!ends.delete(end)) return
    await opened.membership?.close()
    await opened.transport?.close()
    for (const socket of sockets) socket.destroy()
    server.close()
    etcd.close()
  }
  ends.add(end)
  const membership = await openMembership<R>({
    cluster, node: name, address: url, version: options.version ?? '1.0', shardCount: options.shardCount ?? 4, factor: options.factor ?? 2,
    etcd, storage, kernel, log, clock: systemClock, random: systemRandom, alarms: systemAlarms, settings: { ...testSettings, ...options.settings },
    fatal: (error) => void fatal.push(error),
    connect(requests) {
      const services = kind.services(name, (shard) => opened.membership?.replica(shard))
      const transport = createTransport({ cluster, node: name, secret, clock: systemClock, random: systemRandom, settings: patientSettings, log, ...services, requests })
      serveUpgrades(server, transport)
      return (opened.transport = transport)
    },
    async openReplica(shard, host) {
      const failure = options.openFails?.(shard)
      if (failure !== undefined) throw failure
      return await kind.open(shard, host, { name, disk, storage, transport: opened.transport!, log, membership: () => opened.membership! })
    },
  })
  opened.membership = membership
  return { name, url, disk, storage, membership, lines, fatal, etcd, end }
}

export const ledBy = ({ membership, name }: TestMember<HostedReplica>): readonly number[] => membership.status().shards.filter(({ leader, shard }) => leader === name && membership.replica(shard)?.status().isReady === true).map(({ shard }) => shard)

/** Every shard has a leader that knows what is committed. */
export function areAllLed(members: readonly TestMember<HostedReplica>[], shardCount = 4): boolean {
  return new Set(members.flatMap(ledBy)).size === shardCount
}

/** One entry in a shard, through whoever leads it by then: plans may move leaders at any time. */
export async function write(members: readonly TestMember[], shard = 0): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const leader = members.find((member) => ledBy(member).includes(shard))
    if (leader !== undefined && (await leader.membership.replica(shard)!.write())) return
  }
  throw new Error(`nobody takes a write to shard ${shard}`)
}
