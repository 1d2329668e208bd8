/**
 * Two servers on one database in a bucket, as processes of their own: one goes on, the other says that it is out, and
 * nothing that either acknowledged is lost; also when the first is stopped, overtaken, and woken up.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { fullTests } from '../../kernel/both-kinds.ts'
import { startFaultProxy } from '../../storage/s3/fault-proxy.ts'
import type { ProxyFault } from '../../storage/s3/fault-proxy.ts'
import { describeS3, testServer } from '../../storage/s3/s3-server.ts'
import { query, runCli, startCli, withFolder } from '../cli-process.ts'
import type { CliProcess } from '../cli-process.ts'
import { s3Place } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'
import { until } from '../../until.ts'

const outMessage = /another writer (has taken over|has opened)/
const waitMsMax = 50_000
const running: CliProcess[] = []

afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL')
})

interface Server {
  readonly cli: CliProcess
  readonly acknowledged: Set<string>
  /** What the last statement was answered with: 'done', or the code of an error. */
  lastAnswer: string | undefined
  exit: number | string | undefined
}

function startServer(place: S3Place, folder: string, environment: Readonly<Record<string, string>> = place.environment): Server {
  const cli = startCli(['serve', '--listen', '127.0.0.1:0', '--data-dir', folder, '--workers', '0', '--log-flush-ms', '5', ...place.flags], environment)
  running.push(cli)
  const server: Server = { cli, acknowledged: new Set(), lastAnswer: undefined, exit: undefined }
  void cli.exited.then((exit) => { server.exit = exit })
  return server
}

/** Writes one row after the other until `isOver`, or the server has ended. */
async function writeRows(server: Server, writer: string, isOver: () => boolean): Promise<void> {
  const url = await server.cli.listening.catch(() => undefined)
  for (let i = 0; url !== undefined && !isOver() && server.exit === undefined; i++) await writeRow(server, url, `${writer}/${i}`)
}

async function writeRow(server: Server, url: string, key: string): Promise<string> {
  const answer = await query(url, `INSERT INTO kv VALUES ('${key}', 'x')`).then(({ status, text }) => (status === 200 ? 'done' : (JSON.parse(text) as { error: { code: string } }).error.code), () => 'no answer')
  if (answer === 'done') server.acknowledged.add(key)
  else await sleep(20)
  server.lastAnswer = answer
  return answer
}

const isOut = ({ exit, lastAnswer }: Server): boolean => exit !== undefined || lastAnswer === '55006'

async function keysOf(url: string): Promise<ReadonlySet<string>> {
  const { text } = await query(url, 'SELECT key FROM kv')
  return new Set((JSON.parse(text) as { rows: readonly (readonly string[])[] }).rows.map(([key]) => key!))
}

/** What the next one finds who opens the database. */
async function expectAllFound(place: S3Place, servers: readonly Server[]): Promise<void> {
  const { out, err } = await runCli(['sql', ...place.flags, '--take-over', '--format', 'csv', '-e', 'SELECT key FROM kv'], '', place.environment)
  const found = new Set(out.split(/\r?\n/))
  expect(servers.flatMap(({ acknowledged }) => [...acknowledged]).filter((key) => !found.has(key)), err).toEqual([])
}

/** One that served already stops by itself: what it reads is old. */
async function expectSaysThatItIsOut({ cli }: Server): Promise<void> {
  expect(await cli.exited).toBe(3)
  const lines = cli.err().trimEnd().split('\n')
  expect(lines.at(-1)).toMatch(outMessage)
  if (!cli.err().includes('listening')) expect(lines).toHaveLength(1)
}

describeS3('two servers on one bucket', () => {
  const rounds = Array.from({ length: fullTests ? 20 : 3 }, (_, round) => round)
  test.each(rounds)('started together: one goes on, the other is out, round %i', async (round) => {
    const place = await s3Place()
    await withFolder(async (folder) => {
      const servers: Server[] = []
      for (const name of ['a', 'b']) {
        servers.push(startServer(place, join(folder, name)))
        await sleep((round % 4) * 40)
      }
      let isOver = false
      const writing = Promise.all(servers.map((server, i) => writeRows(server, `server ${i}`, () => isOver)))
      await until(() => servers.some(isOut), waitMsMax)
      const [out, other] = isOut(servers[0]!) ? [servers[0]!, servers[1]!] : [servers[1]!, servers[0]!]
      const before = other.acknowledged.size
      await until(() => other.acknowledged.size > before + 20, waitMsMax)
      await expectSaysThatItIsOut(out)
      expect(isOut(other)).toBe(false)
      isOver = true
      await writing
      for (const { cli } of servers) cli.child.kill('SIGKILL')
      await expectAllFound(place, servers)
    })
  }, 240_000)

  test.each<[string, ProxyFault | undefined]>([['takes effect at once', undefined], ['takes effect when the other has taken over', 'late']])('the first is stopped while it writes its log, which %s, and wakes up behind the other', async (_, fault) => {
    const place = await s3Place()
    const proxy = await startFaultProxy((await testServer()).endpoint, 4_000)
    await withFolder(async (folder) => {
      const first = startServer(place, join(folder, 'a'), { ...place.environment, LSMT_S3_ENDPOINT: proxy.endpoint })
      let isOver = false
      const writing = Promise.all(Array.from({ length: 16 }, (__, writer) => writeRows(first, `first ${writer}`, () => isOver)))
      await until(() => first.acknowledged.size > 50, waitMsMax)
      let isStopped = false
      proxy.plan = ({ method, url }) => {
        if (isStopped || method !== 'PUT' || !url.includes('/wal/')) return undefined
        isStopped = first.cli.child.kill('SIGSTOP')
        return fault
      }
      await until(() => isStopped, waitMsMax)
      const second = startServer(place, join(folder, 'b'))
      const url = await second.cli.listening
      for (let i = 0; i < 20; i++) expect(await writeRow(second, url, `second/${i}`)).toBe('done')
      await proxy.settled()
      const known = await keysOf(url)
      first.cli.child.kill('SIGCONT')
      await until(() => isOut(first), waitMsMax)
      isOver = true
      await writing
      // Answers of what was decided before it stopped may still be on their way.
      expect([...first.acknowledged].filter((key) => !known.has(key)), 'acknowledged by the first, and unknown to who had taken over').toEqual([])
      await expectSaysThatItIsOut(first)
      expect(await writeRow(second, url, 'second/last')).toBe('done')
      for (const { cli } of [first, second]) cli.child.kill('SIGKILL')
      await expectAllFound(place, [first, second])
    })
    await proxy.close()
  }, 240_000)
})
