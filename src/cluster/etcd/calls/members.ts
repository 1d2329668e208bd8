/** One request to one member: with the user's token, within a limit of time, and only of the cluster that answered first. */
import { LsmtError } from '../../../errors.ts'
import type { Alarms } from '../../../runtime/alarms.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Random } from '../../../runtime/random.ts'
import type { EtcdSettings } from '../etcd-settings.ts'
import type { Lines, Transport } from '../transport/transport.ts'
import type { Fields } from '../wire/fields.ts'
import type { Endpoints } from './endpoints.ts'
import type { Headers, Tokens } from './tokens.ts'
import { verdictOf } from './verdict.ts'
import type { Refusal, Verdict } from './verdict.ts'

export interface CallEnvironment {
  readonly transport: Transport
  readonly endpoints: Endpoints
  readonly settings: EtcdSettings
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly alarms: Alarms
  readonly random: Random
  /** Ends all calls. */
  readonly closing: AbortSignal
}

export type Failure = Exclude<Verdict, { readonly kind: 'done' }>

export interface StreamRequest {
  readonly path: string
  readonly body: Fields
  /** For a token, if one is needed. */
  readonly limitMs: number
  /** Ends the stream, whenever it aborts. */
  readonly signal: AbortSignal
}

export interface Members {
  ask(endpoint: string, path: string, body: Fields, limitMs: number): Promise<Verdict>
  open(endpoint: string, request: StreamRequest): Promise<{ readonly kind: 'open'; readonly lines: Lines } | Failure>
  /** The refusal of a member of another cluster than the first one's. */
  strangerAt(endpoint: string, clusterId: bigint): Refusal | undefined
}

/** A member that has lost sight of its leader refuses at once, and ends the watches it has. */
const leaderNeeded = { 'grpc-metadata-hasleader': 'true' } as const

export function createMembers(environment: CallEnvironment, tokens: Tokens): Members {
  const { clock, transport } = environment
  const strangerAt = createClusterCheck()

  const tokenAt = (endpoint: string, limitMs: number): ReturnType<Tokens['headers']> => tokens.headers((path, user) => post(environment, { endpoint, path, headers: {}, body: user, limitMs }))

  /** A verdict on the token alone lets it be got anew. */
  function afterToken(verdict: Failure, headers: Headers): Failure {
    const wantsToken = verdict.kind === 'token' || (verdict.kind === 'refused' && verdict.reason === 'no-token' && tokens.hasUser)
    if (!wantsToken) return verdict
    tokens.renew(headers)
    return { kind: 'token', why: verdict.kind === 'refused' ? verdict.error.message : verdict.why }
  }

  return {
    strangerAt,
    async ask(endpoint, path, body, limitMs) {
      const endMs = clock.monotonicMs() + limitMs
      const token = await tokenAt(endpoint, limitMs)
      if (token.kind !== 'done') return unsent(token)
      const verdict = await post(environment, { endpoint, path, headers: token.headers, body, limitMs: Math.max(1, endMs - clock.monotonicMs()) })
      return verdict.kind === 'done' ? (strangerAt(endpoint, verdict.clusterId) ?? verdict) : afterToken(verdict, token.headers)
    },
    async open(endpoint, { path, body, limitMs, signal }) {
      const token = await tokenAt(endpoint, limitMs)
      if (token.kind !== 'done') return unsent(token)
      const reply = await transport.stream({ endpoint, path, headers: { ...token.headers, ...leaderNeeded }, body: JSON.stringify(body), signal })
      if (reply.kind === 'open') return reply
      const verdict = verdictOf(reply)
      return verdict.kind === 'done' ? { kind: 'unknown', why: 'an answer where a stream should be' } : afterToken(verdict, token.headers)
    },
  }
}

/** Without a token nothing of the request itself was sent. */
const unsent = (verdict: Failure): Failure => (verdict.kind === 'refused' ? verdict : { kind: 'untaken', why: verdict.why })

interface Post {
  readonly endpoint: string
  readonly path: string
  readonly headers: Headers
  readonly body: Fields
  readonly limitMs: number
}

/** Ended when it takes longer. */
async function post({ transport, alarms, closing }: CallEnvironment, { endpoint, path, headers, body, limitMs }: Post): Promise<Verdict> {
  const end = new AbortController()
  const stop = (): void => end.abort(closing.reason)
  const takeBack = alarms.after(limitMs, () => end.abort(new Error(`no answer within ${Math.round(limitMs)} ms`)))
  closing.addEventListener('abort', stop)
  try {
    // The member is told, too, so that what we gave up does not take effect much later.
    return verdictOf(await transport.post({ endpoint, path, headers: { ...headers, ...leaderNeeded, 'grpc-timeout': `${Math.ceil(limitMs)}m` }, body: JSON.stringify(body), signal: end.signal }))
  } finally {
    takeBack()
    closing.removeEventListener('abort', stop)
  }
}

/** Revisions of two clusters have nothing to do with each other: an endpoint of another one is refused. */
function createClusterCheck(): Members['strangerAt'] {
  let first: { readonly endpoint: string; readonly clusterId: bigint } | undefined
  return (endpoint, clusterId) => {
    if (clusterId === 0n) return undefined
    first ??= { endpoint, clusterId }
    if (first.clusterId === clusterId) return undefined
    const message = `etcd endpoints belong to different clusters: ${first.endpoint} to ${first.clusterId}, ${endpoint} to ${clusterId}`
    return { kind: 'refused', reason: 'other', error: new LsmtError('22023', message, { hint: 'name members of one cluster only' }) }
  }
}
