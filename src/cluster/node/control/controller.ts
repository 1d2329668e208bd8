/**
 * Spreads members and leaders as nodes come, drain and go: whoever leads shard 0 makes a plan every few seconds from what
 * is, and asks the leaders of the shards to carry it out. Two at once are harmless: each change is safe by itself.
 */
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import { planChanges } from '../../placement/plan.ts'
import type { Change, Plan } from '../../placement/plan.ts'
import type { Told } from '../../transport/told.ts'
import { liveNodes } from '../store/cluster-view.ts'
import type { ClusterView } from '../store/cluster-view.ts'
import { missingShards } from '../shards/first-placement.ts'

export interface ControllerOptions {
  readonly shardCount: number
  readonly movesMax: number
  readonly log: Log
  readonly told: Told
  view(): ClusterView
  /** This node leads shard 0, and is not about to leave. */
  isInCharge(): boolean
  /** There is a connection to it, or it is this node. */
  isConnected(node: string): boolean
  /** Asks the leader of the shard. */
  ask(node: string, change: Change): Promise<void>
}

export interface Controller {
  /** Called every few seconds. */
  tend(): void
  close(): Promise<void>
}

export function createController(options: ControllerOptions): Controller {
  const { log, told } = options
  let working: Promise<void> | undefined

  async function carryOut(view: ClusterView, change: Change): Promise<void> {
    const { shard } = change
    const leader = view.shards.get(shard)!.configuration.leader?.node
    if (leader === undefined) return
    const text = textOf(view, change)
    if (told.isNews(`shard ${shard}`, text)) log.info({ shard }, text)
    try {
      await options.ask(leader, change)
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
      if (told.isNews(`shard ${shard} failed`, error.message)) log.warn({ shard }, `${text}: ${leader}, which leads it, did not take that: ${error.message}`)
    }
  }

  async function work(): Promise<void> {
    const view = options.view()
    // Whom this node does not reach counts as lost here: what it plans would not be carried out there, and writes would not go there.
    const plan = planOf(view, options.shardCount, options.movesMax, options.isConnected)
    if (plan === undefined) return
    if (plan.stuck.length > 0 && told.isNews('stuck', plan.stuck.join())) log.warn({ shards: plan.stuck }, `shards stay on draining nodes, since no other node can take them: ${plan.stuck.join(', ')}`)
    await Promise.all(plan.changes.map((change) => carryOut(view, change)))
  }

  return {
    tend() {
      if (options.isInCharge()) working ??= work().finally(() => { working = undefined })
    },
    async close() {
      await working
    },
  }
}

/** undefined while shards have no members yet. */
export function planOf(view: ClusterView, shardCount: number, movesMax: number, isThere: (node: string) => boolean = () => true): Plan | undefined {
  if (view.cluster === undefined || missingShards(view, shardCount).length > 0) return undefined
  const { draining } = view.cluster
  const shards = Array.from({ length: shardCount }, (_, shard) => view.shards.get(shard)!.configuration)
  const nodes = [...liveNodes(view).values()].filter(({ node, isLeaving }) => !isLeaving && isThere(node)).map(({ node, store }) => ({ node, store, isDraining: draining.includes(node) }))
  return planChanges({ shards, nodes, movesMax })
}

function textOf({ shards }: ClusterView, change: Change): string {
  if (change.kind === 'handOver') return `the leadership of shard ${change.shard} is to move away from ${change.node}`
  const from = shards.get(change.shard)!.configuration.members.find(({ store }) => store === change.fromStore)
  return `the copy of shard ${change.shard} on ${from?.node ?? change.fromStore} is to move to ${change.to.node}`
}
