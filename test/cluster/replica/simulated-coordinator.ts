/**
 * What a node does for clients over its replica, which keeps the shard of the coordinator: where it leads, it opens the
 * shard, releases what was committed, and appends. Requests are carried out once, by their record in the rows.
 */
import { refusalOf } from '../../../src/cluster/replica/refusal.ts'
import type { Replica } from '../../../src/cluster/replica/replica.ts'
import type { NodeRows, RequestOutcome } from '../simulation/rows.ts'
import type { Answer, Request } from '../simulation/service.ts'
import { batchOf } from './simulated-batch.ts'

export interface CoordinatorOptions {
  readonly replica: Replica
  readonly rows: NodeRows
  /** Every how many writes are parts, which must be released. */
  isPart(): boolean
  served(request: Request, deadlineMs: number): void
  holds(deadlineMs: number): boolean
  /** Stands still between what a read waits for and its snapshot, sometimes. */
  stall(): Promise<void> | undefined
  /** Resolves a little later. */
  pause(): Promise<void>
}

export interface Coordinator {
  request(request: Request, answer: (answer: Answer) => void): void
  readonly waitingCount: number
}

export function createCoordinator({ replica, rows, isPart, served, holds, stall, pause }: CoordinatorOptions): Coordinator {
  const lockedKeys = new Set<string>()
  let waitingCount = 0
  /** The leadership that is open, and where its next write goes. */
  let opened = { epoch: -1, nextSequence: 0 }
  let isOpening = false

  async function takeOver(): Promise<void> {
    if (isOpening) return
    isOpening = true
    for (let status = replica.status(); status.role === 'leader' && status.epoch !== opened.epoch; status = replica.status()) {
      try {
        const { epoch, lastSequence } = await replica.open(status.epoch)
        await replica.release(epoch, lastSequence, lastSequence)
        opened = { epoch, nextSequence: lastSequence + 1 }
      } catch (error) {
        if (refusalOf(error) === undefined && (error as Error).message !== 'no answer') throw error
        await pause()
      }
    }
    isOpening = false
  }

  async function write({ id, key, action }: Request, outcome: RequestOutcome): Promise<Answer> {
    const { role, epoch } = replica.status()
    if (role !== 'leader' || opened.epoch !== epoch) return { kind: 'refused', leader: undefined }
    const operationCount = outcome === 'written' ? 2 : 1, baseSequence = opened.nextSequence, isReleasedLater = isPart()
    const batch = batchOf({ request: id, key, outcome, value: action.kind === 'read' ? null : action.value }, operationCount, baseSequence, isReleasedLater)
    opened.nextSequence += operationCount
    const sequence = opened.nextSequence - 1
    try {
      const appended = replica.append(epoch, baseSequence, batch, isReleasedLater ? 'committed' : 'visible')
      await appended
      if (isReleasedLater) await replica.release(epoch, sequence, sequence)
    } catch (error) {
      if (refusalOf(error) === undefined) throw error
      return { kind: 'unknown' }
    }
    return outcome === 'mismatch' ? { kind: 'mismatch' } : { kind: 'written', sequence }
  }

  async function read(request: Request): Promise<{ readonly value: string | null; readonly sequence: number } | Answer> {
    for (;;) {
      let deadlineMs: number
      try {
        ({ deadlineMs } = await replica.read(request.level))
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal === undefined) throw error
        return { kind: 'refused', leader: refusal.kind === 'notLeader' ? refusal.leader : undefined }
      }
      await stall()
      // The snapshot first, then the clock.
      const found = { value: rows.value(request.key), sequence: rows.applied }
      if (!holds(deadlineMs)) continue
      served(request, deadlineMs)
      return found
    }
  }

  async function carryOut(request: Request): Promise<Answer> {
    const { id, key, action, level } = request
    const found = await read(action.kind === 'read' ? request : { ...request, level: level.kind === 'linearizable' ? level : { kind: 'lease' } })
    if ('kind' in found) return found
    if (action.kind === 'read') return { kind: 'value', ...found }
    const known = rows.outcome(id)
    if (known !== undefined) return known === 'mismatch' ? { kind: 'mismatch' } : { kind: 'written', sequence: found.sequence }
    if (lockedKeys.has(key)) return { kind: 'refused', leader: undefined }
    lockedKeys.add(key)
    try {
      return await write(request, action.kind === 'compareAndSet' && action.expected !== found.value ? 'mismatch' : 'written')
    } finally {
      lockedKeys.delete(key)
    }
  }

  replica.onChange(() => void takeOver())
  return {
    get waitingCount() { return waitingCount },
    request(request, answer) {
      waitingCount++
      void carryOut(request).then((given) => {
        waitingCount--
        answer(given)
      })
    },
  }
}
