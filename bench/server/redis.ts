/** Redis, which answers a SET when it is on disk, asked by `redis-benchmark` over loopback. */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isOnPath } from '../../scripts/cluster/etcd-command.ts'
import { start, stop } from '../../scripts/cluster/processes.ts'
import { freePorts } from '../../test/shared-server/shared-server.ts'
import { bytesOnDisk } from '../peers/peer.ts'
import { peakMemoryOf } from './contestant.ts'
import type { LoadShape, Rate, ServerContestant } from './contestant.ts'
import { keyCount } from './works.ts'

const run = promisify(execFile)
const readyTimeoutMs = 30_000
const valueBytes = 'written under load'.length
/** Of which it can be told how many a second are answered, before as many are sent as the time has room for. */
const probeRequests = 2_000

export const isRedisInstalled = (): boolean => ['redis-server', 'redis-benchmark', 'redis-cli'].every((program) => isOnPath(program, process.env['PATH'] ?? ''))

export async function openRedis(folder: string): Promise<ServerContestant> {
  mkdirSync(folder)
  const [port] = (await freePorts(1)) as [number]
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const server = start('redis', ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''], print)
  const answers = (): Promise<boolean> => run('redis-cli', ['-p', String(port), 'ping']).then(({ stdout }) => stdout.trim() === 'PONG', () => false)
  for (const endMs = performance.now() + readyTimeoutMs; !(await answers()); await sleep(50)) {
    if (server.hasEnded() || performance.now() > endMs) throw new Error(`Redis did not become ready:\n${lines.join('\n')}`)
  }
  const measure = (command: string, requests: number, { connections }: LoadShape): Promise<number> => redisBenchmark(port, command, requests, connections)
  await measure('set', probeRequests, { connections: 1, seconds: 0 })
  return {
    name: 'redis', does: ({ redis }) => redis !== undefined,
    async rate({ redis }, shape): Promise<Rate> {
      const perSecond = await measure(redis!, probeRequests, shape)
      return { perSecond: await measure(redis!, Math.ceil(perSecond * shape.seconds), shape) }
    },
    peakMemoryBytes: () => peakMemoryOf(server.child.pid!),
    diskBytes: () => bytesOnDisk(folder),
    stop: () => stop([server], 30_000, print),
  }
}

/** Requests a second. */
async function redisBenchmark(port: number, command: string, requests: number, connections: number): Promise<number> {
  const { stdout } = await run('redis-benchmark', ['-p', String(port), '-t', command, '-n', String(requests), '-c', String(connections), '-r', String(keyCount), '-d', String(valueBytes), '--csv'])
  const perSecond = Number(/^"(?:GET|SET)","([\d.]+)"/m.exec(stdout)?.[1] ?? Number.NaN)
  if (!(perSecond > 0)) throw new Error(`redis-benchmark told:\n${stdout}`)
  return perSecond
}
