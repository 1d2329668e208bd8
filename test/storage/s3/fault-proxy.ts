/**
 * A proxy in front of an S3 server that fails requests as networks and stores do, by a plan that sees each of them. Signed
 * requests pass unchanged: clients are given the proxy's endpoint instead of the server's.
 *
 *   const proxy = await startFaultProxy(server.endpoint)
 *   const address = { ...(await freshAddress()), endpoint: proxy.endpoint, settings: impatient }
 *   proxy.plan = seededFaults(seed, 0.2)
 *   …
 *   await proxy.settled()   // what was delayed has arrived
 *   await proxy.close()
 */
import { Agent, createServer, request as sendRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { S3Settings } from '../../../src/storage/s3/s3-settings.ts'

/**
 * - error-500, slow-down (503), conflict (409): that answer, and no effect.
 * - reset-before, silence-before: no effect, and the connection breaks, or stays without an answer.
 * - reset-after, silence-after: the effect, and the same.
 * - late: the connection breaks now, the effect comes after `delayMs`.
 * - duplicate: all is well, and the same request comes a second time after `delayMs`.
 * - truncate, stall: half of the answer's body, then the connection breaks, or stays without more.
 */
export const proxyFaults = ['error-500', 'slow-down', 'conflict', 'reset-before', 'reset-after', 'silence-before', 'silence-after', 'late', 'duplicate', 'truncate', 'stall'] as const
export type ProxyFault = (typeof proxyFaults)[number]

export interface ProxyRequest {
  /** Counted from 1. */
  readonly number: number
  readonly method: string
  /** Path and query: '/bucket/key?uploads'. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

export type FaultPlan = (request: ProxyRequest) => ProxyFault | undefined

export interface FaultProxy {
  readonly endpoint: string
  /** Asked for each request as it comes; none at the start. */
  plan: FaultPlan
  /** How often each fault was met. */
  readonly met: ReadonlyMap<ProxyFault, number>
  readonly requestCount: number
  /** Resolves once every delayed request has reached the server. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** Settings with which a client does not wait long for a server that is silent. */
export const impatient: Partial<S3Settings> = { requestTimeoutMs: 250, backoffFirstMs: 5, backoffMsMax: 50 }

/** A share of `rate` of all requests meets one of `faults`, by chance of the seed. */
export function seededFaults(seed: number, rate: number, faults: readonly ProxyFault[] = proxyFaults): FaultPlan {
  const random = seededRandom(seed)
  return ({ method }) => {
    const fault = random.nextFloat() < rate ? faults[random.below(faults.length)]! : undefined
    // Only conditional requests are answered so.
    return fault === 'conflict' && method !== 'PUT' ? 'slow-down' : fault
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export async function startFaultProxy(target: string, delayMs = 300): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true })
  const met = new Map<ProxyFault, number>()
  const delayed = new Set<Promise<void>>()
  let requestCount = 0

  const laterOn = (forward: () => Promise<unknown>): void => {
    const arrival: Promise<void> = new Promise((resolve) => setTimeout(resolve, delayMs)).then(forward).then(() => {}, () => {}).then(() => { delayed.delete(arrival) })
    delayed.add(arrival)
  }
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const seen: ProxyRequest = { number: ++requestCount, method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers }
    const body = await bodyOf(incoming)
    const forward = (): Promise<Answer> => send(target, agent, seen, body)
    const fault = proxy.plan(seen)
    if (fault !== undefined) met.set(fault, (met.get(fault) ?? 0) + 1)
    switch (fault) {
      case 'error-500':
        return answerError(outgoing, 500, 'InternalError')
      case 'slow-down':
        return answerError(outgoing, 503, 'SlowDown')
      case 'conflict':
        return answerError(outgoing, 409, 'ConditionalRequestConflict')
      case 'reset-before':
        return void outgoing.destroy()
      case 'reset-after':
        await forward()
        return void outgoing.destroy()
      case 'silence-before':
        return
      case 'silence-after':
        return void (await forward())
      case 'late':
        laterOn(forward)
        return void outgoing.destroy()
      case 'duplicate':
        laterOn(forward)
        return answer(outgoing, await forward())
      case 'truncate':
        return answerHalf(outgoing, await forward(), () => outgoing.destroy())
      case 'stall':
        return answerHalf(outgoing, await forward(), () => {})
      case undefined:
        return answer(outgoing, await forward())
    }
  }
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan: () => undefined,
    met,
    get requestCount() { return requestCount },
    settled: async () => { await Promise.all(delayed) },
    async close() {
      await Promise.all(delayed)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      agent.destroy()
    },
  }
  return proxy
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The host header stays the proxy's, since it is signed. */
async function send(target: string, agent: Agent, { method, url, headers }: ProxyRequest, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(target)
  return new Promise((resolve, reject) => {
    const outgoing = sendRequest({ agent, hostname, port, method, path: url, headers }, (incoming) => {
      bodyOf(incoming).then((received) => resolve({ status: incoming.statusCode ?? 500, headers: incoming.headers, body: received }), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function answer(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, withoutHops(headers))
  outgoing.end(body)
}

function answerHalf(outgoing: ServerResponse, { status, headers, body }: Answer, then: () => void): void {
  if (body.length < 2) return then()
  outgoing.writeHead(status, { ...withoutHops(headers), 'content-length': body.length })
  outgoing.write(body.subarray(0, body.length >> 1), then)
}

function answerError(outgoing: ServerResponse, status: number, code: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml' })
  outgoing.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>by the fault proxy</Message></Error>`)
}

const hops = ['connection', 'keep-alive', 'transfer-encoding']

/** Headers but those that speak of one connection. */
function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hops.includes(name)))
}
