/** A database whose only home is a bucket, as a newcomer meets it: real processes, a real S3 server, and nothing kept where they ran. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { query, runCli, startCli, withFolder } from '../cli-process.ts'
import type { CliProcess } from '../cli-process.ts'
import { s3Place } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

function serve({ flags, environment }: S3Place, folder: string, ...more: readonly string[]): CliProcess {
  return startCli(['serve', '--listen', '127.0.0.1:0', ...flags, ...more], { ...environment, TMPDIR: folder, LSMT_DATA_DIR: join(folder, 'data') })
}

async function rowsOf(url: string, sql: string): Promise<unknown> {
  const { status, text } = await query(url, sql)
  if (status !== 200) throw new Error(text)
  return (JSON.parse(text) as { readonly rows: unknown }).rows
}

describeS3('a database in a bucket', () => {
  test('killed on one machine, it goes on on another; stopped, it starts again; commands work on it', async () => {
    await withFolder(async (folder) => {
      const place = await s3Place()
      const [here, there] = [join(folder, 'here'), join(folder, 'there')]
      for (const machine of [here, there]) await mkdir(machine)
      const first = serve(place, here, '--shards', '2')
      const url = await first.listening
      expect(first.out()).toContain(`(data: ${place.url}, durability: sync, kernels: wasm)`)
      const written = await query(url, "INSERT INTO kv VALUES ('hello', 'world')")
      expect(JSON.parse(written.text)).toMatchObject({ rowCount: 1, commit: { durability: 'sync', copies: 1 } })
      expect((await query(url, "CREATE TABLE trips (id BIGINT PRIMARY KEY, city TEXT); INSERT INTO trips VALUES (1, 'Oslo'), (2, 'Bergen')")).status).toBe(200)
      const status = (await (await fetch(`${url}/status`)).json()) as { readonly node: unknown }
      expect(status.node).toMatchObject({ storage: 's3', bucket: place.bucket, prefix: place.prefix })
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) expect(JSON.stringify(status)).not.toContain(place.environment[name])
      first.child.kill('SIGKILL')
      await first.exited

      const second = serve(place, there)
      const elsewhere = await second.listening
      expect(await rowsOf(elsewhere, "SELECT value FROM kv WHERE key = 'hello'")).toEqual([['world']])
      expect(await rowsOf(elsewhere, 'SELECT * FROM trips ORDER BY id')).toEqual([[1, 'Oslo'], [2, 'Bergen']])
      await query(elsewhere, "INSERT INTO kv VALUES ('second', 'home')")
      second.child.kill('SIGTERM')
      expect(await second.exited).toBe(0)

      const third = serve(place, here)
      expect(await rowsOf(await third.listening, 'SELECT COUNT(*) FROM kv')).toEqual([[2]])
      third.child.kill('SIGTERM')
      expect([await third.exited, second.err().includes('rror'), third.err().includes('rror')]).toEqual([0, false, false])

      const sql = await runCli(['sql', ...place.flags, '--format', 'csv', '-e', 'SELECT COUNT(*) AS n FROM trips'], '', place.environment)
      expect(sql).toMatchObject({ code: 0, out: expect.stringMatching(/^n\r?\n2\r?\n$/) as string, err: '' })
      expect(await runCli(['verify', ...place.flags], '', place.environment)).toMatchObject({ code: 0, err: '' })
    })
  })
})
