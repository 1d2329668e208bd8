/** `lsmt serve`: a database over HTTP until it is asked to stop. */
import type { Engine } from '../engine/engine.ts'
import { LsmtError } from '../errors.ts'
import { startHttpServer } from '../http/server.ts'
import type { HttpServer } from '../http/server.ts'
import { createLog } from '../runtime/log.ts'
import type { Log } from '../runtime/log.ts'
import { systemRandom } from '../runtime/random.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import type { DatabaseSettings } from '../settings.ts'
import { createSql, sqlSettings } from '../sql/sql.ts'
import { addressName } from '../storage/open-storage.ts'
import { archiveLabel } from './backup/archive-label.ts'
import type { FlagSource } from './command.ts'
import type { CliHost } from './host.ts'
import { servedAccess } from './serve/access.ts'
import type { ServedAccess } from './serve/access.ts'
import { limitSettings } from './serve/limit-flags.ts'
import { affordableConnections } from './serve/open-files.ts'
import type { ServeFlags } from './serve/serve-flags.ts'
import { statusOf } from './serve/status.ts'
import { watchEngine } from './serve/watch-engine.ts'
import { commitOf } from './target/commit-kind.ts'
import { opening } from './target/opening.ts'
import { chosenDatabase, readingRequest } from './target/storage-flags.ts'
import type { ChosenDatabase } from './target/storage-flags.ts'

/** Runs until `host.stopRequested`. 22023 for settings that cannot be, and whatever opening the database says. */
export async function serve(given: ServeFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<void> {
  const flags: ServeFlags = { ...given, connectionsMax: await affordableConnections(given.connectionsMax) }
  const place = chosenDatabase(flags, sourceOf)
  const { address } = place
  const access = await servedAccess(flags, host.environment['LSMT_AUTH_TOKEN'])
  const { shards, workers, readers, durability, kernels } = flags
  const settings: DatabaseSettings = { ...defaultDatabaseSettings, ...limitSettings(flags), shards, workers, readers, durability, kernels }
  const log = createLog(flags.logLevel, (line) => host.printError(line.trimEnd()))
  const reading = readingRequest(flags)
  const engine = await opening(host.openEngine({ ...place, settings, isShardCountGiven: sourceOf('shards') !== 'default', ...reading }))
  let overtaken: LsmtError | undefined
  let unwatch = (): void => {}
  const isOut = new Promise<void>((resolve) => {
    unwatch = watchEngine(engine, log, (error) => {
      overtaken = error
      resolve()
    })
  })
  try {
    const server = await startServer({ flags, place, access, settings, engine, log, host })
    reloadWhenAsked(access, server, log, host)
    log.info({ url: server.url, data: addressName(address), durability, kernels, version: host.version, connectionsMax: flags.connectionsMax }, 'listening')
    host.printLine(`lsmt listening on ${server.url} (data: ${addressName(address)}, ${reading.readOnly === true ? 'read-only' : `durability: ${durability}`}, kernels: ${kernels})`)
    await Promise.race([host.stopRequested, isOut])
    await stop(server, engine, flags.stopTimeoutMs, log)
  } finally {
    unwatch()
    await engine.close()
  }
  if (overtaken !== undefined) throw overtaken
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

interface Serving {
  readonly flags: ServeFlags
  readonly place: ChosenDatabase
  readonly access: ServedAccess
  readonly settings: DatabaseSettings
  readonly engine: Engine
  readonly log: Log
  readonly host: CliHost
}

async function startServer({ flags, place, access: { clients, certificate }, settings, engine, log, host }: Serving): Promise<HttpServer> {
  const { clock, version } = host
  const startMs = clock.monotonicMs()
  const node = { version, settings, address: place.address, uptimeMs: () => clock.monotonicMs() - startMs }
  return await startHttpServer(
    { ...flags.listen, clients, certificate, limits: flags },
    {
      engine,
      sql: createSql(engine, sqlSettings(settings)),
      clock,
      random: systemRandom,
      log,
      slowQueryMs: flags.slowQueryMs,
      commit: commitOf(settings.durability, place),
      notReady: () => notReady(engine, settings),
      status: () => statusOf(engine, node),
      backup: { checkpoint: engine.checkpoint, archiveLabel: () => archiveLabel(host) },
      engineStats: engine.stats,
      ofProcess: true,
    },
  )
}

/** A node that only reads is ready while what it shows is not much older than it should be. */
function notReady(engine: Engine, { followMs }: DatabaseSettings): string | undefined {
  const { shards, following } = engine.stats()
  if (shards.some((shard) => shard.failure !== undefined)) return 'a log failed and takes no more writes until a restart'
  if (following === undefined || following.behindMs <= Math.max(behindMsMax, 5 * followMs)) return undefined
  return `the writer was followed ${Math.round(following.behindMs / 1000)} s ago for the last time${following.trouble === undefined ? '' : `: ${following.trouble}`}`
}

const behindMsMax = 30_000

/** Ends the requests, then flushes, so that the next start has little to replay; the log has all of it if there is no time. */
async function stop(server: HttpServer, engine: Engine, timeoutMs: number, log: Log): Promise<void> {
  log.info({}, 'stopping: requests under way may end, no more are taken')
  await server.close(timeoutMs)
  if (engine.isReadOnly === true) return log.info({}, 'stopped')
  const outcome = await within(timeoutMs, engine.flush().then(() => 'flushed', (error: unknown) => `not flushed: ${error instanceof Error ? error.message : String(error)}`))
  log.info({ memtables: outcome ?? 'not flushed: no time' }, 'stopped')
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
