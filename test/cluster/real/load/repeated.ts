/** A statement that is asked for again, of another node each time, until it is answered; writes under an idempotency key. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../../../src/runtime/random.ts'
import { call, nowMs } from './call.ts'
import type { Answer, CallOutcome } from './call.ts'
import type { Recorder } from './recorder.ts'

export interface Target {
  readonly urls: readonly string[]
  readonly random: Random
  readonly recorder: Recorder
}

const attemptMs = 2_500, pauseMs = 50
export const patienceMs = 20_000

export const someUrl = ({ urls, random }: Target): string => urls[random.below(urls.length)]!

/** One attempt at a node. */
export async function once({ recorder }: Target, url: string, sql: string, headers?: Readonly<Record<string, string>>): Promise<CallOutcome> {
  const outcome = await call({ url, sql, timeoutMs: attemptMs, ...(headers !== undefined && { headers }) })
  recorder.outcome(outcome, url, sql)
  return outcome
}

/** undefined: no answer came, and it may have been done or may yet be. */
export async function repeated(target: Target, sql: string): Promise<Answer | undefined> {
  const headers = { 'idempotency-key': randomUUID() }
  const first = target.random.below(target.urls.length)
  const codes: string[] = []
  for (const endMs = nowMs() + patienceMs; nowMs() < endMs; await sleep(pauseMs)) {
    const url = target.urls[(first + codes.length) % target.urls.length]!
    const outcome = await once(target, url, sql, headers)
    if (outcome.kind === 'answered') return outcome.answer
    codes.push(outcome.code)
  }
  target.recorder.givenUp(`${sql.slice(0, 100)}: ${codes.join(', ')}`)
  return undefined
}
