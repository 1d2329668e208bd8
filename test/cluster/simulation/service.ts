/** What a node does for clients, on top of the replica: requests with keys of their own, each carried out once. */
import type { Effect, ReadLevel, ReplicaEvent } from '../../../src/cluster/replication/event.ts'
import { encodeWrite } from './rows.ts'
import type { NodeRows, RequestOutcome } from './rows.ts'
import type { World } from './world.ts'

export interface Request {
  /** The same when it is sent again. */
  readonly id: string
  readonly key: string
  readonly action: { readonly kind: 'read' } | { readonly kind: 'write'; readonly value: string | null } | { readonly kind: 'compareAndSet'; readonly expected: string | null; readonly value: string | null }
  readonly level: ReadLevel
}

export type Answer =
  | { readonly kind: 'value'; readonly value: string | null; readonly sequence: number }
  | { readonly kind: 'written'; readonly sequence: number }
  | { readonly kind: 'mismatch' }
  /** Nothing happened; ask again, or somebody else. */
  | { readonly kind: 'refused'; readonly leader: string | undefined }
  | { readonly kind: 'unknown' }

interface Parts {
  readonly world: World
  readonly rows: NodeRows
  give(event: ReplicaEvent): void
  served(request: Request, deadlineMs: number): void
  /** Whether a deadline has not come yet, by the node's clock. */
  holds(deadlineMs: number): boolean
}

export interface Service {
  take(request: Request, answer: (answer: Answer) => void): void
  onEffect(effect: Extract<Effect, { kind: 'serve' | 'refuse' | 'acknowledge' }>): void
  forget(): void
  /** Requests without an answer. */
  readonly waitingCount: number
}

interface Waiting {
  readonly request: Request
  readonly answer: (answer: Answer) => void
  readonly outcome?: RequestOutcome
}

export function createService({ rows, give, served, holds }: Parts): Service {
  const reads = new Map<string, Waiting>(), writes = new Map<string, Waiting>(), lockedKeys = new Set<string>()
  let attempt = 0

  function serve(id: string, deadlineMs: number): void {
    const waiting = reads.get(id)
    if (waiting === undefined) return
    const { request, answer } = waiting
    // The snapshot first, then the clock.
    const value = rows.value(request.key), sequence = rows.applied
    if (deadlineMs !== Infinity && !holds(deadlineMs)) return give({ kind: 'read', id, level: request.level })
    reads.delete(id)
    served(request, deadlineMs)
    if (request.action.kind === 'read') return answer({ kind: 'value', value, sequence })
    const known = rows.outcome(request.id)
    if (known !== undefined) return answer(known === 'mismatch' ? { kind: 'mismatch' } : { kind: 'written', sequence })
    if (lockedKeys.has(request.key)) return answer({ kind: 'refused', leader: undefined })
    // That nothing was changed is recorded too: an earlier copy of the request may yet come, and find it otherwise.
    const outcome: RequestOutcome = request.action.kind === 'compareAndSet' && request.action.expected !== value ? 'mismatch' : 'written'
    lockedKeys.add(request.key)
    writes.set(id, { ...waiting, outcome })
    give({ kind: 'write', id, operationCount: outcome === 'written' ? 2 : 1, batch: encodeWrite({ request: request.id, key: request.key, outcome, value: request.action.value }) })
  }

  function take(table: Map<string, Waiting>, id: string): Waiting | undefined {
    const waiting = table.get(id)
    table.delete(id)
    if (waiting !== undefined && table === writes) lockedKeys.delete(waiting.request.key)
    return waiting
  }

  return {
    take(request, answer) {
      const id = `${request.id}#${++attempt}`
      reads.set(id, { request, answer })
      give({ kind: 'read', id, level: request.level })
    },
    onEffect(effect) {
      if (effect.kind === 'serve') serve(effect.id, effect.deadlineMs)
      else if (effect.kind === 'acknowledge') {
        const waiting = take(writes, effect.id)
        waiting?.answer(waiting.outcome === 'mismatch' ? { kind: 'mismatch' } : { kind: 'written', sequence: effect.sequence })
      } else (take(writes, effect.id) ?? take(reads, effect.id))?.answer(effect.reason === 'outcomeUnknown' ? { kind: 'unknown' } : { kind: 'refused', leader: effect.leader })
    },
    get waitingCount() { return reads.size + writes.size },
    forget() {
      reads.clear()
      writes.clear()
      lockedKeys.clear()
    },
  }
}
