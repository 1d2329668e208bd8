/** `lsmt serve`: a database over HTTP until it is asked to stop. */
import { LsmtError } from '../errors.ts'
import { HeldPort } from '../http/held-port.ts'
import { startHttpServer } from '../http/server.ts'
import type { HttpServer } from '../http/server.ts'
import { createLog } from '../runtime/log.ts'
import type { Log } from '../runtime/log.ts'
import { systemRandom } from '../runtime/random.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import type { DatabaseSettings } from '../settings.ts'
import { createSql, sqlSettings } from '../sql/sql.ts'
import { addressName } from '../storage/open-storage.ts'
import type { FlagSource } from './command.ts'
import type { CliHost } from './host.ts'
import { servedAccess } from './serve/access.ts'
import type { ServedAccess } from './serve/access.ts'
import { chosenCluster } from './serve/cluster-flags.ts'
import { limitSettings } from './serve/limit-flags.ts'
import { affordableConnections } from './serve/open-files.ts'
import type { ServeFlags } from './serve/serve-flags.ts'
import { openAlone, openInCluster } from './serve/served.ts'
import type { Served, Serving } from './serve/served.ts'
import { statusOf } from './serve/status.ts'
import { chosenDatabase, readingRequest } from './target/storage-flags.ts'

/** Runs until `host.stopRequested`. 22023 for settings that cannot be, and whatever opening the database says. */
export async function serve(given: ServeFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<void> {
  const flags: ServeFlags = { ...given, connectionsMax: await affordableConnections(given.connectionsMax) }
  const place = chosenDatabase(flags, sourceOf)
  const access = await servedAccess(flags, host.environment['LSMT_AUTH_TOKEN'])
  const cluster = await chosenCluster(flags, place, sourceOf, host.environment['LSMT_CLUSTER_SECRET'])
  const { shards, workers, readers, durability, kernels } = flags
  const settings: DatabaseSettings = { ...defaultDatabaseSettings, ...limitSettings(flags), shards, workers, readers, durability, kernels }
  const log = createLog(flags.logLevel, (line) => host.printError(line.trimEnd()))
  const serving = { place, settings, log, host }
  const heldPort = new HeldPort(flags.listen)
  let served: Served | undefined, fault: LsmtError | undefined
  try {
    served = await (cluster === undefined ? openAlone(serving, sourceOf('shards') !== 'default', readingRequest(flags)) : openInCluster(serving, { ...cluster, beforeTold: () => heldPort.hold() }))
    fault = await serveUntilOver({ served, heldPort }, serving, flags, access)
  } finally {
    await heldPort.release()
    await served?.close()
  }
  if (fault !== undefined) throw fault
}

interface ServedAt {
  readonly served: Served
  readonly heldPort: HeldPort
}

/** Resolves to why nothing can be served any more, when that is what ended it. */
async function serveUntilOver({ served, heldPort }: ServedAt, serving: Serving, flags: ServeFlags, access: ServedAccess): Promise<LsmtError | undefined> {
  const { place: { address }, settings: { durability, kernels }, log, host } = serving
  const server = await startServer({ served, heldPort }, serving, flags, access)
  reloadWhenAsked(access, server, log, host)
  log.info({ url: server.url, data: addressName(address), durability, kernels, version: host.version, connectionsMax: flags.connectionsMax }, 'listening')
  host.printLine(`lsmt listening on ${server.url} (data: ${addressName(address)}, ${served.kind}, kernels: ${kernels})`)
  const fault = await Promise.race([host.stopRequested.then(() => undefined), served.isOut])
  await stop(server, served, fault !== undefined && served.cluster !== undefined ? 0 : flags.stopTimeoutMs, log)
  return fault
}

/** A file that is not in order changes nothing: who could come before still can. */
function reloadWhenAsked({ reload }: ServedAccess, server: HttpServer, log: Log, host: CliHost): void {
  if (reload === undefined) return
  host.onReload(async () => {
    try {
      const certificate = await reload()
      if (certificate !== undefined) server.replaceCertificate(certificate)
      log.info({}, 'tokens and certificate are read again')
    } catch (error) {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'tokens and certificate stay as they were')
    }
  })
}

async function startServer({ served, heldPort }: ServedAt, { place: { address }, settings, log, host: { clock, version } }: Serving, flags: ServeFlags, { clients, certificate }: ServedAccess): Promise<HttpServer> {
  const { engine, clusterStatus } = served
  const startMs = clock.monotonicMs()
  const node = { version, settings, address, uptimeMs: () => clock.monotonicMs() - startMs }
  return await startHttpServer(
    { ...flags.listen, heldPort, clients, certificate, limits: flags },
    {
      ...served,
      sql: createSql(engine, sqlSettings(settings)),
      clock,
      random: systemRandom,
      log,
      slowQueryMs: flags.slowQueryMs,
      status: async () => statusOf(engine, node, await clusterStatus()),
      engineStats: engine.stats,
      ofProcess: true,
    },
  )
}

/** Ends the requests, then does what the next start, or other nodes, would have to wait for; nothing depends on that. */
async function stop(server: HttpServer, served: Served, timeoutMs: number, log: Log): Promise<void> {
  log.info({}, 'stopping: requests under way may end, no more are taken')
  const isNode = served.cluster !== undefined
  // Other nodes are heard until it has left.
  await (isNode ? server.drain(timeoutMs) : server.close(timeoutMs))
  const { leaving } = served
  const outcome = leaving && ((await within(timeoutMs, leaving.run())) ?? 'not done: no time')
  if (isNode) {
    await served.close()
    await server.close(0)
  }
  log.info(leaving === undefined ? {} : { [leaving.what]: outcome }, 'stopped')
}

/** Undefined when it takes longer. */
async function within<T>(msMax: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolveOver) => {
    timer = setTimeout(() => resolveOver(undefined), msMax)
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}

/** For the operator: the stack of our own bugs, one line of everything else. */
export function describeFault(error: unknown): string {
  if (error instanceof LsmtError && error.code !== 'XX000') return `lsmt: ${error.code} ${error.message}`
  return `lsmt: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
