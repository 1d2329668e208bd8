/**
 * A simulated node around the step function: its main loop, the thread that keeps the lease, its clock, its rows. It does
 * what the effects say, in their order, and serves clients as an engine would: evaluate under a lock of the key, write,
 * answer when it is committed.
 */
import { leaseDeadlineMs, mayKeepAlive } from './lease.ts'
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
  const { world, network, store, name, context, lease, watch } = options
  let disk = firstDisk, state: ReplicaState | undefined, life = 0
  let events: ReplicaEvent[] = []
  let isStopped = false, isHung = false, backlog: (() => void)[] = []
  let clockOffsetMs = 0, progressMs = 0, leaseId: number | undefined, serveStallMs = 0
  const rows = createRows(() => disk)
  const clockMs = (): number => world.nowMs * options.clockRate + clockOffsetMs
  const service = createService({ world, rows, give, served: (request, deadlineMs) => watch.served(node, request, deadlineMs), holds: (deadlineMs) => context.rules.leaseHolds(clockMs(), deadlineMs) })

  /** Runs on the main loop of this life, when it gets to it. */
  function onMain(run: () => void): () => void {
    const mine = life
    return () => {
      if (mine !== life) return
      if (isStopped || isHung) backlog.push(run)
      else run()
    }
  }

  /** What effects lead to at once comes after all effects of the step. */
  function give(event: ReplicaEvent): void {
    if (state === undefined) return
    events.push(event)
    if (events.length > 1) return
    progressMs = clockMs()
    for (let i = 0; i < events.length; i++) {
      const before: ReplicaState = state
      const result = step(context, before, events[i]!, clockMs())
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

  function onMainWith<T>(run: (value: T) => void): (value: T) => void {
    const mine = life
    return (value) => { if (mine === life) onMain(() => run(value))() }
  }

  function fetchFiles(from: string, fromStore: string, throughSequence: number): void {
    const fail = onMain(() => give({ kind: 'fetchFailed' }))
    if (network.isCut(name, from) || network.isCut(from, name)) return world.after(30, fail)
    const mine = life
    world.after(world.between(5, 40), () => {
      if (mine !== life) return
      const files = options.filesOf(from, fromStore)
      if (files === undefined || files.through.sequence < throughSequence) return fail()
      disk.request(() => {
        disk.files = files
        disk.log = []
      }, onMain(() => {
        rows.load()
        give({ kind: 'filesFetched', through: files.through })
      }))
    })
  }

  function repeat(everyMs: number, run: () => void): void {
    const mine = life
    const again = (): void => {
      if (mine !== life) return
      run()
      world.after(everyMs, again)
    }
    world.after(world.random.nextFloat() * everyMs, again)
  }

  /** Of the thread that keeps the lease: it goes on while the main loop hangs, for a while. */
  function keepAlive(): void {
    if (isStopped || !mayKeepAlive(clockMs(), progressMs, lease)) return
    const sentAtMs = clockMs(), mine = life
    store.keepAlive({ ...state!.self }, leaseId, (granted) => {
      if (mine !== life) return
      leaseId = granted
      onMain(() => give({ kind: 'lease', leaseId: granted, deadlineMs: leaseDeadlineMs(sentAtMs, lease) }))()
    })
    if (world.oneIn(4)) store.list(name)
  }

  const node: SimulatedNode = {
    name,
    get state() { return state },
    get disk() { return disk },
    get nowMs() { return clockMs() },
    get entries() { return rows.entries() },
    get waitingCount() { return service.waitingCount },
    start(foundDisk, incarnation) {
      if (state !== undefined) return
      disk = foundDisk
      life++
      leaseId = undefined
      disk.incarnation = incarnation
      rows.load()
      state = startReplica({ node: name, store: disk.store, incarnation: disk.incarnation }, { storedEpoch: disk.storedEpoch, log: logStateOf(disk) })
      world.note(() => `${name} starts with ${disk.store}, log to ${state!.log.lastSequence}, files to ${disk.files.through.sequence}`)
      store.onWatch(name, (at, live) => onMain(() => {
        give({ kind: 'live', nodes: live })
        give({ kind: 'configuration', at, isFresh: false })
      })())
      progressMs = clockMs()
      const tick = (): void => onMain(() => give({ kind: 'tick' }))()
      repeat(options.tickMs, () => { if (!isStopped && !isHung) tick() })
      keepAlive()
      store.list(name)
      repeat(options.keepAliveMs, keepAlive)
    },
    crash() {
      if (state === undefined) return
      world.note(() => `${name} crashes`)
      life++
      state = undefined
      events = []
      backlog = []
      isStopped = isHung = false
      service.forget()
      disk.crash()
    },
    pause: () => void (isStopped = true),
    hang: () => void (isHung = true),
    resume() {
      isStopped = isHung = false
      const waiting = backlog
      backlog = []
      for (const run of waiting) run()
    },
    jumpClock: (ms) => void (clockOffsetMs += ms),
    give: (event) => onMain(() => give(event))(),
    receive: (message) => onMain(() => give({ kind: 'message', message }))(),
    request: (request, answer) => { if (state !== undefined) onMain(() => service.take(request, answer))() },
    flush() {
      if (state === undefined || isStopped || isHung) return
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
