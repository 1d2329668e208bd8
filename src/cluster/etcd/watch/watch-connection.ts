/**
 * One watch at one member, for as long as that holds. A stream that is silent and one whose member is frozen look alike,
 * so after a silence the member is asked for something small; without an answer the stream is given up.
 */
import { LsmtError } from '../../../errors.ts'
import type { CallEnvironment, Members } from '../calls/members.ts'
import { ofError } from '../calls/verdict.ts'
import type { Lines } from '../transport/transport.ts'
import { scopeFields } from '../wire/key-values.ts'
import type { KeyScope } from '../wire/key-values.ts'
import { watchFields, watchMessageOf } from '../wire/watch-message.ts'
import type { Change, WatchMessage } from '../wire/watch-message.ts'

export type ConnectionMessage = Exclude<WatchMessage, { readonly kind: 'canceled' | 'error' }>

/** lost: another member may do. failed: none will. */
export type ConnectionEnd = { readonly kind: 'lost'; readonly why: string } | { readonly kind: 'failed'; readonly error: LsmtError }

export interface ConnectionRequest {
  readonly endpoint: string
  readonly scope: KeyScope
  readonly fromRevision: bigint
  /** Ends it, as does the end of the environment. */
  readonly signal: AbortSignal | undefined
}

/** Whole messages, parts put together; none is read before it is asked for. */
export async function* connectWatch(environment: CallEnvironment, members: Members, request: ConnectionRequest): AsyncGenerator<ConnectionMessage, ConnectionEnd> {
  const { endpoint, scope, fromRevision } = request
  const { attemptMs, messageBytesMax } = environment.settings
  const watchdog = startWatchdog(environment, members, request)
  try {
    const opened = await members.open(endpoint, { path: 'watch', body: watchFields(scope, fromRevision), limitMs: attemptMs, signal: watchdog.signal })
    if (opened.kind === 'refused') return { kind: 'failed', error: opened.error }
    if (opened.kind !== 'open') return { kind: 'lost', why: opened.why }
    return yield* messages(opened.lines)
  } catch (error) {
    // What the member says is not understood.
    if (!(error instanceof LsmtError)) throw error
    return error.code === '58030' ? { kind: 'lost', why: error.message } : { kind: 'failed', error }
  } finally {
    watchdog.end()
  }

  async function* messages(lines: Lines): AsyncGenerator<ConnectionMessage, ConnectionEnd> {
    let parts: Change[] = []
    let partBytes = 0
    for (;;) {
      const line = await lines.next()
      if (line.done === true) return { kind: 'lost', why: watchdog.why() ?? line.value }
      watchdog.heard()
      const message = watchMessageOf(line.value)
      switch (message.kind) {
        case 'created': {
          const stranger = members.strangerAt(endpoint, message.clusterId)
          if (stranger !== undefined) return { kind: 'failed', error: stranger.error }
          yield message
          break
        }
        case 'changes':
          partBytes += line.value.length
          if (partBytes > messageBytesMax) return { kind: 'failed', error: new LsmtError('54000', `changes of one revision in etcd take more than ${messageBytesMax} bytes`) }
          parts.push(...message.changes)
          if (message.isPart) break
          yield { kind: 'changes', changes: parts, isPart: false }
          parts = []
          partBytes = 0
          break
        case 'canceled':
        case 'error':
          return endOf(message)
        case 'progress':
        case 'compacted':
          yield message
      }
    }
  }
}

function endOf(message: Extract<WatchMessage, { readonly kind: 'canceled' | 'error' }>): ConnectionEnd {
  const verdict = ofError(message.kind === 'error' ? message.fields : { message: message.why }, 200)
  if (verdict.kind === 'refused') return { kind: 'failed', error: verdict.error }
  return /permission denied/.test(verdict.why) ? { kind: 'failed', error: new LsmtError('42501', `etcd refused the watch: ${verdict.why}`) } : { kind: 'lost', why: verdict.why }
}

interface Watchdog {
  readonly signal: AbortSignal
  /** A message came. */
  heard(): void
  /** Why it ended the stream, if it did. */
  why(): string | undefined
  end(): void
}

function startWatchdog({ alarms, settings, closing }: CallEnvironment, members: Members, { endpoint, scope, signal }: ConnectionRequest): Watchdog {
  const stream = new AbortController()
  let takeBack = alarms.after(settings.attemptMs, () => stream.abort(new Error(`no watch within ${settings.attemptMs} ms`)))
  const givenUp = (): void => stream.abort(new Error('it was given up'))
  for (const outer of [closing, signal]) {
    if (outer?.aborted === true) givenUp()
    outer?.addEventListener('abort', givenUp)
  }

  const listen = (): void => {
    takeBack()
    takeBack = stream.signal.aborted ? () => {} : alarms.after(settings.watchSilenceMs, () => void look())
  }
  /** The member's own state is enough: one that has lost its leader ends its watches itself. */
  async function look(): Promise<void> {
    const verdict = await members.ask(endpoint, 'kv/range', { ...scopeFields(scope), limit: '1', keys_only: true, serializable: true }, settings.attemptMs)
    if (verdict.kind === 'unknown' || verdict.kind === 'untaken') stream.abort(new Error(`silent, and ${verdict.why}`))
    else listen()
  }
  return {
    signal: stream.signal,
    heard: listen,
    why: () => (stream.signal.aborted ? (stream.signal.reason as Error).message : undefined),
    end() {
      takeBack()
      givenUp()
      for (const outer of [closing, signal]) outer?.removeEventListener('abort', givenUp)
    },
  }
}
