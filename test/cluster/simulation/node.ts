/**
 * A simulated node around the step function: its main loop, the thread that keeps the lease, its clock, its rows. It does
 * what the effects say, in their order, and serves clients as an engine would: evaluate under a lock of the key, write,
 * answer when it is committed.
 */
import type { LeasePolicy } from './lease.ts'
import type { Effect, ReplicaEvent } from '../../../src/cluster/replication/event.ts'
import type { PeerMessage } from '../../../src/cluster/replication/message.ts'
import { epochAt } from '../../../src/cluster/replication/state/epochs.ts'
import { startReplica } from '../../../src/cluster/replication/state/replica-state.ts'
import type { LogEntry } from '../../../src/cluster/replication/state/log-state.ts'
import type { ReplicaState } from '../../../src/cluster/replication/state/replica-state.ts'
import type { StepContext } from '../../../src/cluster/replication/state/turn.ts'
import { step } from '../../../src/cluster/replication/step.ts'
import type { ConfigStore } from './config-store.ts'
import { logStateOf } from './disk.ts'
import type { Disk, Files } from './disk.ts'
import { createMachine } from './machine.ts'
import type { Network } from './network.ts'
import { createRows } from './rows.ts'
import { createService } from './service.ts'
import type { Answer, Request } from './service.ts'
import type { World } from './world.ts'

export interface NodeOptions {
  readonly world: World
  readonly network: Network
  readonly store: ConfigStore
  readonly name: string
  readonly context: StepContext
  readonly lease: LeasePolicy
  readonly tickMs: number
  readonly keepAliveMs: number
  /** How much faster its clock runs than true time. */
  readonly clockRate: number
  readonly watch: NodeWatcher
  /** Called with every new state. */
  readonly seal?: ((state: ReplicaState) => void) | undefined
  deliver(to: string, message: PeerMessage): void
  filesOf(node: string, store: string): Files | undefined
}

/** Sees everything that a node does. */
export interface NodeWatcher {
  stepped(node: SimulatedNode, before: ReplicaState, effects: readonly Effect[]): void
  /** `deadlineMs` is until when the read might be served. */
  served(node: SimulatedNode, request: Request, deadlineMs: number): void
}

export interface SimulatedNode {
  readonly name: string
  /** undefined while it does not run. */
  readonly state: ReplicaState | undefined
  readonly disk: Disk
  readonly nowMs: number
  readonly entries: readonly LogEntry[]
  readonly waitingCount: number
  /** `incarnation` is that of this start. */
  start(disk: Disk, incarnation: number): void
  crash(): void
  /** The whole process stands still; `hang`: only its main loop. */
  pause(): void
  hang(): void
  resume(): void
  jumpClock(ms: number): void
  give(event: ReplicaEvent): void
  receive(message: PeerMessage): void
  request(request: Request, answer: (answer: Answer) => void): void
  flush(): void
  /** Stand still for that long between a read's effect and its snapshot, once. */
  stallNextServe(ms: number): void
}

export function createNode(options: NodeOptions, firstDisk: Disk): SimulatedNode {
  const { world, network, store, name, context, watch } = options
  const machine = createMachine(options)
  const { onMain, onMainWith } = machine
  let disk = firstDisk, state: ReplicaState | undefined
  let events: ReplicaEvent[] = []
  let serveStallMs = 0
  const rows = createRows(() => disk)
  const service = createService({ world, rows, give, served: (request, deadlineMs) => watch.served(node, request, deadlineMs), holds: (deadlineMs) => context.rules.leaseHolds(machine.nowMs, deadlineMs) })

  /** What effects lead to at once comes after all effects of the step. */
  function give(event: ReplicaEvent): void {
    if (state === undefined) return
    events.push(event)
    if (events.length > 1) return
    machine.progress()
    for (let i = 0; i < events.length; i++) {
      const before: ReplicaState = state
      const result = step(context, before, events[i]!, machine.nowMs)
      state = result.state
      options.seal?.(state)
      watch.stepped(node, before, result.effects)
      for (const effect of result.effects) carryOut(effect)
    }
    events = []
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'send': {
        const { message } = effect
        return network.send(name, message.to.node, () => options.deliver(message.to.node, message))
      }
      case 'appendLog': {
        const { entries, generation } = effect, throughSequence = entries.at(-1)!.lastSequence, { commitSequence } = state!
        rows.append(entries)
        return disk.request(() => {
          disk.log.push(...entries)
          disk.highWatermark = Math.max(disk.highWatermark, commitSequence)
        }, onMain(() => give({ kind: 'logged', generation, throughSequence })))
      }
      case 'truncateLog': {
        const { generation, toSequence } = effect
        rows.truncate(toSequence)
        return disk.request(() => void (disk.log = disk.log.filter(({ lastSequence }) => lastSequence <= toSequence)), onMain(() => give({ kind: 'logged', generation, throughSequence: toSequence })))
      }
      case 'storeEpoch':
        return disk.request(() => void (disk.storedEpoch = Math.max(disk.storedEpoch, effect.epoch)), onMain(() => give({ kind: 'epochStored', epoch: effect.epoch })))
      case 'readLog':
        return world.after(world.between(0.2, 2), onMain(() => give({ kind: 'entriesRead', store: effect.store, readId: effect.readId, entries: rows.read(effect.afterSequence) })))
      case 'fetchFiles':
        return fetchFiles(effect.from.node, effect.from.store, effect.through.sequence)
      case 'apply':
        return rows.apply(effect.throughSequence)
      case 'acknowledge':
      case 'refuse':
      case 'serve': {
        if (effect.kind === 'serve' && serveStallMs > 0) {
          const stallMs = serveStallMs
          serveStallMs = 0
          return world.after(stallMs, onMain(() => service.onEffect(effect)))
        }
        return service.onEffect(effect)
      }
      case 'swap': {
        let isAnswered = false
        const answer = (outcome: ReplicaEvent): (() => void) => onMain(() => {
          if (isAnswered) return
          isAnswered = true
          give(outcome)
        })
        store.swap(name, effect, (revision) => answer({ kind: 'swapped', swapId: effect.swapId, ...(revision === undefined ? { outcome: 'refused' } : { outcome: 'done', revision }) })())
        return world.after(context.timing.storeTimeoutMs, answer({ kind: 'swapped', swapId: effect.swapId, outcome: 'unknown' }))
      }
      case 'readConfiguration':
        return store.read(name, onMainWith((at) => give({ kind: 'configuration', at, isFresh: true })))
      case 'halt':
        return world.note(() => `${name} halts: ${effect.reason}`)
    }
  }

  function fetchFiles(from: string, fromStore: string, throughSequence: number): void {
    const fail = onMain(() => give({ kind: 'fetchFailed' }))
    if (network.isCut(name, from) || network.isCut(from, name)) return world.after(30, fail)
    world.after(world.between(5, 40), onMain(() => {
      const files = options.filesOf(from, fromStore)
      if (files === undefined || files.through.sequence < throughSequence) return fail()
      disk.request(() => {
        disk.files = files
        disk.log = []
      }, onMain(() => {
        rows.load()
        give({ kind: 'filesFetched', through: files.through })
      }))
    }))
  }

  const node: SimulatedNode = {
    name,
    get state() { return state },
    get disk() { return disk },
    get nowMs() { return machine.nowMs },
    get entries() { return rows.entries() },
    get waitingCount() { return service.waitingCount },
    start(foundDisk, incarnation) {
      if (state !== undefined) return
      disk = foundDisk
      machine.begin()
      disk.incarnation = incarnation
      rows.load()
      state = startReplica({ node: name, store: disk.store, incarnation: disk.incarnation }, { storedEpoch: disk.storedEpoch, log: logStateOf(disk) })
      world.note(() => `${name} starts with ${disk.store}, log to ${state!.log.lastSequence}, files to ${disk.files.through.sequence}`)
      store.onWatch(name, (at, live) => onMain(() => {
        give({ kind: 'live', nodes: live })
        give({ kind: 'configuration', at, isFresh: false })
      })())
      machine.repeat(options.tickMs, () => { if (!machine.isStill) give({ kind: 'tick' }) })
      machine.keepLease(() => state!.self, (leaseId, deadlineMs) => give({ kind: 'lease', leaseId, deadlineMs }))
    },
    crash() {
      if (state === undefined) return
      world.note(() => `${name} crashes`)
      machine.end()
      state = undefined
      events = []
      service.forget()
      disk.crash()
    },
    pause: machine.pause,
    hang: machine.hang,
    resume: machine.resume,
    jumpClock: machine.jumpClock,
    give: (event) => onMain(() => give(event))(),
    receive: (message) => onMain(() => give({ kind: 'message', message }))(),
    request: (request, answer) => { if (state !== undefined) onMain(() => service.take(request, answer))() },
    flush() {
      if (state === undefined || machine.isStill) return
      const { commitSequence, log } = state
      if (commitSequence <= disk.files.through.sequence) return
      const files: Files = { through: { sequence: commitSequence, epoch: epochAt(log.epochs, commitSequence) }, rows: rows.snapshot() }
      disk.request(() => {
        if (files.through.sequence <= disk.files.through.sequence) return
        disk.files = files
        disk.log = disk.log.filter(({ lastSequence }) => lastSequence > files.through.sequence)
      }, onMain(() => {
        rows.trim(files.through.sequence)
        give({ kind: 'trimmed', startSequence: files.through.sequence })
      }))
    },
    stallNextServe: (ms) => void (serveStallMs = ms),
  }
  return node
}
