/**
 * What to change when nodes come and go. A plan is made anew from what is; each of its changes is safe by itself, and the
 * replica that leads the shard carries it out while the number of copies holds. What it cannot do now, a later plan asks
 * for again. Lost members are not planned for: leaders replace them by themselves.
 */
import type { ReplicaId, ShardConfiguration } from '../replication/configuration.ts'
import { least, loadsOf } from './spread.ts'

export interface PlacedNode extends ReplicaId {
  readonly isDraining: boolean
}

export type Change =
  | { readonly kind: 'move'; readonly shard: number; readonly fromStore: string; readonly to: ReplicaId }
  /** The leader is to step down, because its node leads too many, or leaves and so cannot lead while it is replaced. */
  | { readonly kind: 'handOver'; readonly shard: number; readonly node: string }

export interface Plan {
  readonly changes: readonly Change[]
  /** Shards that stay on draining nodes: no other node is there for them, or theirs is the only copy. */
  readonly stuck: readonly number[]
}

export interface PlanInput {
  /** By number of the shard. */
  readonly shards: readonly ShardConfiguration[]
  /** Those that are there. */
  readonly nodes: readonly PlacedNode[]
  /** Moves under way at once, those that have begun included. */
  readonly movesMax: number
}

interface Draft {
  readonly members: Map<number, readonly ReplicaId[]>
  readonly loads: Map<string, number>
  readonly active: readonly PlacedNode[]
  readonly changes: Change[]
  readonly stuck: number[]
  /** Shards that already change. */
  readonly busy: Set<number>
  movesLeft: number
}

export function planChanges(input: PlanInput): Plan {
  const { shards, nodes, movesMax } = input
  // One that joins counts as if it had: its node is not to be filled twice.
  const members = new Map(shards.map(({ members: now, joining }, shard) => [shard, joining === null ? now : now.map((member) => (member.store === joining.replaces ? joining.replica : member))]))
  const busy = new Set(shards.flatMap(({ joining }, shard) => (joining === null ? [] : [shard])))
  const active = nodes.filter(({ isDraining }) => !isDraining).toSorted((a, b) => (a.node < b.node ? -1 : 1))
  const loads = loadsOf(active.map(({ node }) => node), [...members.values()])
  const draft: Draft = { members, loads, active, changes: [], stuck: [], busy, movesLeft: movesMax - busy.size }
  emptyDraining(draft, input)
  // Where a member is lost its leader is at work already, and writes may wait for it: nobody is to step down meanwhile.
  if (hasLost(input)) return { changes: draft.changes, stuck: draft.stuck }
  levelMembers(draft, input)
  if (draft.changes.length === 0 && busy.size === 0) levelLeaders(draft, input)
  return { changes: draft.changes, stuck: draft.stuck }
}

function hasLost({ shards, nodes }: PlanInput): boolean {
  const stores = new Set(nodes.map(({ store }) => store))
  return shards.some(({ members }) => members.some(({ store }) => !stores.has(store)))
}

function emptyDraining(draft: Draft, { shards, nodes }: PlanInput): void {
  const leaving = new Set(nodes.filter(({ isDraining }) => isDraining).map(({ node }) => node))
  for (const shard of shards.keys()) {
    const member = draft.members.get(shard)!.find(({ node }) => leaving.has(node))
    if (member === undefined || draft.busy.has(shard)) continue
    const free = draft.active.filter(({ node }) => !isOn(draft, shard, node))
    if (free.length === 0 || isAlone(shards[shard]!, member.node)) draft.stuck.push(shard)
    else change(draft, shards[shard]!, shard, member, least(free, [({ node }) => draft.loads.get(node)!]))
  }
}

/** Moves one at a time from the fullest node to the emptiest that can take it, as long as that makes them more alike. */
function levelMembers(draft: Draft, { shards }: PlanInput): void {
  while (draft.movesLeft > 0) {
    const move = bestMove(draft, shards)
    if (move === undefined) return
    change(draft, shards[move.shard]!, move.shard, move.member, move.to)
  }
}

function bestMove(draft: Draft, shards: readonly ShardConfiguration[]): { readonly shard: number; readonly member: ReplicaId; readonly to: ReplicaId } | undefined {
  const byLoad = draft.active.toSorted((a, b) => draft.loads.get(a.node)! - draft.loads.get(b.node)!)
  for (const full of byLoad.toReversed()) {
    const mine = [...draft.members].flatMap(([shard, members]) => (draft.busy.has(shard) || isAlone(shards[shard]!, full.node) ? [] : members.filter(({ node }) => node === full.node).map((member) => ({ shard, member }))))
    // What it does not lead goes first: that needs nobody to step down.
    const ordered = mine.toSorted((a, b) => Number(leads(shards[a.shard]!, full.node)) - Number(leads(shards[b.shard]!, full.node)))
    for (const to of byLoad) {
      if (draft.loads.get(full.node)! - draft.loads.get(to.node)! < 2) break
      const found = ordered.find(({ shard }) => !isOn(draft, shard, to.node))
      if (found !== undefined) return { ...found, to }
    }
  }
  return undefined
}

const leads = ({ leader }: ShardConfiguration, node: string): boolean => leader?.node === node

/** The only copy leads, so there is nobody who could replace it. */
const isAlone = (configuration: ShardConfiguration, node: string): boolean => configuration.members.length === 1 && leads(configuration, node)

const isOn = ({ members }: Draft, shard: number, node: string): boolean => members.get(shard)!.some((member) => member.node === node)

/** A leader does not replace itself: it steps down first, and the next plan moves it. */
function change(draft: Draft, configuration: ShardConfiguration, shard: number, member: ReplicaId, { node, store }: ReplicaId): void {
  draft.busy.add(shard)
  if (draft.movesLeft <= 0) return
  draft.movesLeft--
  if (leads(configuration, member.node)) draft.changes.push({ kind: 'handOver', shard, node: member.node })
  else draft.changes.push({ kind: 'move', shard, fromStore: member.store, to: { node, store } })
  draft.loads.set(member.node, (draft.loads.get(member.node) ?? 0) - 1)
  draft.loads.set(node, (draft.loads.get(node) ?? 0) + 1)
  draft.members.set(shard, draft.members.get(shard)!.map((other) => (other === member ? { node, store } : other)))
}

/** Whoever of the others follows must be better off with it, since it is not said who will. */
function levelLeaders({ changes, active }: Draft, { shards }: PlanInput): void {
  const led = new Map(active.map(({ node }) => [node, 0]))
  for (const { leader } of shards) if (leader !== null) led.set(leader.node, (led.get(leader.node) ?? 0) + 1)
  for (const [shard, { leader, members }] of shards.entries()) {
    const others = members.filter(({ node }) => node !== leader?.node)
    if (leader === null || others.length === 0 || !others.every(({ node }) => led.has(node) && led.get(node)! + 1 < led.get(leader.node)!)) continue
    changes.push({ kind: 'handOver', shard, node: leader.node })
    led.set(leader.node, led.get(leader.node)! - 1)
    led.set(others[0]!.node, led.get(others[0]!.node)! + 1)
  }
}

/** Live nodes in the order in which a leader should take them as replacement of a lost member: the emptiest first, draining ones never. */
export function replacementOrder<N extends ReplicaId>(live: readonly N[], shards: readonly ShardConfiguration[], draining: readonly string[]): readonly N[] {
  const loads = loadsOf(live.map(({ node }) => node), shards.map(({ members }) => members))
  return live.filter(({ node }) => !draining.includes(node)).toSorted((a, b) => loads.get(a.node)! - loads.get(b.node)! || (a.node < b.node ? -1 : 1))
}
