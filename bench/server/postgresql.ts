/**
 * PostgreSQL with its defaults, durable commits among them, asked over loopback by `pgbench`: once with prepared
 * statements, once with the simple protocol, as one server and two contestants. It refuses to run as root, so there it
 * runs as `nobody`.
 */
import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { start, stop } from '../../scripts/cluster/processes.ts'
import { freePorts } from '../../test/shared-server/shared-server.ts'
import { bytesOnDisk } from '../peers/peer.ts'
import type { LoadShape, Rate, ServerContestant } from './contestant.ts'
import { setup } from './works.ts'
import type { Work } from './works.ts'

const run = promisify(execFile)
const host = '127.0.0.1', user = 'bench'
const connectionsMax = 600
const readyTimeoutMs = 60_000

/** Undefined when its programs are not there. */
export function findPostgresql(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin')) : []
  return [...(process.env['PATH'] ?? '').split(delimiter), ...versions].find((folder) => folder !== '' && ['initdb', 'postgres', 'pgbench', 'psql'].every((program) => existsSync(join(folder, program))))
}

export interface Postgresql {
  readonly contestants: readonly ServerContestant[]
  /** Rows as lines, values separated by commas. */
  answer(sql: string): Promise<string>
  stop(): Promise<void>
}

export async function openPostgresql(programs: string, folder: string, factCount: number): Promise<Postgresql> {
  const data = join(folder, 'data')
  mkdirSync(folder)
  const unprivileged = await asOther(folder)
  const command = (program: string, ...given: readonly string[]): readonly string[] => [...unprivileged, join(programs, program), ...given]
  const initdb = command('initdb', '-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C')
  await run(initdb[0]!, initdb.slice(1), { cwd: folder })
  const [port] = (await freePorts(1)) as [number]
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const server = start('postgres', command('postgres', '-D', data, '-p', String(port), '-c', `listen_addresses=${host}`, '-c', `unix_socket_directories=${folder}`, '-c', `max_connections=${connectionsMax}`), print)
  const psql = async (sql: string): Promise<string> => {
    const given = join(folder, 'statement.sql')
    writeFileSync(given, sql)
    const { stdout } = await run(join(programs, 'psql'), ['-h', host, '-p', String(port), '-U', user, '-d', 'postgres', '-AtqF,', '-v', 'ON_ERROR_STOP=1', '-f', given])
    return stdout.trimEnd()
  }
  const end = (): Promise<void> => stop([server], 30_000, print)
  try {
    for (const endMs = performance.now() + readyTimeoutMs; !(await psql('SELECT 1').then(() => true, () => false)); await sleep(100)) {
      if (server.hasEnded() || performance.now() > endMs) throw new Error('PostgreSQL did not become ready')
    }
    await psql(['CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT)', ...setup(factCount), 'VACUUM ANALYZE'].join(';\n'))
  } catch (error) {
    await end()
    throw new Error(`${(error as Error).message}:\n${lines.join('\n')}`, { cause: error })
  }
  const contestant = (mode: 'prepared' | 'simple'): ServerContestant => ({
    name: `postgresql, ${mode}`, does: () => true,
    rate: (work, shape) => pgbench(join(programs, 'pgbench'), ['-h', host, '-p', String(port), '-U', user, '-M', mode], work, shape, folder),
    peakMemoryBytes: () => undefined,
    diskBytes: () => bytesOnDisk(data),
    stop: async () => {},
  })
  return { contestants: [contestant('prepared'), contestant('simple')], answer: psql, stop: end }
}

/** What runs a command as somebody who is not root and owns the folder. */
async function asOther(folder: string): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return []
  const ids = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'nobody'])).stdout)))
  chownSync(folder, ids[0]!, ids[1]!)
  return ['setpriv', `--reuid=${ids[0]}`, `--regid=${ids[1]}`, '--clear-groups', '--']
}

/** pgbench makes its connections one after the other within the time that it is given; what it tells a second is of the time after them. */
const connectsPerSecond = 100

async function pgbench(program: string, flags: readonly string[], { name, scripts }: Work, { connections, seconds }: LoadShape, folder: string): Promise<Rate> {
  const files = scripts.map((script, index) => {
    const file = join(folder, `${name.replaceAll(' ', '-')}-${index}.pgbench`)
    writeFileSync(file, script)
    return ['-f', file]
  })
  const { stdout } = await run(program, [...flags, '-n', '-c', String(connections), '-j', '1', '-T', String(seconds + Math.ceil(connections / connectsPerSecond)), ...files.flat(), 'postgres'])
  const number = (pattern: RegExp): number | undefined => Number(pattern.exec(stdout)?.[1] ?? Number.NaN)
  const perSecond = number(/^tps = ([\d.]+) /m)!
  const failed = number(/^number of failed transactions: (\d+)/m)
  if (!(perSecond > 0) || (failed ?? 0) > 0) throw new Error(`pgbench of ${name} told:\n${stdout}`)
  return { perSecond }
}
