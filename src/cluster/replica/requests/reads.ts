/**
 * Reads of a replica. The step function says when what is committed satisfies one; a part of a statement over several
 * shards may be committed and not released yet, so a read also waits until that is visible. Whoever asked looks at the
 * deadline in the turn of its snapshot.
 */
import type { Effect, ReadLevel, RefusalReason, ReplicaEvent } from '../../replication/event.ts'
import { refusalError } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

export interface ReadsOptions {
  readonly shard: number
  readonly clock: { monotonicMs(): number }
  readonly readMsMax: number
  give(event: Extract<ReplicaEvent, { kind: 'read' }>): void
  visibleSequence(): number
  commitSequence(): number
}

export interface Reads {
  read(level: ReadLevel, minSequence: number): Promise<{ readonly deadlineMs: number }>
  /** Resolves when it leads after this call was made, and all other members have nothing on disk that is not in its log. */
  confirm(): Promise<void>
  serve(effect: Extract<Effect, { kind: 'serve' }>): void
  refuse(id: string, reason: RefusalReason, leader: string | undefined): void
  /** More is visible. */
  visible(): void
  /** At every tick: what has waited for long for something to become visible is refused. */
  giveUp(): void
  refuseAll(refusal: Refusal): void
}

interface Read {
  /** Whether what is committed must be visible too. */
  readonly isToSee: boolean
  readonly level: ReadLevel
  readonly minSequence: number
  readonly resolve: (served: { readonly deadlineMs: number }) => void
  readonly reject: (error: Error) => void
}

/** One that the step function has served, and that waits for what was committed then. */
interface Showing {
  readonly read: Read
  readonly deadlineMs: number
  readonly sequence: number
  readonly sinceMs: number
}

const noneShowing: readonly Showing[] = []

export function createReads({ shard, clock, readMsMax, give, visibleSequence, commitSequence }: ReadsOptions): Reads {
  const asked = new Map<string, Read>()
  let showing = noneShowing
  let lastId = 0

  function ask(level: ReadLevel, minSequence: number, isToSee: boolean): Promise<{ readonly deadlineMs: number }> {
    return new Promise((resolve, reject) => {
      const id = String(++lastId)
      asked.set(id, { isToSee, level, minSequence, resolve, reject })
      give({ kind: 'read', id, level })
    })
  }

  function take(isDone: (one: Showing) => boolean): readonly Showing[] {
    const done = showing.filter(isDone)
    if (done.length > 0) showing = showing.filter((one) => !isDone(one))
    return done
  }

  return {
    read: (level, minSequence) => ask(level, minSequence, true),
    async confirm() {
      await ask({ kind: 'linearizable' }, 0, false)
    },
    serve({ id, deadlineMs }) {
      const read = asked.get(id)
      if (read === undefined) return
      asked.delete(id)
      const wanted = read.level.kind === 'session' ? read.level.afterSequence : commitSequence()
      const sequence = Math.max(wanted, read.minSequence)
      if (!read.isToSee || visibleSequence() >= sequence) read.resolve({ deadlineMs })
      else showing = [...showing, { read, deadlineMs, sequence, sinceMs: clock.monotonicMs() }]
    },
    refuse(id, reason, leader) {
      const read = asked.get(id)
      asked.delete(id)
      read?.reject(refusalError(refusalFor(reason, leader), shard))
    },
    visible() {
      if (showing.length === 0) return
      for (const { read, deadlineMs } of take(({ sequence }) => visibleSequence() >= sequence)) read.resolve({ deadlineMs })
    },
    giveUp() {
      if (showing.length === 0) return
      const nowMs = clock.monotonicMs()
      for (const { read } of take(({ sinceMs }) => nowMs - sinceMs >= readMsMax)) read.reject(refusalError({ kind: 'timedOut' }, shard))
    },
    refuseAll(refusal) {
      const reads = [...asked.values(), ...take(() => true).map(({ read }) => read)]
      asked.clear()
      for (const { reject } of reads) reject(refusalError(refusal, shard))
    },
  }
}

function refusalFor(reason: RefusalReason, leader: string | undefined): Refusal {
  if (reason === 'timedOut' || reason === 'notReady') return { kind: reason }
  return { kind: 'notLeader', leader }
}
