/** Nodes that own one shard in turns, over one simulated bucket and one configuration store in memory. */
import { BucketReplica } from '../../../src/cluster/bucket/bucket-replica.ts'
import { openShard } from '../../../src/cluster/bucket/open-shard.ts'
import type { HostEvent, ReplicaHost, SwapOutcome, SwapRequest } from '../../../src/cluster/node/hosted-replica.ts'
import { withOwner } from '../../../src/cluster/placement/ownership.ts'
import { firstConfiguration } from '../../../src/cluster/replication/configuration.ts'
import type { ConfigurationAt } from '../../../src/cluster/replication/configuration.ts'
import type { LiveNode } from '../../../src/cluster/replication/event.ts'
import { openFloor, openKernelFloor } from '../../../src/engine/open/open-floor.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { systemAlarms } from '../../../src/runtime/alarms.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { turningClock } from '../../engine/bucket/two-writers.ts'
import { testSettings } from '../../engine/open-test-engine.ts'

export interface TestStore {
  at: ConfigurationAt
  /** Epoch of shard 0, which says who coordinates. */
  coordinator: number
  /** By node: since which revision it is live. */
  readonly live: Map<string, number>
  /** What the owner was before is dead; `to` takes its place. */
  give(to: LiveNode): void
  host(self: LiveNode): ReplicaHost
  /** The lease of a node ends, and it gets another one. */
  renewLease(node: string): void
  readonly hosts: Map<string, (event: HostEvent) => void>
  /** The node hears nothing of the store, and does not reach it. */
  cutOff(node: string, isCutOff: boolean): void
}

export const leaseMs = 60_000

export function testStore(first: LiveNode): TestStore {
  let revision = 1
  const leases = new Map<string, number>()
  const hosts = new Map<string, (event: HostEvent) => void>()
  const deaf = new Set<string>()
  const tell = (): void => hosts.forEach((listener, node) => {
    if (!deaf.has(node)) listener({ kind: 'configuration', at: store.at, isFresh: false })
  })
  const put = (configuration: ConfigurationAt['configuration']): number => {
    store.at = { revision: ++revision, configuration }
    setImmediate(tell)
    return revision
  }
  const store: TestStore = {
    at: { revision, configuration: firstConfiguration([first]) },
    coordinator: 1,
    live: leases,
    hosts,
    cutOff(node, isCutOff) {
      if (isCutOff) deaf.add(node)
      else deaf.delete(node)
      tell()
    },
    give: (to) => void put(withOwner(store.at.configuration, to)),
    renewLease(node) {
      leases.set(node, ++revision)
      hosts.get(node)?.({ kind: 'lease', leaseId: revision, deadlineMs: systemClock.monotonicMs() + leaseMs })
    },
    host(self) {
      leases.set(self.node, ++revision)
      return {
        self,
        listen(listener) {
          hosts.set(self.node, listener)
          listener({ kind: 'configuration', at: store.at, isFresh: false })
          listener({ kind: 'lease', leaseId: leases.get(self.node)!, deadlineMs: systemClock.monotonicMs() + leaseMs })
          return () => void hosts.delete(self.node)
        },
        async swap({ revision: seen, configuration, leaseId }: SwapRequest): Promise<SwapOutcome> {
          await turn()
          if (deaf.has(self.node)) return { outcome: 'unknown' }
          if (seen !== store.at.revision || (leaseId !== undefined && leases.get(self.node) !== leaseId)) return { outcome: 'refused' }
          return { outcome: 'done', revision: put(configuration) }
        },
        async readConfiguration() {
          await turn()
          return deaf.has(self.node) ? undefined : store.at
        },
      }
    },
  }
  return store
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const nodeNamed = (node: string): LiveNode => ({ node, store: `store-${node}`, incarnation: 1 })

export interface TestOwner {
  readonly self: LiveNode
  readonly kernel: Kernel
  readonly replica: BucketReplica
  close(): Promise<void>
}

let opened = 0

export function testOwner(store: TestStore, storage: Storage, name: string, { memtableBytesMax = 64 * 1024 } = {}): TestOwner {
  const settings = testSettings({ kernels: 'js', kernelMemoryBytes: 16 * 1024 * 1024, cacheBytesMax: 1024 * 1024, readers: 0, tree: { memtableBytesMax } })
  // Waits for the bucket take no time.
  const clock = turningClock()
  const options = { storage, settings, clock }
  const kernelFloor = openKernelFloor(options)
  const floor = openFloor(options, kernelFloor, 1)
  const self = nodeNamed(name)
  const random = seededRandom(9_000 + opened++)
  const replica = new BucketReplica({
    shard: 3, host: store.host(self), clock: systemClock, alarms: systemAlarms, log: createLog('silent', () => {}), batchBytesMax: 1024 * 1024, readMsMax: 5_000,
    openShard: (events) => openShard({ storage, floor, clock, random, settings, origin: { cluster: 'test', clusterId: 'one' } }, 3, events),
    readShardZeroEpoch: async () => {
      await turn()
      return store.coordinator
    },
  })
  return {
    self, kernel: floor.kernel, replica,
    async close() {
      await replica.close()
      await floor.close()
    },
  }
}
