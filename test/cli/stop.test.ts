/** SIGTERM: requests under way end, further ones are refused, all of it within a bound; a second one ends it at once. */
import { expect, test } from 'vitest'
import { openRaw, rawQuery, statusOf } from '../http/raw-client.ts'
import type { RawConnection } from '../http/raw-client.ts'
import { startCli, withFolder } from './cli-process.ts'
import type { CliProcess } from './cli-process.ts'

interface Stopping {
  readonly cli: CliProcess
  readonly url: string
  /** A request whose body is half there. */
  readonly underWay: RawConnection
}

const sql = "INSERT INTO kv VALUES ('last', 'words')"

async function withRequestUnderWay(args: readonly string[], run: (stopping: Stopping) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const cli = startCli(['--listen', '127.0.0.1:0', '--shards', '1', '--data-dir', folder, ...args])
    const url = await cli.listening
    const underWay = await openRaw(url)
    underWay.send(rawQuery(sql).slice(0, -10))
    // Whoever has answered what was sent later has read it.
    for (let asked = 0; asked < 3; asked++) await fetch(`${url}/health/live`, { headers: { connection: 'close' } })
    cli.child.kill('SIGTERM')
    while (!cli.err().includes('stopping')) await new Promise((resolve) => setTimeout(resolve, 10))
    try {
      await run({ cli, url, underWay })
    } finally {
      cli.child.kill('SIGKILL')
      await cli.exited
    }
  })
}

test('requests under way end well, others meanwhile are told that it stops, and the exit is clean', async () => {
  await withRequestUnderWay([], async ({ cli, url, underWay }) => {
    const refused = await fetch(`${url}/query`, { method: 'POST', body: 'SELECT 1' })
    expect([refused.status, (await refused.json() as { error: { code: string } }).error.code]).toEqual([503, '57P03'])
    expect((await fetch(`${url}/health/ready`)).status).toBe(503)
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    underWay.send(sql.slice(-10))
    expect(await cli.exited).toBe(0)
    expect(statusOf(underWay.received())).toBe(200)
    expect(cli.err()).toContain('"memtables":"flushed"')
  })
})

test('what does not end in time is cut', async () => {
  await withRequestUnderWay(['--stop-timeout-ms', '300'], async ({ cli, underWay }) => {
    expect(await cli.exited).toBe(0)
    await underWay.closed
    expect(underWay.received()).toBe('')
  })
})

test('a second signal ends it at once, and not as if all were well', async () => {
  await withRequestUnderWay([], async ({ cli }) => {
    cli.child.kill('SIGINT')
    expect(await cli.exited).toBe(1)
  })
})
