/** Flags and their environment variables: what each expects, and what it says when it gets something else. */
import { InvalidArgumentError, Option } from 'commander'
import { defaultDatabaseSettings } from '../settings.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export function dataDirOption(): Option {
  return new Option('--data-dir <path>', 'directory of the database').env('LSMT_DATA_DIR').default('./data').argParser(nonEmpty)
}

export function kernelsOption(): Option {
  return new Option('--kernels <kind>', 'implementation of the hot loops').env('LSMT_KERNELS').default(defaultDatabaseSettings.kernels).choices(['wasm', 'js'])
}

/** The environment variable of a flag: `data-dir` has LSMT_DATA_DIR. */
export function variableOf(flag: string): string {
  return `LSMT_${flag.toUpperCase().replaceAll('-', '_')}`
}

/** `host:port`, an IPv6 host in brackets. */
export function parseListen(text: string): ListenAddress {
  const found = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(text)
  const port = Number(found?.[2])
  if (found === null || port > 65_535) throw new InvalidArgumentError('Expected host:port, such as 127.0.0.1:8080 or [::1]:8080.')
  return { host: found[1]!.replace(/^\[(.*)\]$/, '$1'), port }
}

export function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || number < min || number > max) throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
    return number
  }
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, KIB: 1024, MIB: 1024 ** 2, GIB: 1024 ** 3 }

/** A number of bytes, with KiB, MiB or GiB behind it if need be. */
export function bytesIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,15})\s*(KiB|MiB|GiB)?$/i.exec(text) ?? []
    const bytes = Number(digits) * unitBytes[unit.toUpperCase()]!
    if (!(bytes >= min && bytes <= max)) throw new InvalidArgumentError(`Expected bytes from ${min} to ${max}, such as 1048576 or 1MiB.`)
    return bytes
  }
}

export function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path.')
  return text
}
