/** What must hold after every step, whatever happens; and what clients saw. */
import type { ShardConfiguration } from '../../../src/cluster/replication/configuration.ts'
import type { Effect } from '../../../src/cluster/replication/event.ts'
import type { LogEntry } from '../../../src/cluster/replication/state/log-state.ts'
import type { ReplicaState } from '../../../src/cluster/replication/state/replica-state.ts'
import type { RegisterOperation } from '../linearizability.ts'
import type { Disk } from './disk.ts'
import { endOnDisk } from './disk.ts'
import { createLedger } from './ledger.ts'
import type { NodeWatcher, SimulatedNode } from './node.ts'
import type { Request } from './service.ts'
import type { World } from './world.ts'

export interface Observer extends NodeWatcher {
  readonly violations: readonly string[]
  readonly history: RegisterOperation[]
  /** How often what happened: effects, messages, changes of the configuration that were asked for, reads that were served. */
  readonly counts: ReadonlyMap<string, number>
  configurationChanged(configuration: ShardConfiguration): void
  report(violation: string): void
  /** Whether a disk has all that was ever committed. */
  hasAll(disk: Disk): boolean
}

export interface Watched {
  readonly nodes: readonly SimulatedNode[]
  readonly lostDisks: readonly Disk[]
  /** Of everything that is written. */
  readonly factor: number
}

/** Slack for clocks that differ in rate, and for the moment between an acknowledgement and the client's hearing of it. */
const staleSlack = 1.1

export function createObserver(world: World, watched: () => Watched): Observer {
  const violations: string[] = [], history: RegisterOperation[] = []
  const ledger = createLedger(report)
  const leaders = new Map<number, string>()
  const acknowledged: { readonly atMs: number; readonly sequence: number }[] = []
  const counts = new Map<string, number>(), ended = new Set<string>()
  let lastEpoch = 0, lastVersion = 0

  function report(violation: string): void {
    violations.push(`at ${world.nowMs.toFixed(1)} ms: ${violation}`)
    world.note(() => `VIOLATION ${violation}`)
  }

  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1)

  const committedSequence = (): number => ledger.last?.lastSequence ?? 0

  function commit(node: SimulatedNode, from: number, through: number): void {
    let end = from
    for (const entry of node.entries) {
      if (entry.lastSequence <= from || entry.lastSequence > through) continue
      end = entry.lastSequence
      ledger.commit(node.name, node.state!.epoch, entry)
    }
    if (end !== through) report(`${node.name} commits up to ${through}, where no entry ends`)
  }

  function hasEntry({ log, files }: Disk, entry: LogEntry): boolean {
    if (files.through.sequence >= entry.lastSequence) return true
    for (let i = log.length - 1; i >= 0 && log[i]!.lastSequence >= entry.lastSequence; i--) if (log[i]!.lastSequence === entry.lastSequence) return log[i]!.epoch === entry.epoch
    return false
  }

  function acknowledge(node: SimulatedNode, sequence: number, epoch: number): void {
    const entry = ledger.entryAt(sequence)
    if (entry === undefined) return report(`${node.name} acknowledges sequence ${sequence}, which is not committed`)
    const { nodes, lostDisks, factor } = watched()
    // One that is lost while its answer is on the way was a copy.
    const copies = [...nodes.map(({ disk }) => disk), ...lostDisks].filter((disk) => hasEntry(disk, entry)).length
    if (copies < factor) report(`${node.name} acknowledges sequence ${sequence} with ${copies} copies on disk`)
    const name = `${node.name}/${node.state!.self.incarnation}`, known = leaders.get(epoch)
    if (known !== undefined && known !== name) report(`${known} and ${name} acknowledge in epoch ${epoch}`)
    leaders.set(epoch, name)
    acknowledged.push({ atMs: world.nowMs, sequence })
  }

  function becomeLeader({ name }: SimulatedNode, { log, epoch }: ReplicaState): void {
    world.note(() => `${name} leads epoch ${epoch} from sequence ${log.lastSequence}`)
    ledger.lead({ name, epoch, log })
  }

  function stepped(node: SimulatedNode, before: ReplicaState, effects: readonly Effect[]): void {
    const after = node.state!
    if (after.halted !== undefined && before.halted === undefined) report(`${node.name} halts: ${after.halted}`)
    if (after.commitSequence < before.commitSequence) report(`${node.name} takes its commit back from ${before.commitSequence} to ${after.commitSequence}`)
    if (after.epoch < before.epoch) report(`${node.name} goes back from epoch ${before.epoch} to ${after.epoch}`)
    if (after.role.kind === 'leader' && before.role.kind !== 'leader') becomeLeader(node, after)
    let from = before.commitSequence
    for (const effect of effects) {
      count(effectName(effect, after))
      if (effect.kind === 'acknowledge' || (effect.kind === 'refuse' && effect.reason === 'outcomeUnknown')) {
        const write = `${node.name}/${after.self.incarnation}/${effect.id}`
        if (ended.has(write)) report(`${node.name} answers the write ${effect.id} twice`)
        ended.add(write)
      }
      if (effect.kind === 'apply') {
        commit(node, from, effect.throughSequence)
        from = effect.throughSequence
      } else if (effect.kind === 'acknowledge') acknowledge(node, effect.sequence, effect.epoch)
      else if (effect.kind === 'truncateLog' && effect.toSequence < before.commitSequence) report(`${node.name} truncates to ${effect.toSequence}, below its commit ${before.commitSequence}`)
    }
  }

  function served(node: SimulatedNode, { level }: Request, deadlineMs: number): void {
    const { commitSequence } = node.state!
    count(`serve ${level.kind}`)
    if (level.kind === 'session' && commitSequence < level.afterSequence) report(`${node.name} serves a session of sequence ${level.afterSequence} at ${commitSequence}`)
    // One without a deadline was confirmed like a linearizable read: it is as of when it came, however long the node then stood still.
    if (level.kind !== 'stale' || deadlineMs === Infinity) return
    const asOfMs = world.nowMs - level.staleMsMax * staleSlack - 1
    for (let i = acknowledged.length - 1; i >= 0 && acknowledged[i]!.sequence > commitSequence; i--) {
      if (acknowledged[i]!.atMs < asOfMs) return report(`${node.name} serves a read of ${level.staleMsMax} ms at sequence ${commitSequence}, where ${acknowledged[i]!.sequence} was acknowledged ${(world.nowMs - acknowledged[i]!.atMs).toFixed(1)} ms ago`)
    }
  }

  /** Whoever can be elected has everything; the number of copies never falls. */
  function configurationChanged(configuration: ShardConfiguration): void {
    const { nodes, factor } = watched()
    const { members, epoch, version } = configuration
    if (members.length !== factor) report(`the configuration has ${members.length} members`)
    if (epoch < lastEpoch || version !== lastVersion + 1 && lastVersion !== 0) report(`epoch ${epoch} version ${version} after epoch ${lastEpoch} version ${lastVersion}`)
    lastEpoch = epoch
    lastVersion = version
    for (const { store } of members) {
      const disk = nodes.find((node) => node.disk.store === store)?.disk
      if (disk !== undefined && !hasAll(disk)) report(`${store} is a member with its log to ${endOnDisk(disk)}, where ${committedSequence()} is committed`)
    }
  }

  const hasAll = (disk: Disk): boolean => ledger.last === undefined || hasEntry(disk, ledger.last)

  return {
    violations,
    history,
    counts,
    stepped,
    served,
    configurationChanged,
    report,
    hasAll,
  }
}

function effectName(effect: Effect, { proposal }: ReplicaState): string {
  if (effect.kind === 'send') return `send ${effect.message.kind}`
  if (effect.kind === 'swap') return `swap ${proposal?.purpose}`
  return effect.kind === 'refuse' ? `refuse ${effect.reason}` : effect.kind
}
