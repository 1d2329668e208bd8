/** A tree on one node, and the same tree as another node reads it, over connections on loopback. */
import { afterEach } from 'vitest'
import { createFragmentClient } from '../../../src/cluster/fragments/client/fragment-client.ts'
import type { RemoteTree } from '../../../src/cluster/fragments/client/remote-tree.ts'
import type { RemoteSnapshot } from '../../../src/cluster/fragments/client/remote-view.ts'
import type { FragmentHost, HostedReplica } from '../../../src/cluster/fragments/server/fragment-host.ts'
import { createFragmentService } from '../../../src/cluster/fragments/server/fragment-service.ts'
import type { FragmentService } from '../../../src/cluster/fragments/server/fragment-service.ts'
import type { TransportSettings } from '../../../src/cluster/transport/settings.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemTurns } from '../../../src/runtime/pace.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { KernelKind } from '../../../src/settings.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from '../../lsm/tree/open-test-tree.ts'
import { encodeKey, encodeRow, layouts, randomRow } from '../../lsm/tree/tree-rows.ts'
import { connectAll, startNode } from '../transport/test-node.ts'
import type { TestNode } from '../transport/test-node.ts'

const MiB = 1024 * 1024
export const keySpread = 400
export const leaseLevel = { kind: 'lease' } as const

/** What was asked of the other node, by method. */
export interface AskedCounts {
  readonly requests: Map<string, number>
  readonly streams: Map<string, number>
}

export interface Pair {
  /** Of the node that has the tree. */
  readonly kernel: Kernel
  readonly tree: Tree
  readonly service: FragmentService
  readonly host: { replica: HostedReplica | undefined }
  /** Of the node that asks. */
  readonly farKernel: Kernel
  readonly far: RemoteTree
  readonly asked: AskedCounts
  readonly asker: TestNode
  readonly leader: TestNode
  takeSnapshot(): Promise<RemoteSnapshot>
}

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const budget = (): FragmentHost['groupBudget'] => ({ bytesMax: 8 * MiB, usedBytes: 0 })

/** Ended after the test. */
export async function startPair(kind: KernelKind, settings: Partial<TransportSettings> = {}): Promise<Pair> {
  const kernel = openTestKernel(kind), farKernel = openTestKernel(kind)
  const tree = await openTestTree(kernel, createMemoryStorage(), { cache: createChunkCache(kernel.heap, 2 * MiB) })
  const hosted: { replica: HostedReplica | undefined } = { replica: { tree, replicated: { tablesSequence: 0, partsAfter: 0, visibleParts: () => [] }, read: () => Promise.resolve({ deadlineMs: Infinity }) } }
  const service = createFragmentService({ kernel, groupBudget: budget(), clock: systemClock, turns: systemTurns, assertOpen: () => {}, replica: (shard) => (shard === 3 ? hosted.replica : undefined) })
  const leader = await startNode('leader', { settings, requests: service.requests, streams: service.streams }), asker = await startNode('asker', { settings })
  await connectAll(leader, asker)
  const asked: AskedCounts = { requests: new Map(), streams: new Map() }
  const count = (counts: Map<string, number>, method: string): void => void counts.set(method, (counts.get(method) ?? 0) + 1)
  const client = createFragmentClient({
    kernel: farKernel, groupBudget: budget(), timeoutMs: 30_000,
    channel: {
      request(node, method, ...more) {
        count(asked.requests, method)
        return asker.transport.request(node, method, ...more)
      },
      stream(node, method, ...more) {
        count(asked.streams, method)
        return asker.transport.stream(node, method, ...more)
      },
    },
  })
  ends.push(async () => {
    service.close()
    client.close()
    await tree.close()
  })
  const far = client.tree({ shard: 3, where: () => 'leader', layouts: tree.layouts })
  return { kernel, tree, service, host: hosted, farKernel, far, asked, asker, leader, takeSnapshot: () => far.takeSnapshot({ level: leaseLevel }) }
}

/** Defines the tables and fills them, so that some rows are in files and some in memory, some of them deleted. */
export async function fill(tree: Tree, random: Random, rowCount = 900): Promise<void> {
  const tables = createBatchBuilder(64)
  for (const layout of layouts) tables.defineTable(layout)
  await tree.append(tables.finish()).applied
  for (let written = 0; written < rowCount; written += 30) {
    const builder = createBatchBuilder(64)
    for (let i = 0; i < 30; i++) change(builder, random, layouts[random.below(layouts.length)]!)
    await tree.append(builder.finish()).applied
    if (random.below(8) === 0) await tree.flush()
  }
}

export function change(builder: ReturnType<typeof createBatchBuilder>, random: Random, layout: TableLayout): void {
  const row = randomRow(random, layout, keySpread)
  if (random.below(6) === 0) builder.delete(layout.tableId, encodeKey(layout, row))
  else builder.put(layout.tableId, encodeKey(layout, row), encodeRow(layout, row))
}
