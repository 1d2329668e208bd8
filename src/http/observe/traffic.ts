/**
 * Requests as the operator sees them: each has an id, which stands in its answer and in every line of the log about it.
 * Answers are told at debug, slow statements (by shape, without their values) at warn, our own faults and
 * outcomes that nobody knows at error.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Random } from '../../runtime/random.ts'
import type { PreparedText } from '../../sql/scan/supposed-text.ts'
import { createRequestIds, requestIdHeader, requestIdOf, setRequestId } from './own-headers.ts'
import { routeOf } from './route-name.ts'

export interface Traffic {
  /** To be called first for each request that has a response of Node's. */
  begin(request: IncomingMessage, response: ServerResponse): void
  /** For one that has none: its id, from what the client sent as such. */
  enter(sentId: string | undefined): string
  /** The answer of such a one is over. */
  left(answered: Answered): void
  /** An error that the operator should hear of. */
  fault(error: unknown, requestId: string): void
  /** Statements that have come to their end since `startMs`, however that was. */
  ran(prepared: PreparedText, startMs: number, requestId: string): void
  /** Requests without an answer yet. */
  readonly underWay: number
  /** Resolves when there are none, or when `msMax` have gone by. */
  settled(msMax: number): Promise<void>
}

export interface Answered {
  readonly requestId: string
  readonly method: string
  readonly route: string
  readonly status: number
  /** When its request began. */
  readonly startMs: number
  /** Whether it came to its end. */
  readonly whole: boolean
}

export interface TrafficOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Statements that take longer are told; 0 tells none. */
  readonly slowQueryMs: number
  /** Told of each answer: what it was of, and the seconds it took. */
  readonly onAnswered: (route: string, method: string, status: number, seconds: number) => void
}

const shapeLengthMax = 1000

export function createTraffic({ clock, random, log, slowQueryMs, onAnswered }: TrafficOptions): Traffic {
  const idOf = createRequestIds(random)
  let underWay = 0
  let onSettled = (): void => {}
  const left = ({ requestId, method, route, status, startMs, whole }: Answered): void => {
    if (--underWay === 0) onSettled()
    const ms = since(clock, startMs)
    onAnswered(route, method, status, ms / 1000)
    if (log.isDebug) log.debug({ requestId, method, route, status, ms, whole }, 'answered')
  }
  return {
    begin(request, response) {
      underWay++
      const startMs = clock.monotonicMs()
      setRequestId(response, idOf(request.headers[requestIdHeader]))
      response.on('close', () => {
        left({ requestId: requestIdOf(response), method: request.method ?? '', route: routeOf(request.url), status: response.statusCode, startMs, whole: response.writableFinished })
      })
    },
    enter(sentId) {
      underWay++
      return idOf(sentId)
    },
    left,
    fault(error, requestId) {
      const isUnknown = error instanceof LsmtError && error.code === '40003'
      log.error({ requestId, err: error }, isUnknown ? 'it is not known whether a request took effect' : 'a request failed by our fault')
    },
    ran(prepared, startMs, requestId) {
      if (slowQueryMs === 0) return
      const ms = since(clock, startMs)
      if (ms < slowQueryMs) return
      const statements = prepared.supposed === undefined ? prepared.statements : [prepared.supposed]
      const shape = statements.map((statement) => statement.shape).join('; ').slice(0, shapeLengthMax)
      log.warn({ requestId, ms, statements: prepared.count, shape }, 'slow query')
    },
    get underWay() { return underWay },
    settled(msMax) {
      if (underWay === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, msMax)
        onSettled = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    },
  }
}

function since(clock: Clock, startMs: number): number {
  return Math.round((clock.monotonicMs() - startMs) * 1000) / 1000
}
