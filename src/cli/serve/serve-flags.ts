/** The flags of `lsmt serve`, each with its environment variable. */
import { Option } from 'commander'
import { logLevels } from '../../runtime/log.ts'
import type { LogLevel } from '../../runtime/log.ts'
import type { Durability, KernelKind } from '../../settings.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import { integerIn, kernelsOption, nonEmpty, parseListen } from '../flags.ts'
import type { ListenAddress } from '../flags.ts'
import { switchOption } from '../switches.ts'
import { databaseOptions, readerOptions } from '../target/storage-flags.ts'
import type { DatabaseFlags, ReaderFlags } from '../target/storage-flags.ts'
import { clusterOptions } from './cluster-flags.ts'
import type { ClusterFlags } from './cluster-flags.ts'
import { limitOptions } from './limit-flags.ts'
import type { LimitFlags } from './limit-flags.ts'

/** As commander hands them over. */
export interface ServeFlags extends LimitFlags, DatabaseFlags, ReaderFlags, ClusterFlags {
  readonly listen: ListenAddress
  readonly shards: number
  readonly workers: number
  readonly readers: number
  readonly durability: Durability
  readonly kernels: KernelKind
  /** False by --no-auth. */
  readonly auth: boolean
  readonly authTokenFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly logLevel: LogLevel
}

export function serveOptions(): readonly Option[] {
  const { shards, workers, readers, durability } = defaultDatabaseSettings
  return [
    new Option('--listen <host:port>', 'address to listen on').env('LSMT_LISTEN').default(parseListen('127.0.0.1:8080'), '127.0.0.1:8080').argParser(parseListen),
    ...databaseOptions(),
    ...readerOptions(),
    new Option('--shards <n>', 'shards of a new database; fixed at creation').env('LSMT_SHARDS').default(shards).argParser(integerIn(1, 1024)),
    new Option('--workers <n>', 'threads for background work; 0: all in the main thread').env('LSMT_WORKERS').default(workers).argParser(integerIn(0, 64)),
    new Option('--readers <n>', 'threads that help with large scans; 0: the main thread reads alone').env('LSMT_READERS').default(readers).argParser(integerIn(0, 64)),
    new Option('--durability <kind>', 'what an acknowledged write survives').env('LSMT_DURABILITY').default(durability).choices(['sync', 'interval', 'memory']),
    kernelsOption(),
    new Option('--auth-token-file <path>', 'serve only who has a token of this file: one a line, read:TOKEN or write:TOKEN; read again on SIGHUP (LSMT_AUTH_TOKEN holds one token itself)').env('LSMT_AUTH_TOKEN_FILE').argParser(nonEmpty),
    switchOption('--no-auth', 'serve everyone who can connect, without tokens'),
    new Option('--tls-cert <path>', 'certificate in PEM, for HTTPS; read again on SIGHUP').env('LSMT_TLS_CERT').argParser(nonEmpty),
    new Option('--tls-key <path>', 'its private key in PEM').env('LSMT_TLS_KEY').argParser(nonEmpty),
    new Option('--log-level <level>', 'what is logged to stderr, one JSON object a line; debug tells every request').env('LSMT_LOG_LEVEL').default('info').choices([...logLevels]),
    ...limitOptions(),
    ...clusterOptions(),
  ]
}
