/**
 * The HTTP server: `POST /query` is answered before express, which sets up every request anew; express has the rest.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Express, NextFunction, Request, Response } from 'express'
import { LsmtError } from '../errors.ts'
import { sendWhole } from './format/answer-sink.ts'
import { answerError, answerQuery } from './query/query-route.ts'
import type { QueryRoute } from './query/query-route.ts'
import { tooLarge } from './request-body.ts'
import { checkSameSite } from './same-site.ts'

export interface HttpSettings {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Serve whoever can connect; otherwise only clients on this machine. */
  readonly noAuth: boolean
}

export interface HttpServices extends QueryRoute {
  /** Undefined when ready; otherwise why not. */
  readonly notReady: () => string | undefined
  /** What GET /status tells. */
  readonly status: () => unknown
}

export interface HttpServer {
  /** http://host:port as it is. */
  readonly url: string
  /** Takes no more connections, lets requests finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

/** Resolves when connections are taken; rejects with 55006 when the port is in use, 22023 when the address is not there. */
export async function startHttpServer(settings: HttpSettings, services: HttpServices): Promise<HttpServer> {
  const app = createApp(services)
  let isClosing = false
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isClosing) response.setHeader('connection', 'close')
    if (!settings.noAuth && !isSameSite(services, request, response)) return
    if (request.method === 'POST' && isQuery(request.url)) void answerQuery(services, request, response)
    else app(request, response)
  }
  const server = createServer(handle)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers['content-length']) > services.bodyBytesMax) {
      answerError(services, tooLarge(services.bodyBytesMax), response, false)
      return
    }
    response.writeContinue()
    handle(request, response)
  })
  await listen(server, settings)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    async close(graceMs) {
      isClosing = true
      await closeServer(server, graceMs)
    },
  }
}

function isQuery(url: string | undefined): boolean {
  return url === '/query' || url?.startsWith('/query?') === true
}

function isSameSite(services: HttpServices, request: IncomingMessage, response: ServerResponse): boolean {
  try {
    checkSameSite(request.headers)
    return true
  } catch (error) {
    answerError(services, error, response, false)
    request.resume()
    return false
  }
}

function listen(server: Server, { host, port }: HttpSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new LsmtError('55006', `port ${port} on ${host} is in use by another process`))
      else reject(new LsmtError('22023', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`))
    })
    server.listen(port, host, resolve)
  })
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

function createApp(services: HttpServices): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.get('/health/live', (_request: Request, response: Response) => {
    response.json({ status: 'live' })
  })
  app.get('/health/ready', (_request: Request, response: Response) => {
    const reason = services.notReady()
    if (reason !== undefined) throw new LsmtError('57P03', `not ready: ${reason}`)
    response.json({ status: 'ready' })
  })
  app.get('/status', (_request: Request, response: Response) => {
    response.json(services.status())
  })
  app.all('/query', (_request: Request, response: Response) => {
    sendError(response, 405, '22023', 'statements are sent by POST', { allow: 'POST' })
  })
  app.all(['/metrics', '/import'], (request: Request) => {
    throw new LsmtError('0A000', `${request.path} is not supported`)
  })
  app.use((request: Request, response: Response) => {
    sendError(response, 404, '22023', `there is no ${request.method} ${request.path.slice(0, 100)}`, {})
  })
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answerError(services, badUrl(error) ? new LsmtError('22023', 'the URL cannot be read') : error, response, false)
  })
  return app
}

/** Express throws these for URLs whose percent signs decode to nothing. */
function badUrl(error: unknown): boolean {
  return error instanceof URIError
}

function sendError(response: Response, status: number, code: string, message: string, headers: Readonly<Record<string, string>>): void {
  sendWhole(response, status, 'application/json; charset=utf-8', JSON.stringify({ error: { code, message } }), headers)
}
