/** A node of the simulation around the real replica: over the simulated clock, network, disk and configuration store. */
import { createPeerServices } from '../../../src/cluster/replica/peer-services.ts'
import type { PeerServices } from '../../../src/cluster/replica/peer-services.ts'
import { openReplica } from '../../../src/cluster/replica/open-replica.ts'
import type { PeerReplica } from '../../../src/cluster/replica/replica-options.ts'
import type { PeerMessage } from '../../../src/cluster/replication/message.ts'
import type { ReplicaEvent } from '../../../src/cluster/replication/event.ts'
import { startReplica } from '../../../src/cluster/replication/state/replica-state.ts'
import type { ReplicaState } from '../../../src/cluster/replication/state/replica-state.ts'
import type { ReplicaHost } from '../../../src/cluster/node/hosted-replica.ts'
import type { Transport } from '../../../src/cluster/transport/transport.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { logStateOf } from '../simulation/disk.ts'
import type { Disk } from '../simulation/disk.ts'
import { createMachine } from '../simulation/machine.ts'
import type { NodeOptions, SimulatedNode } from '../simulation/node.ts'
import { createRows } from '../simulation/rows.ts'
import type { NodeRows } from '../simulation/rows.ts'
import { createCoordinator } from './simulated-coordinator.ts'
import type { Coordinator } from './simulated-coordinator.ts'
import { writeIn } from './simulated-batch.ts'
import { createTrees } from './simulated-tree.ts'
import type { SimulatedTrees } from './simulated-tree.ts'

const log = createLog('silent', () => undefined)

export interface OpenedReplica {
  readonly replica: PeerReplica
  readonly rows: NodeRows
  /** Runs on the node's main loop, when it gets to it. */
  readonly call: (run: () => void) => void
  readonly receive: (message: PeerMessage) => void
  /** As if its log could not be written. */
  readonly fail: (error: Error) => void
}

export interface ReplicaNodesOptions {
  /** Replicas by node, as they are opened; then nobody coordinates them. Absent: each leader coordinates its own shard. */
  readonly opened?: Map<string, OpenedReplica>
  /** Of the leadership of shard 0, where that is not the one of these replicas. */
  readonly zeroEpoch?: () => number
  readonly fatal?: (error: unknown) => void
}

/** Makes the nodes of one cluster. */
export function replicaNodes(of: ReplicaNodesOptions = {}): (options: NodeOptions, firstDisk: Disk) => SimulatedNode {
  const services = new Map<string, PeerServices>()
  return (options, firstDisk) => createReplicaNode(options, firstDisk, services, of)
}

function createReplicaNode(options: NodeOptions, firstDisk: Disk, services: Map<string, PeerServices>, of: ReplicaNodesOptions): SimulatedNode {
  const { world, network, store, name, context, watch } = options
  const machine = createMachine(options)
  let disk = firstDisk, state: ReplicaState | undefined
  let replica: PeerReplica | undefined, coordinator: Coordinator | undefined, trees: SimulatedTrees | undefined
  let serveStallMs = 0
  const rows = createRows(() => disk, writeIn)
  const { onMainWith } = machine
  const onMain = (run: () => void): (() => void) => machine.onMain(() => {
    machine.progress()
    run()
  })
  const after = (ms: number): Promise<void> => new Promise((resolve) => world.after(ms, onMain(resolve)))

  function onMessage(from: string, body: Uint8Array): () => void {
    return () => services.get(name)?.onMessage(from, body)
  }

  /** What is sent is as it was when it left, whatever becomes of its buffers. */
  const transport: Pick<Transport, 'send' | 'stream'> = {
    send(to, parts) {
      const body = Buffer.concat(parts)
      network.send(name, to, () => options.deliver(to, { from: name, body } as never))
      return true
    },
    async *stream(to, method, parts, streamOptions) {
      const check = (): void => {
        if (network.isCut(name, to) || network.isCut(to, name) || !services.has(to)) throw new LsmtError('08006', `${to} cannot be reached`)
        if (streamOptions?.signal?.aborted === true) throw new LsmtError('57014', 'cancelled')
      }
      await after(world.between(1, 10))
      check()
      for await (const chunk of services.get(to)!.streams[method]!(Buffer.concat(parts), { from: name, signal: new AbortController().signal, connection: new AbortController().signal })) {
        await after(world.between(1, 10))
        check()
        yield chunk
      }
    },
  }

  const hostOf = (incarnation: number): ReplicaHost => ({
    self: { node: name, store: disk.store, incarnation },
    listen(listener) {
      const told = onMainWith((run: () => void) => run())
      store.onWatch(name, (at, live) => told(() => {
        listener({ kind: 'live', nodes: live })
        listener({ kind: 'configuration', at, isFresh: false })
      }))
      tellLease = (id, deadlineMs) => listener({ kind: 'lease', leaseId: id, deadlineMs })
      return () => undefined
    },
    swap: (request) => new Promise((resolve) => {
      store.swap(name, { kind: 'swap', swapId: 0, ...request }, onMainWith((revision: number | undefined) => resolve(revision === undefined ? { outcome: 'refused' } : { outcome: 'done', revision })))
      world.after(context.timing.storeTimeoutMs, onMain(() => resolve({ outcome: 'unknown' })))
    }),
    readConfiguration: () => new Promise((resolve) => {
      store.read(name, onMainWith(resolve))
      world.after(context.timing.storeTimeoutMs, onMain(() => resolve(undefined)))
    }),
  })
  let tellLease = (_id: number, _deadlineMs: number): void => undefined

  async function open(incarnation: number): Promise<void> {
    const source = trees!, { life } = machine
    const opened = await openReplica({
      shard: 0, host: hostOf(incarnation), trees: source, transport, log, ...context,
      clock: { monotonicMs: () => machine.nowMs },
      alarms: { after: (ms, ring) => { world.after(ms, onMain(ring)); return () => undefined } },
      batchBytesMax: 1_000_000,
      watch(before, now, effects) {
        state = now
        options.seal?.(now)
        watch.stepped(node, before, effects)
      },
      readShardZeroEpoch: () => new Promise((resolve, reject) => {
        store.read(name, onMainWith(({ configuration }) => resolve(of.zeroEpoch?.() ?? configuration.epoch)))
        world.after(context.timing.storeTimeoutMs, onMain(() => reject(new Error('no answer'))))
      }),
      fatal: of.fatal ?? ((error) => { throw error }),
    })
    if (life !== machine.life) return
    replica = opened
    services.set(name, createPeerServices(name, () => replica))
    if (of.opened !== undefined) return void of.opened.set(name, { replica: opened, rows, receive: (message) => opened.receive(message), fail: source.fail, call: onMainWith((run: () => void) => run()) })
    coordinator = createCoordinator({
      replica: opened, rows,
      isPart: () => world.oneIn(3),
      served: (request, deadlineMs) => watch.served(node, request, deadlineMs),
      holds: (deadlineMs) => deadlineMs === Infinity || context.rules.leaseHolds(machine.nowMs, deadlineMs),
      pause: () => after(world.between(5, 20)),
      stall() {
        if (serveStallMs === 0) return undefined
        const stallMs = serveStallMs
        serveStallMs = 0
        return after(stallMs)
      },
    })
  }

  /** What a schedule does to a replica beside its faults. */
  function give(event: ReplicaEvent): void {
    if (event.kind === 'move') replica?.move(event.fromStore, event.to)
    else if (event.kind === 'resign') replica?.resign().catch(unlessNobodyFollows)
    else throw new Error(`a schedule gives ${event.kind}`)
  }

  const node: SimulatedNode = {
    name,
    get state() { return state },
    get disk() { return disk },
    get nowMs() { return machine.nowMs },
    get entries() { return rows.entries() },
    get waitingCount() { return coordinator?.waitingCount ?? 0 },
    start(foundDisk, incarnation) {
      if (state !== undefined) return
      disk = foundDisk
      machine.begin()
      disk.incarnation = incarnation
      state = startReplica({ node: name, store: disk.store, incarnation }, { storedEpoch: disk.storedEpoch, log: logStateOf(disk) })
      world.note(() => `${name} starts with ${disk.store}, log to ${state!.log.lastSequence}, files to ${disk.files.through.sequence}`)
      trees = createTrees({ disk, rows, onMain, admit: () => (world.oneIn(20) ? after(world.between(1, 30)) : undefined) })
      void open(incarnation)
      machine.keepLease(() => state!.self, (leaseId, deadlineMs) => tellLease(leaseId, deadlineMs))
    },
    crash() {
      if (state === undefined) return
      world.note(() => `${name} crashes`)
      machine.end()
      services.delete(name)
      of.opened?.delete(name)
      state = replica = coordinator = undefined
      disk.crash()
    },
    pause: machine.pause,
    hang: machine.hang,
    resume: machine.resume,
    jumpClock: machine.jumpClock,
    give: (event) => onMain(() => give(event))(),
    receive: (message) => {
      const { from, body } = message as unknown as { readonly from: string; readonly body: Uint8Array }
      onMain(onMessage(from, body))()
    },
    request: (request, answer) => { if (coordinator !== undefined) onMain(() => coordinator?.request(request, answer))() },
    flush() {
      if (state !== undefined && !machine.isStill) trees!.flush()
    },
    stallNextServe: (ms) => void (serveStallMs = ms),
  }
  return node
}

/** It goes on then. */
function unlessNobodyFollows(error: unknown): void {
  if (!(error instanceof LsmtError) || error.code !== '55000') throw error
}
