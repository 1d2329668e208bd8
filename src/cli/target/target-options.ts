/** Where a command works: on a server, or straight on a database that no process has open. */
import { InvalidArgumentError, Option } from 'commander'
import { LsmtError } from '../../errors.ts'
import type { KernelKind } from '../../settings.ts'
import type { FlagSource } from '../command.ts'
import { kernelsOption, nonEmpty } from '../flags.ts'
import { guestOptions, readerOptions } from './storage-flags.ts'
import type { GuestFlags, ReaderFlags } from './storage-flags.ts'

/** How a server is reached. */
export interface ServerFlags {
  readonly url?: string
  readonly tokenFile?: string
}

export interface TargetFlags extends ServerFlags, GuestFlags, ReaderFlags {
  readonly kernels: KernelKind
}

export function serverOptions(): readonly Option[] {
  return [
    new Option('--url <url>', 'server to work with, such as http://127.0.0.1:8080').env('LSMT_URL').argParser(parseUrl),
    new Option('--token-file <path>', 'file that holds the token for the server (LSMT_TOKEN holds one itself)').env('LSMT_TOKEN_FILE').argParser(nonEmpty),
  ]
}

export function targetOptions(): readonly Option[] {
  return [
    ...serverOptions(),
    ...guestOptions(),
    ...readerOptions(),
    kernelsOption(),
  ]
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('Expected http://host:port or https://host:port.')
  return url.href.replace(/\/$/, '')
}

/** The URL to work with, undefined for the storage. What stands on the command line counts more than variables; both there is 22023. */
export function chosenUrl({ url }: TargetFlags, sourceOf: (flag: string) => FlagSource): string | undefined {
  const place = placeFlags.find(([name]) => sourceOf(name) === 'cli')
  if (sourceOf('url') === 'cli' && place !== undefined) throw new LsmtError('22023', `--url and ${place[1]} exclude each other: work with a server, or straight on its data while it is down`)
  return place === undefined ? url : undefined
}

const placeFlags = [['dataDir', '--data-dir'], ['storage', '--storage'], ['bucket', '--bucket']] as const
