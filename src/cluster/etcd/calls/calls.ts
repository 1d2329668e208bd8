/**
 * Calls that end: each has a deadline, each attempt at one member a shorter one, and a member that fails or is silent is
 * left for the next. What may be repeated is: reads always, writes only while it is certain that none took effect.
 */
import { LsmtError } from '../../../errors.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Fields } from '../wire/fields.ts'
import type { CallEnvironment, Members } from './members.ts'
import type { Refusal, Verdict } from './verdict.ts'

export interface Call<T> {
  /** Below '/v3/'. */
  readonly path: string
  readonly body: Fields
  /** It may take effect twice, or late: reads, and what is the same when done again. */
  readonly isRepeatable: boolean
  /** Throws an LsmtError for what it does not understand. */
  readonly decode: (answer: Fields) => T
  /** By default that of the settings. */
  readonly deadlineMs?: number
}

/** unknown: it may have taken effect, or may yet; `error` is 40003. unreachable: it did not; 08006. */
export type Outcome<T> =
  /** `sentAtMs` is when the attempt that was answered began, by the monotonic clock. */
  | { readonly kind: 'done'; readonly value: T; readonly sentAtMs: number }
  | Refusal
  | { readonly kind: 'unknown' | 'unreachable'; readonly error: LsmtError }

export interface Calls {
  attempt<T>(call: Call<T>): Promise<Outcome<T>>
  /** Throws the error of every outcome but 'done'. */
  result<T>(call: Call<T>): Promise<T>
}

type Judged<T> = { readonly kind: 'done'; readonly value: T } | Exclude<Verdict, { readonly kind: 'done' }>

export function createCalls(environment: CallEnvironment, members: Members): Calls {
  const { endpoints, settings, clock, alarms, random, closing } = environment

  async function attempt<T>(call: Call<T>): Promise<Outcome<T>> {
    const endMs = clock.monotonicMs() + (call.deadlineMs ?? settings.deadlineMs)
    const leftMs = (): number => endMs - clock.monotonicMs()
    let stepMs = settings.backoffFirstMs
    let why: string | undefined
    for (;;) {
      for (const endpoint of endpoints.round()) {
        if (closing.aborted || leftMs() <= 0) break
        const sentAtMs = clock.monotonicMs()
        const judged = judge(await members.ask(endpoint, call.path, call.body, Math.min(settings.attemptMs, leftMs())), call.decode)
        if (judged.kind === 'done') return { ...judged, sentAtMs }
        if (judged.kind === 'refused') return judged
        // What the end of the call cut short says less than what failed before.
        if (leftMs() > 0 || why === undefined) why = `${endpoint}: ${judged.why}`
        if (judged.kind !== 'token') endpoints.failed(endpoint)
        if (judged.kind === 'unknown' && !call.isRepeatable) return { kind: 'unknown', error: outcomeUnknown(call.path, why) }
      }
      const waitMs = stepMs * (0.5 + random.nextFloat() / 2)
      stepMs = Math.min(settings.backoffMsMax, stepMs * 2)
      if (closing.aborted || leftMs() <= waitMs) return { kind: 'unreachable', error: unreachable(endpoints.all, why ?? 'it was closed') }
      await pause(alarms, waitMs, closing)
    }
  }

  return {
    attempt,
    async result(call) {
      const outcome = await attempt(call)
      if (outcome.kind !== 'done') throw outcome.error
      return outcome.value
    },
  }
}

/** An answer that is not understood leaves open what happened. */
function judge<T>(verdict: Verdict, decode: (answer: Fields) => T): Judged<T> {
  if (verdict.kind !== 'done') return verdict
  try {
    return { kind: 'done', value: decode(verdict.answer) }
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    return { kind: 'unknown', why: error.message }
  }
}

function unreachable(all: readonly string[], why: string): LsmtError {
  return new LsmtError('08006', `etcd cannot be reached at ${all.join(', ')}: ${why}`, { hint: 'is etcd running there, and has it a majority of its members?' })
}

function outcomeUnknown(path: string, why: string): LsmtError {
  return new LsmtError('40003', `it is not known whether etcd carried out ${path}: ${why}`, { hint: 'read what is there now' })
}
