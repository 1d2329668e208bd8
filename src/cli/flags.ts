/** Flags and their environment variables: what each expects, and what it says when it gets something else. */
import { InvalidArgumentError, Option } from 'commander'
import type { Durability, KernelKind } from '../settings.ts'
import { defaultDatabaseSettings } from '../settings.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Values of `lsmt serve` as commander hands them over. */
export interface ServeFlags {
  readonly listen: ListenAddress
  readonly dataDir: string
  readonly storage: 'local' | 's3'
  readonly shards: number
  readonly workers: number
  readonly durability: Durability
  readonly kernels: KernelKind
  /** False by --no-auth. */
  readonly auth: boolean
}

export function dataDirOption(): Option {
  return new Option('--data-dir <path>', 'directory of the database').env('LSMT_DATA_DIR').default('./data').argParser(nonEmpty)
}

export function kernelsOption(): Option {
  return new Option('--kernels <kind>', 'implementation of the hot loops').env('LSMT_KERNELS').default(defaultDatabaseSettings.kernels).choices(['wasm', 'js'])
}

/** The options of serve; `--no-auth` has its variable read apart, since commander would take `LSMT_NO_AUTH=0` for yes. */
export function serveOptions(): readonly Option[] {
  const { shards, workers, durability } = defaultDatabaseSettings
  return [
    new Option('--listen <host:port>', 'address to listen on').env('LSMT_LISTEN').default(parseListen('127.0.0.1:8080'), '127.0.0.1:8080').argParser(parseListen),
    dataDirOption(),
    new Option('--storage <kind>', 'where the data is kept; s3 is not supported yet').env('LSMT_STORAGE').default('local').choices(['local', 's3']),
    new Option('--shards <n>', 'shards of a new database; fixed at creation').env('LSMT_SHARDS').default(shards).argParser(integerIn(1, 1024)),
    new Option('--workers <n>', 'threads for background work; 0: all in the main thread').env('LSMT_WORKERS').default(workers).argParser(integerIn(0, 64)),
    new Option('--durability <kind>', 'what an acknowledged write survives').env('LSMT_DURABILITY').default(durability).choices(['sync', 'interval', 'memory']),
    kernelsOption(),
    new Option('--no-auth', 'serve everyone who can connect, without tokens (env: LSMT_NO_AUTH)'),
  ]
}

/** Whether LSMT_NO_AUTH says yes. */
export function noAuthVariable(value: string | undefined): boolean {
  switch (value?.toLowerCase()) {
    case undefined:
    case '':
    case '0':
    case 'false':
    case 'no':
      return false
    case '1':
    case 'true':
    case 'yes':
      return true
    default:
      throw new InvalidArgumentError(`LSMT_NO_AUTH is '${value}'; expected 1, true or yes, or 0, false or no`)
  }
}

/** Variables of flags that do not exist yet: who sets one expects something that would not happen. */
const unsupportedVariables = [
  'LSMT_AUTH_TOKEN', 'LSMT_AUTH_TOKEN_FILE', 'LSMT_TLS_CERT', 'LSMT_TLS_KEY', 'LSMT_BUCKET', 'LSMT_PREFIX', 'LSMT_S3_ENDPOINT', 'LSMT_CACHE_DIR',
  'LSMT_CACHE_BYTES_MAX', 'LSMT_NODE_ID', 'LSMT_ETCD', 'LSMT_ADVERTISE', 'LSMT_CLUSTER', 'LSMT_REPLICATION_FACTOR',
]

export function unsupportedVariable(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return unsupportedVariables.find((name) => environment[name] !== undefined && environment[name] !== '')
}

/** `host:port`, an IPv6 host in brackets. */
export function parseListen(text: string): ListenAddress {
  const found = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(text)
  const port = Number(found?.[2])
  if (found === null || port > 65_535) throw new InvalidArgumentError('Expected host:port, such as 127.0.0.1:8080 or [::1]:8080.')
  return { host: found[1]!.replace(/^\[(.*)\]$/, '$1'), port }
}

function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || number < min || number > max) throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
    return number
  }
}

function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path.')
  return text
}
