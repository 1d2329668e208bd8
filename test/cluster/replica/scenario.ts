/** A shard on three simulated nodes, whose replicas a test leads through a story as a coordinator would. */
import { afterEach, expect } from 'vitest'
import { refusalOf } from '../../../src/cluster/replica/refusal.ts'
import type { Refusal } from '../../../src/cluster/replica/refusal.ts'
import type { configStore } from '../simulation/config-store.ts'
import { createCluster } from '../simulation/cluster.ts'
import type { Cluster, ClusterOptions } from '../simulation/cluster.ts'
import type { SimulatedNode } from '../simulation/node.ts'
import { batchOf } from './simulated-batch.ts'
import { replicaNodes } from './simulated-replica.ts'
import type { OpenedReplica } from './simulated-replica.ts'

export interface Shard extends Omit<Cluster, 'leader'> {
  /** Who leads when the story begins, the other member, and the spare. */
  readonly first: SimulatedNode
  readonly second: SimulatedNode
  readonly spare: SimulatedNode
  /** What a coordinator finds in the configuration store. */
  zeroEpoch: number
  readonly fatal: unknown[]
  of(node: SimulatedNode): OpenedReplica
  /** The one that leads and knows all that was committed. */
  leader(): SimulatedNode
  run(ms: number): Promise<void>
  cutOff(node: SimulatedNode, from: readonly (SimulatedNode | typeof configStore)[]): void
  until(holds: () => boolean, ms?: number): Promise<void>
  /** What must hold does not, for once, so many times. */
  expectViolations(count: number): void
  /** What a promise comes to within a time. */
  outcome<T>(promise: Promise<T>, ms?: number): Promise<T | Refusal>
}

/** Of the value `value` under `key`, two operations at that place. */
export const write = (baseSequence: number, value: string, isPart = false, key = 'k'): Uint8Array =>
  batchOf({ request: `${value} at ${baseSequence}`, key, outcome: 'written', value }, 2, baseSequence, isPart)

let broken: readonly string[] = [], expectedCount = 0
afterEach(() => expect(broken.slice(expectedCount)).toEqual([]))

export async function beginShard(options: Pick<ClusterOptions, 'lease'> = {}): Promise<Shard> {
  const opened = new Map<string, OpenedReplica>(), fatal: unknown[] = []
  const cluster = createCluster({ ...options, seed: 1, nodeOf: replicaNodes({ opened, zeroEpoch: () => shard.zeroEpoch, fatal: (error) => fatal.push(error) }) })
  const { world, nodes, observer } = cluster
  broken = observer.violations
  expectedCount = 0
  const isLeader = ({ name }: SimulatedNode): boolean => opened.get(name)?.replica.status().isReady === true
  const run = (ms: number): Promise<void> => world.runSettling(world.nowMs + ms)
  async function until(holds: () => boolean, ms = 3_000): Promise<void> {
    await world.runSettling(world.nowMs + ms, holds)
    expect(holds()).toBe(true)
  }
  const shard = Object.create(cluster, Object.getOwnPropertyDescriptors({
    zeroEpoch: 1, fatal, run, until,
    of: ({ name }: SimulatedNode) => opened.get(name)!,
    cutOff: (node: SimulatedNode, from: readonly (SimulatedNode | typeof configStore)[]) => from.forEach((other) => cluster.network.cutBoth(node.name, typeof other === 'string' ? other : other.name)),
    expectViolations: (count: number) => void (expectedCount = count),
    leader: () => nodes.find(isLeader)!,
    async outcome<T>(promise: Promise<T>, ms = 2_000): Promise<T | Refusal> {
      let outcome: { readonly value: T | Refusal } | undefined, error: unknown
      promise.then((value) => (outcome = { value }), (cause: unknown) => {
        const refusal = refusalOf(cause)
        if (refusal === undefined) error = cause
        else outcome = { value: refusal }
      })
      await world.runSettling(world.nowMs + ms, () => outcome !== undefined || error !== undefined)
      if (error !== undefined) throw error
      expect(outcome, 'an outcome in time').toBeDefined()
      return outcome!.value
    },
  })) as Shard
  await until(() => nodes.some(isLeader))
  const first = nodes.find(isLeader)!, second = nodes.find((node) => node !== first && cluster.configuration.members.some(({ node: name }) => name === node.name))!
  return Object.defineProperties(shard, Object.getOwnPropertyDescriptors({ first, second, spare: nodes.find((node) => node !== first && node !== second)! }))
}
