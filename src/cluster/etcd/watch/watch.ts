/**
 * Changes as they happen, each once and in order of revisions, across any number of lost connections: a new one begins
 * behind the last revision that was told. What etcd has compacted cannot be told; then the owner has to list again.
 */
import { pause } from '../../../runtime/alarms.ts'
import type { CallEnvironment, Members } from '../calls/members.ts'
import type { KeyScope } from '../wire/key-values.ts'
import { changeRevisionOf } from '../wire/watch-message.ts'
import type { Change } from '../wire/watch-message.ts'
import { connectWatch } from './watch-connection.ts'
import type { ConnectionEnd } from './watch-connection.ts'

export type WatchEvent =
  /** All changes of each revision in it; the last one is `revision`. */
  | { readonly kind: 'changes'; readonly revision: bigint; readonly changes: readonly Change[] }
  /** Nothing happened up to that revision that was not told. */
  | { readonly kind: 'progress'; readonly revision: bigint }
  /** The last event: changes before that revision are lost. List, and watch from the listing's revision plus one. */
  | { readonly kind: 'compacted'; readonly compactRevision: bigint }

export interface WatchRequest {
  readonly scope: KeyScope
  /** The first revision whose changes are wanted; one that is yet to come is waited for. */
  readonly fromRevision: bigint
  /** Ends the watch, as leaving its loop does. */
  readonly signal?: AbortSignal
  /** Told of each lost connection, for logs. */
  readonly onLost?: (endpoint: string, why: string) => void
  /** Told when a member has taken it up, for the first time or again. */
  readonly onBegun?: (endpoint: string) => void
}

export type Watch = (request: WatchRequest) => AsyncGenerator<WatchEvent, void>

/**
 * Events are read as they are asked for: a slow owner slows the member, which keeps what it could not send. Throws what
 * no other member would do better: no permission, no such user, a message that is too large.
 */
export function createWatch(environment: CallEnvironment, members: Members): Watch {
  const { endpoints, settings, alarms, random, closing } = environment
  return async function* watch({ scope, fromRevision, signal, onLost, onBegun }) {
    let next = fromRevision
    let stepMs = settings.backoffFirstMs
    const isEnded = (): boolean => closing.aborted || signal?.aborted === true
    while (!isEnded()) {
      const endpoint = endpoints.round()[0]!
      const end = yield* connection(endpoint)
      if (end.kind === 'failed') throw end.error
      if (end.kind === 'over' || isEnded()) return
      onLost?.(endpoint, end.why)
      endpoints.failed(endpoint)
      await pause(alarms, stepMs * (0.5 + random.nextFloat() / 2), signal ?? closing)
      stepMs = Math.min(settings.backoffMsMax, stepMs * 2)
    }

    async function* connection(endpoint: string): AsyncGenerator<WatchEvent, ConnectionEnd | { readonly kind: 'over' }> {
      const messages = connectWatch(environment, members, { endpoint, scope, fromRevision: next, signal })
      try {
        for (;;) {
          const step = await messages.next()
          if (step.done === true) return step.value
          const message = step.value
          switch (message.kind) {
            case 'created':
              stepMs = settings.backoffFirstMs
              onBegun?.(endpoint)
              break
            case 'changes': {
              const revision = changeRevisionOf(message.changes.at(-1)!)
              next = revision + 1n
              yield { kind: 'changes', revision, changes: message.changes }
              break
            }
            case 'progress':
              // Of a member that lags it may be behind what another one told.
              if (message.revision < next) break
              next = message.revision + 1n
              yield message
              break
            case 'compacted':
              yield message
              return { kind: 'over' }
          }
        }
      } finally {
        await messages.return({ kind: 'lost', why: 'left' })
      }
    }
  }
}
