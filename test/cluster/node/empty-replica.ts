/** A replica without data around the real step function: what membership does for replicas is real, what disks do is at once. */
import type { HostedReplica, ReplicaHost } from '../../../src/cluster/node/hosted-replica.ts'
import type { Effect, ReplicaEvent } from '../../../src/cluster/replication/event.ts'
import type { PeerMessage } from '../../../src/cluster/replication/message.ts'
import { rules } from '../../../src/cluster/replication/rules.ts'
import { endOfLog } from '../../../src/cluster/replication/state/log-state.ts'
import type { LogState } from '../../../src/cluster/replication/state/log-state.ts'
import { startReplica } from '../../../src/cluster/replication/state/replica-state.ts'
import { step } from '../../../src/cluster/replication/step.ts'
import { defaultTiming } from '../../../src/cluster/replication/timing.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createDeferred } from '../../../src/runtime/deferred.ts'
import type { Deferred } from '../../../src/runtime/deferred.ts'

/** What outlives the replica. */
export interface EmptyDisk {
  storedEpoch: number
  log: LogState
}

export interface EmptyReplica extends HostedReplica {
  readonly swaps: string[]
  receive(message: PeerMessage): void
  /** One entry. Resolves when it is committed; false when it is refused. */
  write(): Promise<boolean>
}

interface Options {
  readonly shard: number
  readonly host: ReplicaHost
  readonly disk: EmptyDisk
  send(message: PeerMessage): void
}

export function openEmptyReplica({ shard, host, disk, send }: Options): EmptyReplica {
  let state = startReplica(host.self, disk)
  const events: ReplicaEvent[] = [], swaps: string[] = []
  const writes = new Map<string, (isCommitted: boolean) => void>(), resigned: Deferred[] = []
  let writeCount = 0, isClosed = false

  function give(event: ReplicaEvent): void {
    if (isClosed) return
    events.push(event)
    if (events.length > 1) return
    for (let i = 0; i < events.length; i++) {
      const result = step({ rules, timing: { ...defaultTiming, changePauseMs: 300 } }, state, events[i]!, performance.now())
      state = result.state
      for (const effect of result.effects) carryOut(effect)
    }
    events.length = 0
    disk.log = state.log
    if (state.role.kind !== 'leader') for (const { resolve } of resigned.splice(0)) resolve()
    else if (state.role.resignByMs === undefined) for (const { reject } of resigned.splice(0)) reject(new LsmtError('55000', `no other member of shard ${shard} is heard of by ${host.self.node}, which leads it`))
  }

  async function swap({ swapId, ...request }: Extract<Effect, { kind: 'swap' }>): Promise<void> {
    const result = await host.swap(request)
    swaps.push(result.outcome)
    give(result.outcome === 'done' ? { kind: 'swapped', swapId, outcome: 'done', revision: result.revision } : { kind: 'swapped', swapId, outcome: result.outcome })
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'send': return send(effect.message)
      case 'appendLog': return void setImmediate(() => give({ kind: 'logged', generation: effect.generation, throughSequence: effect.entries.at(-1)!.lastSequence }))
      case 'truncateLog': return void setImmediate(() => give({ kind: 'logged', generation: effect.generation, throughSequence: effect.toSequence }))
      case 'storeEpoch':
        disk.storedEpoch = effect.epoch
        return void setImmediate(() => give({ kind: 'epochStored', epoch: effect.epoch }))
      // All entries are alike.
      case 'readLog': return void setImmediate(() => give({ kind: 'entriesRead', store: effect.store, readId: effect.readId, entries: entriesAfter(state.log, effect.afterSequence) }))
      case 'fetchFiles': return give({ kind: 'filesFetched', through: effect.through })
      case 'acknowledge': return settle(effect.id, true)
      case 'refuse': return settle(effect.id, false)
      case 'swap': return void swap(effect)
      case 'readConfiguration': return void host.readConfiguration().then((at) => at && give({ kind: 'configuration', at, isFresh: true }))
      case 'apply': case 'serve': case 'halt': return
    }
  }

  function settle(id: string, isCommitted: boolean): void {
    writes.get(id)?.(isCommitted)
    writes.delete(id)
  }

  const stopListening = host.listen(give)
  const ticking = setInterval(() => give({ kind: 'tick' }), defaultTiming.heartbeatMs / 2)
  return {
    shard, swaps,
    receive: (message) => give({ kind: 'message', message }),
    write: () => new Promise((resolve) => {
      const id = String(++writeCount)
      writes.set(id, resolve)
      give({ kind: 'write', id, operationCount: 1, batch: Buffer.alloc(32) })
    }),
    status() {
      const { role, epoch, log, commitSequence, halted } = state
      const leader = role.kind === 'leader' ? role : undefined
      return {
        role: role.kind, epoch, halted, commitSequence, durableSequence: log.durableSequence, lastEpoch: endOfLog(log).epoch, isFetching: false,
        isReady: leader !== undefined && commitSequence >= leader.sinceSequence,
        copies: state.known?.configuration.members.length ?? 0,
        peers: leader?.peers.map(({ id, matchSequence }) => ({ ...id, lag: log.lastSequence - matchSequence })) ?? [],
      }
    },
    move: (fromStore, to) => give({ kind: 'move', fromStore, to }),
    async resign() {
      const over = createDeferred()
      resigned.push(over)
      give({ kind: 'resign' })
      await over.promise
    },
    async close() {
      isClosed = true
      clearInterval(ticking)
      stopListening()
    },
  }
}

function entriesAfter({ epochs, lastSequence }: LogState, afterSequence: number): Extract<ReplicaEvent, { kind: 'entriesRead' }>['entries'] {
  const epochOf = (sequence: number): number => epochs.findLast(({ startSequence }) => startSequence < sequence)?.epoch ?? epochs[0]!.epoch
  return Array.from({ length: lastSequence - afterSequence }, (_, i) => ({ epoch: epochOf(afterSequence + 1 + i), baseSequence: afterSequence + 1 + i, lastSequence: afterSequence + 1 + i, batch: Buffer.alloc(32) }))
}
