/** What a run was made with: the machine, versions, the command that repeats it. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { versionOf } from './peers/installed.ts'

const peerPackages = ['classic-level', 'lmdb', 'better-sqlite3', '@duckdb/node-api', 'express']
const peerPrograms: readonly (readonly [command: string, flag: string])[] = [['pgbench', '--version'], ['redis-server', '--version'], ['etcd', '--version']]

export const machine = (): string => `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${type()} ${release()}`

/** Of contestants, those that are not installed named as such. */
export function versions(): string {
  return [...peerPackages.map(versionOf), ...peerPrograms.map(([command, flag]) => programVersion(command, flag))].join('; ')
}

function programVersion(command: string, flag: string): string {
  try {
    return execFileSync(command, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0]!
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${command}, not installed`
    throw error
  }
}

/** What sets sizes stands before it; in which folder it ran says nothing of what was measured. */
export function commandLine(file: string, smoke: boolean): string {
  const sizes = Object.entries(process.env).filter(([name]) => name.startsWith('LSMT_BENCH_') && name !== 'LSMT_BENCH_DIR').map(([name, value]) => `${name}=${value} `)
  return `${sizes.sort().join('')}npm run bench -- ${file.replace('.bench.ts', '')}${smoke ? ' --smoke' : ''}`
}
