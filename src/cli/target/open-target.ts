/** From flags to a connection. */
import { LsmtError } from '../../errors.ts'
import { readSmallFile } from '../../storage/small-file.ts'
import type { FlagSource } from '../command.ts'
import type { CliHost } from '../host.ts'
import type { Connection } from './connection.ts'
import { openHere } from './engine-connection.ts'
import { openServer } from './server-connection.ts'
import type { ServerConnection } from './server-connection.ts'
import { chosenUrl } from './target-options.ts'
import type { TargetFlags } from './target-options.ts'

async function openTarget(flags: TargetFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<Connection> {
  const url = chosenUrl(flags, sourceOf)
  return url === undefined ? await openHere(flags, sourceOf, host) : await serverWithToken(url, flags, host)
}

/** Runs with the connection and closes it whatever happens. */
export async function withTarget<T>(flags: TargetFlags, sourceOf: (flag: string) => FlagSource, host: CliHost, run: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openTarget(flags, sourceOf, host)
  try {
    return await run(connection)
  } finally {
    await connection.close()
  }
}

export async function serverWithToken(url: string, { tokenFile }: Pick<TargetFlags, 'tokenFile'>, host: CliHost): Promise<ServerConnection> {
  if (tokenFile === undefined) return openServer(url, host.environment['LSMT_TOKEN'] || undefined)
  const token = tokenIn((await readSmallFile(tokenFile, 64 * 1024)).toString('latin1'))
  if (token === undefined) throw new LsmtError('22023', `there is no token in ${tokenFile}`)
  return openServer(url, token)
}

/** The first one; the server's own file will do. */
function tokenIn(text: string): string | undefined {
  const line = text.split(/\r?\n/).map((each) => each.trim()).find((each) => each !== '' && !each.startsWith('#'))
  return line?.replace(/^(read|write):/, '')
}
