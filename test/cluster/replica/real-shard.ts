/**
 * Shard 0 on nodes in this process, everything real but the disk and the configuration store: the replica over its tree,
 * the transport on loopback, time. The store is one value with a revision, and who is live is what the test says.
 */
import { onTestFinished } from 'vitest'
import { openReplica } from '../../../src/cluster/replica/open-replica.ts'
import { createPeerServices } from '../../../src/cluster/replica/peer-services.ts'
import type { PeerReplica } from '../../../src/cluster/replica/replica-options.ts'
import { refusalOf } from '../../../src/cluster/replica/refusal.ts'
import type { HostEvent, ReplicaHost } from '../../../src/cluster/node/hosted-replica.ts'
import { firstConfiguration } from '../../../src/cluster/replication/configuration.ts'
import type { ConfigurationAt } from '../../../src/cluster/replication/configuration.ts'
import type { LiveNode } from '../../../src/cluster/replication/event.ts'
import type { ReplicationTiming } from '../../../src/cluster/replication/timing.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { assignBaseSequence, readBatchHeader } from '../../../src/lsm/batch.ts'
import { installFiles } from '../../../src/lsm/replicated/install-files.ts'
import { openReplicatedTree } from '../../../src/lsm/replicated/open-replicated-tree.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { batchOf, replicaOptions, rowsOf } from '../../lsm/replicated/replica-fixture.ts'
import type { Changes } from '../../lsm/replicated/replica-fixture.ts'
import { until } from '../../until.ts'
import { startNode } from '../transport/test-node.ts'
import type { TestNode } from '../transport/test-node.ts'

/** Who is live and silent is waited for, since a busy machine makes all of them silent; who is killed is live no more. */
const timing: ReplicationTiming = {
  heartbeatMs: 20, retransmitMs: 100, electionPauseMs: 30, replaceAfterMs: 20_000, goneAfterMs: 100, joinAfterMs: 20_000, resignAfterMs: 25_000, standAsideMs: 200, changePauseMs: 50, readMsMax: 1_000, storeTimeoutMs: 200,
}
const leaseMs = 60_000

export interface RealNode {
  readonly name: string
  readonly replica: PeerReplica
  readonly storage: Storage
  readonly lines: readonly string[]
  rows(): Promise<ReadonlyMap<number, string> | undefined>
}

export interface RealShard {
  /** Starts, or starts again, with what is on its disk. */
  start(name: string): Promise<RealNode>
  /** As if its process had ended, and its lease with it. */
  kill(name: string): Promise<void>
  wipe(name: string): void
  node(name: string): RealNode
  /** The one that leads, knows what is committed, and was opened by the coordinator. */
  opened(): Promise<RealNode>
  /** Writes at the end of the log, and offers it again to whoever leads until it is visible. */
  write(changes: Changes, options?: { readonly defines?: boolean }): Promise<void>
  configuration(): ConfigurationAt['configuration']
}

interface Running extends RealNode {
  readonly incarnation: number
  readonly kernel: Kernel
  readonly transport: TestNode
}

export function realShard(members: readonly string[]): RealShard {
  const disks = new Map<string, { storage: Storage; store: string; incarnation: number }>()
  const running = new Map<string, Running>(), listeners = new Map<string, (event: HostEvent) => void>()
  let at: ConfigurationAt = { revision: 1, configuration: firstConfiguration(members.map((node) => ({ node, store: `${node}-1` }))) }
  let nextSequence = 1, wipes = 1

  const live = (): readonly LiveNode[] => [...running.values()].map(({ name, incarnation, replica }) => ({ node: name, store: replica.store, incarnation }))
  function tellAll(): void {
    for (const listener of listeners.values()) {
      listener({ kind: 'live', nodes: live() })
      listener({ kind: 'configuration', at, isFresh: false })
    }
  }
  const connect = (): void => {
    const urls = new Map([...running.values()].map(({ name, transport }) => [name, transport.url]))
    for (const { transport } of running.values()) transport.transport.setPeers(urls)
  }

  const hostOf = (self: LiveNode): ReplicaHost => ({
    self,
    listen(listener) {
      listeners.set(self.node, listener)
      listener({ kind: 'configuration', at, isFresh: false })
      listener({ kind: 'lease', leaseId: self.incarnation, deadlineMs: performance.now() + leaseMs })
      return () => void listeners.delete(self.node)
    },
    async swap({ revision, configuration, absent }) {
      const isRefused = revision !== at.revision || (absent !== undefined && live().some(({ node, incarnation }) => node === absent.node && incarnation === absent.incarnation))
      if (isRefused) return { outcome: 'refused' }
      at = { revision: at.revision + 1, configuration }
      setImmediate(tellAll)
      return { outcome: 'done', revision: at.revision }
    },
    readConfiguration: async () => at,
  })

  async function start(name: string): Promise<RealNode> {
    const disk = disks.get(name) ?? { storage: createMemoryStorage(), store: `${name}-1`, incarnation: 0 }
    disks.set(name, disk)
    disk.incarnation++
    const kernel = openTestKernel('wasm', 16 * 1024 * 1024), lines: string[] = []
    const late: { replica?: PeerReplica } = {}
    const services = createPeerServices(name, () => late.replica)
    const transport = await startNode(name, services)
    const options = replicaOptions(kernel, disk.storage, { recentBytesMax: 4_096 })
    late.replica = await openReplica({
      shard: 0, host: hostOf({ node: name, store: disk.store, incarnation: disk.incarnation }), transport: transport.transport, timing,
      trees: { open: (events) => openReplicatedTree({ ...options, ...events }), install: (fetched) => installFiles(options, fetched) },
      clock: systemClock, alarms: systemAlarms, batchBytesMax: 1024 * 1024,
      log: createLog('info', (line) => lines.push((JSON.parse(line) as { msg: string }).msg)),
      readShardZeroEpoch: async () => 1,
      fatal: (error) => { throw error },
    })
    const node: Running = { name, incarnation: disk.incarnation, replica: late.replica, storage: disk.storage, kernel, transport, lines, rows: () => rowsOf(kernel, node.replica.tree) }
    running.set(name, node)
    connect()
    tellAll()
    return node
  }

  async function kill(name: string): Promise<void> {
    const { replica, transport } = running.get(name)!
    running.delete(name)
    await transport.transport.close()
    await replica.close()
    connect()
    tellAll()
  }

  async function opened(): Promise<RealNode> {
    for (;;) {
      await until(() => [...running.values()].some(({ replica }) => replica.status().isReady))
      const node = [...running.values()].find(({ replica }) => replica.status().isReady)!
      try {
        const { lastSequence } = await node.replica.open(1)
        await node.replica.release(1, lastSequence, lastSequence)
        return node
      } catch (error) {
        if (refusalOf(error) === undefined) throw error
      }
    }
  }

  async function write(changes: Changes, { defines = false } = {}): Promise<void> {
    const batch = batchOf(changes, { defines }), baseSequence = nextSequence
    assignBaseSequence(batch, baseSequence)
    nextSequence += readBatchHeader(batch).operationCount
    for (;;) {
      const { replica } = await opened()
      try {
        await replica.append(1, baseSequence, batch.slice(), 'visible')
        return
      } catch (error) {
        if (refusalOf(error) === undefined) throw error
      }
    }
  }

  onTestFinished(async () => {
    for (const name of running.keys()) await kill(name)
  })
  return {
    start, kill, opened, write,
    wipe: (name) => void disks.set(name, { storage: createMemoryStorage(), store: `${name}-${++wipes}`, incarnation: disks.get(name)!.incarnation }),
    node: (name) => running.get(name)!,
    configuration: () => at.configuration,
  }
}
