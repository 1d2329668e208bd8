/**
 * Requests as the operator sees them: each has an id, which stands in its answer and in every line of the log about it.
 * Answers are told at debug, slow statements (by shape, without their values) at warn, our own faults at error.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Random } from '../../runtime/random.ts'
import type { PreparedText } from '../../sql/run/text-run.ts'
import { createRequestIds, requestIdHeader, requestIdOf, setRequestId } from './own-headers.ts'
import { routeOf } from './route-name.ts'

export interface Traffic {
  /** To be called first for each request. */
  begin(request: IncomingMessage, response: ServerResponse): void
  /** An error that is our fault. */
  fault(error: unknown, response: ServerResponse): void
  /** Statements that have come to their end since `startMs`, however that was. */
  ran(prepared: PreparedText, startMs: number, response: ServerResponse): void
  /** Requests without an answer yet. */
  readonly underWay: number
  /** Resolves when there are none, or when `msMax` have gone by. */
  settled(msMax: number): Promise<void>
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
  return {
    begin(request, response) {
      underWay++
      const startMs = clock.monotonicMs()
      setRequestId(response, idOf(request.headers[requestIdHeader]))
      response.on('close', () => {
        if (--underWay === 0) onSettled()
        const route = routeOf(request.url)
        const ms = since(clock, startMs)
        onAnswered(route, request.method ?? '', response.statusCode, ms / 1000)
        if (log.isDebug) log.debug({ requestId: requestIdOf(response), method: request.method, route, status: response.statusCode, ms, whole: response.writableFinished }, 'answered')
      })
    },
    fault(error, response) {
      log.error({ requestId: requestIdOf(response), err: error }, 'a request failed by our fault')
    },
    ran({ statements }, startMs, response) {
      const ms = since(clock, startMs)
      if (slowQueryMs === 0 || ms < slowQueryMs) return
      const shape = statements.map((statement) => statement.shape).join('; ').slice(0, shapeLengthMax)
      log.warn({ requestId: requestIdOf(response), ms, statements: statements.length, shape }, 'slow query')
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
