/**
 * What an answer means for the request. Told apart because each asks for something else: a refusal is final, a request
 * that did not take effect may go to the next member, and of one whose outcome is unknown nobody may guess.
 */
import { LsmtError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { Reply } from '../transport/transport.ts'
import { fieldsOf, int64Of, messageOf, parseFields } from '../wire/fields.ts'
import type { Fields } from '../wire/fields.ts'

/** Why, as far as this room acts on it. */
export type RefusalReason = 'lease-missing' | 'lease-exists' | 'compacted' | 'no-token' | 'auth-off' | 'other'

export interface Refusal {
  readonly kind: 'refused'
  readonly reason: RefusalReason
  readonly error: LsmtError
}

/**
 * - done: it took effect. - refused: it did not, and never will. - token: it did not, for want of a valid token.
 * - untaken: it did not, and another member, or a later attempt, may take it. - unknown: it may have, or may yet.
 */
export type Verdict =
  | { readonly kind: 'done'; readonly answer: Fields; readonly clusterId: bigint }
  | Refusal
  | { readonly kind: 'token' | 'untaken' | 'unknown'; readonly why: string }

/** Numbers of gRPC's codes. */
const grpc = { invalid: 3, missing: 5, exists: 6, denied: 7, exhausted: 8, precondition: 9, range: 11, unimplemented: 12, unauthenticated: 16 } as const

const refusedAs: ReadonlyMap<number, ErrorCode> = new Map([
  [grpc.invalid, '22023'],
  [grpc.missing, '55000'],
  [grpc.exists, '55000'],
  [grpc.denied, '42501'],
  [grpc.precondition, '55000'],
  [grpc.range, '55000'],
  [grpc.unimplemented, '0A000'],
])

/** Refusals whose code says less than their text. */
const byText: readonly (readonly [RegExp, ErrorCode])[] = [
  [/user name is empty|authentication failed/, '28000'],
  [/request is too large|too many operations/, '54000'],
  [/database space exceeded/, '53100'],
]

/** Before anything is proposed: the member has no leader, may not take it, or has too much to do. */
const untakenTexts = /^etcdserver: (no leader|too many requests|rpc not supported for learner|not capable)$/
const tokenTexts = /invalid auth token|revision of auth store is old|revision in header is old/

export function verdictOf(reply: Reply): Verdict {
  if (reply.kind === 'failed') return { kind: reply.mayHaveArrived ? 'unknown' : 'untaken', why: reply.reason }
  const { status, body } = reply
  try {
    const answer = parseFields(body)
    // A stream that fails at its first message does so within an answer that began well.
    if (typeof answer['error'] === 'object') return ofError(fieldsOf(answer['error'], 'error'), status)
    return status === 200 ? { kind: 'done', answer, clusterId: clusterIdOf(answer) } : ofError(answer, status)
  } catch (error) {
    if (!(error instanceof LsmtError)) throw error
    return status === 404 ? notEtcd(body) : { kind: 'unknown', why: `status ${status}: ${error.message}` }
  }
}

/** 0n where it is not told. */
export const clusterIdOf = (answer: Fields): bigint => int64Of(fieldsOf(answer['header'], 'header')['cluster_id'], 'cluster_id')

/** Also of an error inside a stream. */
export function ofError(fields: Fields, status: number): Exclude<Verdict, { readonly kind: 'done' }> {
  const code = fields['code'] ?? fields['grpc_code']
  const text = messageOf(fields['message'] ?? fields['error'], `status ${status}`)
  if (code === grpc.unauthenticated || tokenTexts.test(text)) return { kind: 'token', why: text }
  if (untakenTexts.test(text)) return { kind: 'untaken', why: text }
  const special = byText.find(([pattern]) => pattern.test(text))?.[1]
  const known = special ?? (typeof code === 'number' ? refusedAs.get(code) : undefined)
  // Whatever else etcd says (timeouts, a changed leader, an overlong message on either way) leaves the outcome open.
  return known === undefined ? { kind: 'unknown', why: text } : refusal(known, text)
}

function refusal(code: ErrorCode, text: string): Refusal {
  return { kind: 'refused', reason: reasonOf(text), error: new LsmtError(code, `etcd refused: ${text}`, { actual: text, ...hintOf(code) }) }
}

function hintOf(code: ErrorCode): { readonly hint?: string } {
  if (code === '28000') return { hint: 'check the user and password for etcd' }
  if (code === '53100') return { hint: 'compact and defragment etcd, then disarm its alarm' }
  return {}
}

const reasons: readonly (readonly [RegExp, RefusalReason])[] = [
  [/requested lease not found/, 'lease-missing'],
  [/lease already exists/, 'lease-exists'],
  [/has been compacted/, 'compacted'],
  [/user name is empty/, 'no-token'],
  [/authentication is not enabled/, 'auth-off'],
]

const reasonOf = (text: string): RefusalReason => reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'other'

function notEtcd(body: string): Refusal {
  return { kind: 'refused', reason: 'other', error: new LsmtError('08006', `the endpoint has no etcd gateway of version 3.4 or newer: it answered 404 ${JSON.stringify(body.slice(0, 100))}`, { hint: "give the URLs of etcd's client ports" }) }
}
