/**
 * Who owns which shard where the data is in a bucket, so that a shard needs no copies: the owner is its only member, and
 * leads it. One whose owner is gone, or has given it up, is taken by a live node, under the next epoch and without a copy
 * of anything. Every node plans alike from what it knows; that two of them never both take a shard is for the
 * configuration store to see to, and that an earlier owner writes nothing more for the claims in the bucket.
 */
import type { ShardConfiguration } from '../replication/configuration.ts'
import type { LiveNode } from '../replication/event.ts'
import { least } from './spread.ts'

export interface OwnershipInput {
  readonly shards: ReadonlyMap<number, ShardConfiguration>
  /** Those that are there, each once. */
  readonly live: readonly LiveNode[]
  /** Names of nodes that are to hold nothing. */
  readonly draining: readonly string[]
}

export const withOwner = (was: ShardConfiguration, { node, store, incarnation }: LiveNode): ShardConfiguration => ({ ...was, version: was.version + 1, epoch: was.epoch + 1, leader: { node, incarnation }, members: [{ node, store }], joining: null })

export function ownerOf({ leader }: ShardConfiguration, live: readonly LiveNode[]): LiveNode | undefined {
  return leader === null ? undefined : live.find(({ node, incarnation }) => node === leader.node && incarnation === leader.incarnation)
}

/** Of the shards that nobody owns: who takes each, so that nodes own equally many. None when nobody is there. */
export function planTaking(input: OwnershipInput): ReadonlyMap<number, LiveNode> {
  const { shards, live } = input
  const taking = new Map<number, LiveNode>()
  if (live.length === 0) return taking
  const active = activeOf(input), loads = ownedCounts(input)
  for (const shard of numbers(shards)) {
    const configuration = shards.get(shard)!
    if (ownerOf(configuration, live) !== undefined) continue
    const taker = least(candidates(configuration, active.length > 0 ? active : live), [({ node }) => loads.get(node)!, ({ node }) => ranks(live, node)])
    loads.set(taker.node, loads.get(taker.node)! + 1)
    taking.set(shard, taker)
  }
  return taking
}

/** The node of the first placement takes it at first; later, whoever has given it up does not while others can. */
function candidates({ epoch, leader, members }: ShardConfiguration, nodes: readonly LiveNode[]): readonly LiveNode[] {
  const isLast = ({ store }: LiveNode): boolean => members.some((member) => member.store === store)
  const wanted = epoch === 0 ? nodes.filter(isLast) : leader === null ? nodes.filter((node) => !isLast(node)) : nodes
  return wanted.length > 0 ? wanted : nodes
}

/**
 * The shard that a node is to give up now: because it is to hold nothing, or owns at least two more than another one and
 * as many as anybody. One at a time in the whole cluster, and only while all have owners.
 */
export function planGivingUp(input: OwnershipInput, self: LiveNode): number | undefined {
  const { shards, live, draining } = input
  const owners = new Map(numbers(shards).map((shard) => [shard, ownerOf(shards.get(shard)!, live)?.node]))
  if ([...owners.values()].includes(undefined)) return undefined
  const active = activeOf(input), loads = ownedCounts(input)
  const giver = nextGiver(live, draining, active, loads)
  if (giver !== self.node) return undefined
  // That of the catalog last: whoever owns it coordinates writes.
  return numbers(shards).findLast((shard) => owners.get(shard) === self.node)
}

function nextGiver(live: readonly LiveNode[], draining: readonly string[], active: readonly LiveNode[], loads: ReadonlyMap<string, number>): string | undefined {
  if (active.length === 0) return undefined
  const leaving = live.find(({ node }) => draining.includes(node) && loads.get(node)! > 0)
  if (leaving !== undefined) return leaving.node
  const counts = active.map(({ node }) => loads.get(node)!)
  const most = Math.max(...counts)
  return most - Math.min(...counts) < 2 ? undefined : active[counts.indexOf(most)]!.node
}

const numbers = (shards: ReadonlyMap<number, unknown>): readonly number[] => [...shards.keys()].toSorted((a, b) => a - b)

const sorted = (nodes: readonly LiveNode[]): readonly LiveNode[] => nodes.toSorted((a, b) => (a.node < b.node ? -1 : 1))

const activeOf = ({ live, draining }: OwnershipInput): readonly LiveNode[] => sorted(live).filter(({ node }) => !draining.includes(node))

const ranks = (live: readonly LiveNode[], node: string): number => sorted(live).findIndex((other) => other.node === node)

function ownedCounts({ shards, live }: OwnershipInput): Map<string, number> {
  const counts = new Map(live.map(({ node }) => [node, 0]))
  for (const configuration of shards.values()) {
    const owner = ownerOf(configuration, live)?.node
    if (owner !== undefined) counts.set(owner, counts.get(owner)! + 1)
  }
  return counts
}
