/**
 * The lane: the short way of `POST /query`. To read a small request and to write its answer costs Node as much as all
 * that is done in between, so connections come here first: a request as clients mostly send it, a plain head and a body
 * of known length that comes with it or right behind, is read from its bytes and answered by one write.
 *
 * What is not exactly of this kind is handed over to Node before anything was done about it, with its connection, which
 * does not come back. So refusals, slow and large bodies, pipelines and all other routes are treated in one place.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../runtime/clock.ts'
import { createGenerationCache } from '../../sql/shape-cache.ts'
import type { FormatName } from '../format/choose-format.ts'
import { accessFor } from '../guard/clients.ts'
import type { Clients } from '../guard/clients.ts'
import type { Connections } from '../guard/connections.ts'
import type { HttpLimits } from '../guard/limits.ts'
import type { Access } from '../guard/tokens.ts'
import { readQueryHead } from '../query/query-request.ts'
import { answerArrived } from '../query/query-route.ts'
import type { QueryRoute } from '../query/query-route.ts'
import { requestIdHeader } from '../observe/own-headers.ts'
import { LaneConnection } from './lane-connection.ts'
import type { LaneFloor } from './lane-connection.ts'
import { readLaneHead } from './lane-head.ts'
import type { LaneHead } from './lane-head.ts'
import { createDates } from './lane-reply.ts'

export interface Lane {
  /** Takes a connection that nothing was read from. */
  take(socket: Socket): void
  /** Those of which half a request has come go to Node, which begins it in this turn or the next. Whether there are any. */
  handOverHalves(): boolean
  /** Cuts all connections that are here. */
  close(): void
  readonly connectionCount: number
}

export interface LaneOptions {
  readonly route: QueryRoute
  readonly clients: Clients
  readonly limits: HttpLimits
  readonly clock: Clock
  readonly connections: Pick<Connections, 'timedOut' | 'refuse'>
  readonly isStopping: () => boolean
  readonly toNode: (socket: Socket) => void
}

/** Larger requests are handed over: what they cost does not depend on how they are read. */
const requestBytesMax = 64 * 1024
/** Heads that are known: clients send few different ones, but for the length of the body. */
const headsMax = 1024, knownHeadBytesMax = 4 * 1024
/** The rest of a body comes right behind, or Node waits for it. */
const restMs = 1_000

const headEnd = '\r\n\r\n'

/** A head, and what follows from it alone. */
interface KnownHead extends LaneHead {
  readonly name: FormatName
  /** Undefined: to be asked for each request. */
  readonly access: Access | undefined
}

export function openLane(options: LaneOptions): Lane {
  const { limits, clock: { monotonicMs }, connections } = options
  const open = new Set<LaneConnection>()
  const floor = createFloor(options, open)
  const timer = setInterval(() => {
    const nowMs = monotonicMs()
    for (const connection of open) if (nowMs - connection.sinceMs > msMaxOf(connection, limits)) giveUp(connection, floor, connections)
  }, Math.min(1_000, Math.ceil(Math.min(limits.headersTimeoutMs, limits.idleTimeoutMs) / 4)))
  timer.unref()
  return {
    take: (socket) => void open.add(new LaneConnection(floor, socket)),
    handOverHalves() {
      const halves = [...open].filter(({ state }) => state === 'rest')
      for (const connection of halves) floor.handOver(connection, connection.bytes)
      return halves.length > 0
    },
    close() {
      clearInterval(timer)
      for (const { socket } of open) socket.destroy()
    },
    get connectionCount() { return open.size },
  }
}

/** How long a connection may stay as it is. */
function msMaxOf({ state, socket }: LaneConnection, { headersTimeoutMs, idleTimeoutMs, stalledTimeoutMs }: HttpLimits): number {
  switch (state) {
    case 'new':
      return headersTimeoutMs
    case 'idle':
      return socket.writableLength > 0 ? stalledTimeoutMs : idleTimeoutMs
    case 'rest':
      return restMs
    case 'busy':
      return Infinity
  }
}

function giveUp(connection: LaneConnection, floor: LaneFloor, connections: LaneOptions['connections']): void {
  if (connection.state === 'rest') floor.handOver(connection, connection.bytes)
  else if (connection.state === 'new') connections.refuse('ERR_HTTP_REQUEST_TIMEOUT', connection.socket)
  else connections.timedOut(connection.socket)
}

function createFloor({ route, clients, limits, clock, connections, isStopping, toNode }: LaneOptions, open: Set<LaneConnection>): LaneFloor {
  const { traffic, bodies } = route
  const heads = createGenerationCache<KnownHead>(headsMax)

  function headOf(text: string): KnownHead | undefined {
    const known = heads.get(text)
    if (known !== undefined) return known
    const head = readLaneHead(text, limits.headersMax)
    const name = head && formatOf(head)
    if (head === undefined || name === undefined) return undefined
    const access = clients.kind === 'tokens' ? undefined : accessOf(clients, head)
    const read: KnownHead = { ...head, name, access }
    // A text of its own: a slice would keep the body too.
    if (text.length <= knownHeadBytesMax) heads.set(Buffer.from(text, 'latin1').toString('latin1'), read)
    return read
  }

  return {
    monotonicMs: clock.monotonicMs,
    date: createDates(clock),
    keepAlive: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(limits.idleTimeoutMs / 1000)}\r\n`,
    stalledTimeoutMs: limits.stalledTimeoutMs,
    read(bytes) {
      // Looked for in a text, which is needed anyway: that costs half of looking in bytes.
      const text = bytes.toString('latin1', 0, limits.headerBytesMax)
      const bodyStart = text.indexOf(headEnd) + headEnd.length
      if (bodyStart < headEnd.length || isStopping()) return undefined
      const head = headOf(text.slice(0, bodyStart))
      if (head === undefined) return undefined
      const end = bodyStart + head.bodyLength
      if (end > requestBytesMax || head.bodyLength > limits.bodyBytesMax || bytes.length > end) return undefined
      if (bytes.length < end) return 'half'
      const access = head.access ?? accessOf(clients, head)
      return access && { head, name: head.name, access, body: bytes.subarray(bodyStart) }
    },
    begin: ({ head, body }) => bodies.hold(body) && traffic.enter(head.headers[requestIdHeader] as string | undefined),
    answer: ({ head: { headers }, name, access, body }, reply) => answerArrived(route, { headers, access, name, body, exchange: undefined }, reply),
    over: (requestId, status, startMs, whole) => traffic.left({ requestId, method: 'POST', route: 'query', status, startMs, whole }),
    handOver(connection, bytes) {
      const { socket } = connection
      open.delete(connection)
      connection.leave()
      // Node takes it as one from which nothing was read.
      socket.pause()
      if (bytes !== undefined) socket.unshift(bytes)
      toNode(socket)
      socket.resume()
    },
    brokenOff: (socket) => connections.refuse('HPE_INVALID_EOF_STATE', socket),
    closed: (connection) => void open.delete(connection),
    stalled: connections.timedOut,
  }
}

/** Undefined where there is something to refuse. */
function formatOf({ url, headers }: LaneHead): FormatName | undefined {
  try {
    return readQueryHead(url, headers)
  } catch {
    return undefined
  }
}

/** Undefined where there is something to refuse. */
function accessOf(clients: Clients, head: LaneHead): Access | undefined {
  try {
    return accessFor(clients, head)
  } catch {
    return undefined
  }
}
