/** `lsmt serve`: a database over HTTP until it is asked to stop. */
import type { Engine } from '../engine/engine.ts'
import { LsmtError } from '../errors.ts'
import { startHttpServer } from '../http/server.ts'
import type { HttpServer } from '../http/server.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import type { DatabaseSettings } from '../settings.ts'
import { createSql, sqlSettings } from '../sql/sql.ts'
import type { CliHost } from './host.ts'
import { servedAccess } from './serve/access.ts'
import type { ServedAccess } from './serve/access.ts'
import type { ServeFlags } from './serve/serve-flags.ts'

/** Requests under way when a stop is asked for may take this long. */
const stopGraceMs = 10_000
const bodyBytesMax = 64 * 1024 * 1024

/** Runs until `host.stopRequested`. 22023 for settings that cannot be, and whatever opening the database says. */
export async function serve(flags: ServeFlags, isShardCountGiven: boolean, host: CliHost): Promise<void> {
  if (flags.storage === 's3') throw new LsmtError('0A000', '--storage s3 is not supported yet; use --storage local')
  const access = await servedAccess(flags, host.environment['LSMT_AUTH_TOKEN'])
  const { shards, workers, durability, kernels } = flags
  const settings: DatabaseSettings = { ...defaultDatabaseSettings, shards, workers, durability, kernels }
  const engine = await host.openEngine({ dataDir: flags.dataDir, settings, isShardCountGiven })
  try {
    const server = await startServer(flags, access, settings, engine, host)
    reloadWhenAsked(access, server, host)
    host.printLine(`lsmt listening on ${server.url} (data: ${flags.dataDir}, durability: ${durability}, kernels: ${kernels})`)
    await host.stopRequested
    await server.close(stopGraceMs)
  } finally {
    await engine.close()
  }
}

/** A file that is not in order changes nothing: who could come before still can. */
function reloadWhenAsked({ reload }: ServedAccess, server: HttpServer, host: CliHost): void {
  if (reload === undefined) return
  host.onReload(async () => {
    try {
      const certificate = await reload()
      if (certificate !== undefined) server.replaceCertificate(certificate)
      host.printError('lsmt: tokens and certificate are read again')
    } catch (error) {
      host.printError(`${describeFault(error)}; tokens and certificate stay as they were`)
    }
  })
}

async function startServer({ listen }: ServeFlags, { clients, certificate }: ServedAccess, settings: DatabaseSettings, engine: Engine, host: CliHost): Promise<HttpServer> {
  return await startHttpServer(
    { ...listen, clients, certificate },
    {
      sql: createSql(engine, sqlSettings(settings)),
      clock: host.clock,
      commit: { durability: settings.durability, copies: 1 },
      bodyBytesMax,
      onFault: (error) => host.printError(describeFault(error)),
      notReady: () => (engine.stats().shards.some((shard) => shard.failure !== undefined) ? 'a log failed and takes no more writes until a restart' : undefined),
      status: () => statusOf(engine, settings, host),
    },
  )
}

export function statusOf(engine: Engine, settings: DatabaseSettings, host: CliHost): unknown {
  const { shards, cacheBytes, kernelMemoryBytes } = engine.stats()
  const { durability, kernels, workers } = settings
  return {
    version: host.version,
    node: { durability, kernels, workers, storage: 'local' },
    tables: engine.tables().map(({ name, columns, hiddenKey }) => ({ name, columns: columns.length - (hiddenKey ? 1 : 0) })),
    shards,
    cacheBytes,
    kernelMemoryBytes,
    cluster: null,
  }
}

/** For the operator: the stack of our own bugs, one line of everything else. */
export function describeFault(error: unknown): string {
  if (error instanceof LsmtError && error.code !== 'XX000') return `lsmt: ${error.code} ${error.message}`
  return `lsmt: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
