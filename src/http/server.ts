/**
 * The HTTP server: `POST /query` is answered before express, which sets up every request anew; express has the rest.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import type { Express, NextFunction, Request, RequestHandler, Response } from 'express'
import { LsmtError } from '../errors.ts'
import { answerBackup } from './backup/backup-route.ts'
import type { BackupRoute } from './backup/backup-route.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineStats } from '../engine/engine-stats.ts'
import { newQueryStats } from '../sql/result.ts'
import type { Sql } from '../sql/sql.ts'
import { sendWhole } from './format/whole-answer.ts'
import type { CommitKind } from './format/result-format.ts'
import { openapi } from './describe/openapi.ts'
import { markNotTaken } from './forward/at-coordinator.ts'
import { createClusterRoute } from './forward/cluster-route.ts'
import { createPeers } from './forward/peers.ts'
import type { ServedCluster } from './forward/served-cluster.ts'
import { answerUpgrades } from './forward/upgrades.ts'
import { answerError, answerQuery } from './query/query-route.ts'
import type { QueryRoute } from './query/query-route.ts'
import { NodeReply } from './reply/node-reply.ts'
import { createBodies, drop, tooLarge } from './guard/bodies.ts'
import { accessFor } from './guard/clients.ts'
import type { Clients } from './guard/clients.ts'
import { guardConnections } from './guard/connections.ts'
import { createGate } from './guard/gate.ts'
import { checkRequestHead } from './guard/request-head.ts'
import type { Access } from './guard/tokens.ts'
import type { Sample } from './observe/metric-table.ts'
import { createMetrics, metricsContentType } from './observe/metrics.ts'
import { sessionHeader, setOwnHeaders, setSessionToken } from './observe/own-headers.ts'
import { answerOperation, operationPrefix } from './operate/operations-route.ts'
import { createTraffic } from './observe/traffic.ts'
import type { Traffic, TrafficOptions } from './observe/traffic.ts'
import { answerImport } from './import/import-route.ts'
import type { ImportRoute } from './import/import-route.ts'
import { closeListener, createListener, listen } from './listener.ts'
import { openLane } from './lane/lane.ts'
import type { Lane, LaneOptions } from './lane/lane.ts'
import type { HeldPort } from './held-port.ts'
import type { Certificate, Listener, ListenerSettings } from './listener.ts'

export interface HttpSettings extends ListenerSettings {
  readonly clients: Clients
  /** That of the address, if it may have been taken before. */
  readonly heldPort?: HeldPort
}

/** What the composition root gives. */
export interface HttpServices extends Omit<TrafficOptions, 'onAnswered'> {
  /** Of a node of a cluster: that which reads, and SQL over it. */
  readonly engine: Engine
  readonly sql: Sql
  readonly cluster?: ServedCluster
  /** In PEM: whose certificates of other nodes are believed, where not the system's. */
  readonly peerCa?: string | undefined
  readonly commit: CommitKind
  /** What GET /backup answers from; without it there is no such route. */
  readonly backup?: BackupRoute
  /** Undefined when ready; otherwise why not. */
  readonly notReady: () => string | undefined
  /** What GET /status tells. */
  readonly status: () => Promise<unknown>
  /** For GET /metrics. */
  readonly engineStats: () => EngineStats
  /** Whether /metrics tells of the process too. */
  readonly ofProcess: boolean
}

/** What routes stand on. */
interface Routes extends QueryRoute, ImportRoute, Pick<HttpServices, 'notReady' | 'status' | 'backup'> {
  readonly metrics: () => Promise<string>
}

export interface HttpServer {
  /** http(s)://host:port as it is. */
  readonly url: string
  /** See `Listener`. */
  replaceCertificate(certificate: Certificate): void
  /** Refuses further requests and lets those under way finish for at most `graceMs`. Other nodes are still heard. */
  drain(graceMs: number): Promise<void>
  /** Drains, then cuts what is left. The connections of other nodes are the cluster's to close, before. */
  close(graceMs: number): Promise<void>
}

/** Resolves when connections are taken; rejects with 55006 when the port is in use, 22023 when the address is not there. */
export async function startHttpServer(settings: HttpSettings, services: HttpServices): Promise<HttpServer> {
  const { limits } = settings
  const metrics = createMetrics(services.ofProcess)
  const traffic = createTraffic({ ...services, onAnswered: metrics.answered })
  const [bodies, gate, reads] = [createBodies(limits, services.clock), createGate(limits), newQueryStats()]
  const peers = createPeers({ ca: services.peerCa })
  const forwards = { answered: 0, notTaken: 0, unknown: 0 }
  const cluster = services.cluster && createClusterRoute({ cluster: services.cluster, peers, clock: services.clock, counts: forwards }, services.sql)
  const sample = (): Sample => ({ engine: services.engineStats(), sql: services.sql.stats, reads, gate: gate.counts, connections: connections.counts, laneConnections: lane?.connectionCount ?? 0, bodyBytes: bodies.bytesHeld, requestsUnderWay: traffic.underWay, forwards, cluster: services.cluster?.membership.status() })
  const routes: Routes = { ...services, cluster, bodyTimeoutMs: limits.bodyTimeoutMs, statementLengthMax: limits.statementLengthMax, statementTimeoutMs: limits.statementTimeoutMs, bodies, gate, traffic, reads, metrics: () => metrics.text(sample()) }
  const app = createApp(routes)
  const door: Door = { settings, traffic, cluster: services.cluster, isStopping: false }
  const handle = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void => {
    traffic.begin(request, response)
    connections.begin(request, response)
    const access = admitted(door, request, response, awaitsContinue)
    if (access === undefined) return
    if (request.method === 'POST' && isPath('/import', request.url)) {
      void answerImport(routes, { request, response, access, awaitsContinue })
      return
    }
    if (awaitsContinue) response.writeContinue()
    if (request.method === 'POST' && isQuery(request.url)) answerQuery(routes, request, response, access)
    else if (request.url?.startsWith(operationPrefix) === true) void answerOperation({ served: services.cluster, traffic }, request, response, access)
    else {
      // Express writes heads of its own.
      setOwnHeaders(response)
      app(request, response)
    }
  }
  const { server, url, replaceCertificate, divert } = createListener((request, response) => handle(request, response, false), settings)
  const connections = guardConnections(server, limits)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => handle(request, response, true))
  const lane = services.cluster === undefined ? laneOf(divert, { ...settings, route: routes, clock: services.clock, connections, isStopping: () => door.isStopping }) : undefined
  if (services.cluster !== undefined) answerUpgrades(server, settings.certificate !== undefined, services.cluster)
  await (settings.heldPort?.giveTo(server) ?? listen(server, settings))
  const drain = async (graceMs: number): Promise<void> => {
    // What has half arrived was begun before this server stops.
    if (lane?.handOverHalves() === true) await new Promise(setImmediate)
    door.isStopping = true
    await traffic.settled(graceMs)
  }
  return {
    url: url(),
    replaceCertificate,
    drain,
    async close(graceMs) {
      await drain(graceMs)
      peers.close()
      lane?.close()
      await closeListener(server)
    },
  }
}

/** Requests that other nodes may have to answer go on as Node has read them: a node of a cluster has no lane. */
function laneOf(divert: Listener['divert'], options: Omit<LaneOptions, 'toNode'>): Lane {
  const toNode = divert((socket) => lane.take(socket))
  const lane = openLane({ ...options, toNode })
  return lane
}

interface Door {
  readonly settings: HttpSettings
  readonly traffic: Traffic
  readonly cluster: ServedCluster | undefined
  isStopping: boolean
}

const isQuery = (url: string | undefined): boolean => isPath('/query', url)

function isPath(path: string, url = ''): boolean {
  return url === path || url.startsWith(`${path}?`)
}

/** What the client may do; undefined when it was answered with a refusal. Whoever asks first whether to send a large body hears it before. */
function admitted(door: Door, request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Access | undefined {
  const { settings: { clients, limits }, traffic, cluster } = door
  try {
    checkRequestHead(request, limits.headersMax)
    if (door.isStopping) refuseToBegin(request, response)
    const access = accessFor(clients, request)
    if (cluster !== undefined) beginSession(cluster, request, response)
    if (awaitsContinue && Number(request.headers['content-length']) > limits.bodyBytesMax && isQuery(request.url)) throw tooLarge(limits.bodyBytesMax)
    return access
  } catch (error) {
    answerError({ traffic }, error, new NodeReply(response), undefined)
    drop(request)
    return undefined
  }
}

/** 22023 for a token that is none. What the client has seen so far it is to see after this request too. */
function beginSession(cluster: ServedCluster, { headers }: IncomingMessage, response: ServerResponse): void {
  const seen = headers[sessionHeader] as string | undefined
  if (seen !== undefined) cluster.token(seen)
  setSessionToken(response, () => cluster.token(seen))
}

function refuseToBegin(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close')
  if (request.url === '/health/live') return
  markNotTaken(request, response)
  throw new LsmtError('57P03', 'the server is stopping')
}

function createApp(services: Routes): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.get(['/status', '/openapi.json', '/backup', '/metrics'], withoutParameters)
  app.get('/health/live', (_request: Request, response: Response) => {
    response.json({ status: 'live' })
  })
  app.get('/health/ready', (_request: Request, response: Response) => {
    const reason = services.notReady()
    if (reason !== undefined) throw new LsmtError('57P03', `not ready: ${reason}`)
    response.json({ status: 'ready' })
  })
  app.get('/status', async (_request: Request, response: Response) => {
    response.json(await services.status())
  })
  app.get('/openapi.json', (_request: Request, response: Response) => {
    response.json(openapi)
  })
  const { backup } = services
  if (backup !== undefined) app.get('/backup', (_request: Request, response: Response, next: NextFunction) => {
    answerBackup(backup, response).catch((error: unknown) => {
      // Who reads it sees that it breaks off.
      if (response.headersSent) response.destroy()
      else next(error)
    })
  })
  app.all('/query', byPostOnly('statements'))
  app.get('/metrics', async (_request: Request, response: Response) => {
    sendWhole(response, 200, metricsContentType, await services.metrics())
  })
  app.all('/import', byPostOnly('rows'))
  app.use((request: Request, response: Response) => {
    sendError(response, 404, '22023', `there is no ${request.method} ${request.path.slice(0, 100)}`, {})
  })
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answerError(services, badUrl(error) ? new LsmtError('22023', 'the URL cannot be read') : error, new NodeReply(response), undefined)
  })
  return app
}

/** What is asked for and not there is refused, never ignored; but whoever probes whether the server lives is to hear just that. */
const withoutParameters: RequestHandler = (request, response, next) => {
  const [unknown] = new URL(request.url, 'http://localhost').searchParams.keys()
  if (unknown === undefined) next()
  else sendError(response, 400, '22023', `unknown URL parameter "${unknown.slice(0, 60)}": ${request.method} ${request.path} takes none`, {})
}

/** 405 for the route of what is taken by POST before Express has it; a POST that comes here has the path in another spelling, which is no route. */
function byPostOnly(what: string): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'POST') next()
    else sendError(response, 405, '22023', `${what} are sent by POST`, { allow: 'POST' })
  }
}

/** Express throws these for URLs whose percent signs decode to nothing. */
function badUrl(error: unknown): boolean {
  return error instanceof URIError
}

function sendError(response: Response, status: number, code: string, message: string, headers: Readonly<Record<string, string>>): void {
  sendWhole(response, status, 'application/json; charset=utf-8', JSON.stringify({ error: { code, message } }), headers)
}
