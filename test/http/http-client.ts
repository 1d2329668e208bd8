/** A server on a free port over the model engine, and requests to it. */
import { openModelEngine } from '../engine/model-engine.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Clients } from '../../src/http/guard/clients.ts'
import { defaultHttpLimits } from '../../src/http/guard/limits.ts'
import type { HttpLimits } from '../../src/http/guard/limits.ts'
import type { HeldPort } from '../../src/http/held-port.ts'
import type { Certificate } from '../../src/http/listener.ts'
import type { ServedCluster } from '../../src/http/forward/served-cluster.ts'
import { startHttpServer } from '../../src/http/server.ts'
import type { HttpServer } from '../../src/http/server.ts'
import { createLog } from '../../src/runtime/log.ts'
import type { LogLevel } from '../../src/runtime/log.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createSql } from '../../src/sql/sql.ts'

export interface TestClient {
  /** Sends a text body, as `curl -d` does. */
  post(body: string | Uint8Array, headers?: Readonly<Record<string, string>>, path?: string): Promise<Answer>
  postJson(body: unknown): Promise<Answer>
}

export interface TestServer extends TestClient {
  readonly url: string
  readonly engine: Engine
  /** Errors that were told to the operator. */
  readonly faults: unknown[]
  readonly logged: readonly LogLine[]
  readonly server: HttpServer
}

export type LogLine = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON.parse reads it; which of the fields are there depends on the answer. */
  readonly json: AnswerJson
}

export interface AnswerJson {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly rowCount: number
  readonly stats: Readonly<Record<string, number>>
  readonly results: readonly AnswerJson[]
  readonly error: { readonly code: string; readonly message: string; readonly position?: number; readonly hint?: string }
}

export interface TestServerOptions {
  readonly engine?: Engine
  readonly limits?: Partial<HttpLimits>
  readonly logLevel?: LogLevel
  readonly slowQueryMs?: number
  readonly clients?: Clients
  readonly certificate?: Certificate
  readonly notReady?: () => string | undefined
  readonly cluster?: ServedCluster
  readonly peerCa?: string
  readonly heldPort?: HeldPort
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const engine = options.engine ?? openModelEngine()
  const faults: unknown[] = []
  const logged: LogLine[] = []
  const log = createLog(options.logLevel ?? 'silent', (line) => logged.push(JSON.parse(line) as LogLine))
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0, clients: options.clients ?? { kind: 'local' }, certificate: options.certificate, ...(options.heldPort !== undefined && { heldPort: options.heldPort }), limits: { ...defaultHttpLimits, bodyBytesMax: 1_000_000, ...options.limits } },
    {
      engine,
      sql: createSql(engine),
      clock: systemClock,
      commit: { durability: 'sync', copies: options.cluster?.copies ?? 1 },
      ...(options.cluster !== undefined && { cluster: options.cluster }),
      peerCa: options.peerCa,
      random: seededRandom(1),
      log: { ...log, error: (fields, message) => { faults.push(fields['err']); log.error(fields, message) } },
      slowQueryMs: options.slowQueryMs ?? 0,
      engineStats: engine.stats,
      ofProcess: false,
      notReady: options.notReady ?? (() => undefined),
      status: async () => ({ version: 'test', tables: engine.tables().length }),
    },
  )
  return { url: server.url, engine, faults, logged, server, ...clientOf(server.url) }
}

export function clientOf(url: string): TestClient {
  const post: TestClient['post'] = async (body, headers = { 'content-type': 'application/x-www-form-urlencoded' }, path = '/query') =>
    await answerOf(await fetch(url + path, { method: 'POST', body: typeof body === 'string' ? body : Buffer.from(body), headers }))
  return { post, postJson: (body) => post(JSON.stringify(body), { 'content-type': 'application/json' }) }
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) as AnswerJson }
}
