/** Who may open a database in a bucket, and where its log is: commands do not interrupt a server by accident, servers take over. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import type { ServedHere } from '../cli-in-process.ts'
import { query, withFolder } from '../cli-process.ts'
import { s3PlaceHere } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

let place: S3Place

beforeEach(async () => {
  place = await s3PlaceHere()
})

afterEach(() => vi.unstubAllEnvs())

const insert = (key: string): string => `INSERT INTO kv VALUES ('${key}', 'x')`

/** A server that was overtaken ends by itself within seconds, and on a busy machine before the last requests reach it. */
async function whileItServes({ ended }: ServedHere, ask: () => Promise<void>): Promise<void> {
  let hasEnded = false
  void ended.then(() => (hasEnded = true))
  try {
    await ask()
  } catch (error) {
    await vi.waitFor(() => { if (!(hasEnded && isUnreachable(error))) throw error }, { timeout: 10_000 })
  }
}

const isUnreachable = (error: unknown): boolean => error instanceof TypeError && error.message === 'fetch failed'

describeS3('writers of a bucket', () => {
  test('a command does not interrupt a server unless it is told to; a server takes over', async () => {
    await withFolder(async (folder) => {
      const first = await serveHere(join(folder, 'a'), place.flags)
      expect((await query(first.url, insert('a'))).status).toBe(200)
      const count = ['sql', ...place.flags, '--format', 'csv', '-e', 'SELECT COUNT(*) FROM kv']
      for (const args of [count, ['status', ...place.flags], ['compact', ...place.flags], ['backup', join(folder, 'backup'), ...place.flags]]) {
        expect(await runHere(args)).toMatchObject({ code: 3, out: '', err: expect.stringMatching(/^lsmt: the database in bucket .* may be in use: its last writer \(epoch 1\) has not ended by itself \(if a server has it open, work with that: --url .*--take-over\)\n$/) as string })
      }
      expect((await query(first.url, insert('b'))).status).toBe(200)
      expect(await runHere([...count, '--read-only'])).toMatchObject({ code: 0, out: expect.stringMatching(/2/) as string, err: '' })
      expect((await query(first.url, insert('still a writer'))).status).toBe(200)
      expect(await runHere([...count, '--take-over'])).toMatchObject({ code: 0, out: expect.stringMatching(/3/) as string })
      await whileItServes(first, async () => {
        expect(JSON.parse((await query(first.url, insert('c'))).text)).toMatchObject({ error: { code: '40003' } })
        expect(JSON.parse((await query(first.url, insert('d'))).text)).toMatchObject({ error: { code: '55006', message: expect.stringMatching(/another writer has taken over/) as string } })
        expect((await fetch(`${first.url}/health/ready`)).status).toBe(503)
      })
      const second = await serveHere(join(folder, 'b'), place.flags)
      expect((await query(second.url, insert('e'))).status).toBe(200)
      expect(await first.ended).toMatchObject({ code: 3, err: expect.stringMatching(/another writer has taken over/) as string })
      expect((await query(second.url, insert('f'))).status).toBe(200)
      await second.stop()
      expect(await runHere(count)).toMatchObject({ code: 0, out: expect.stringMatching(/5/) as string, err: '' })
    })
  })

  test('a log on the local disk: answers say so, nobody goes on without it, and closing brings all to the bucket', async () => {
    await withFolder(async (folder) => {
      const data = join(folder, 'data')
      const server = await serveHere(data, [...place.flags, '--log', 'local'])
      expect(JSON.parse((await query(server.url, insert('a'))).text)).toMatchObject({ commit: { durability: 'local', copies: 1 } })
      expect(await (await fetch(`${server.url}/status`)).json()).toMatchObject({ node: { storage: 's3', log: 'disk' } })
      const elsewhere = ['sql', ...place.flags, '--take-over', '-e', 'SELECT COUNT(*) FROM kv']
      expect(await runHere(elsewhere)).toMatchObject({ err: expect.stringMatching(/kept its log on a local disk and was not closed/) as string })
      await server.stop()
      await rm(data, { recursive: true })
      expect(await runHere(elsewhere)).toMatchObject({ code: 0, err: '' })
    })
  })

  test('a cache on disk serves later starts, and may be deleted', async () => {
    await withFolder(async (folder) => {
      const args = [...place.flags, '--cache-dir', join(folder, 'cache'), '--cache-bytes-max', '64MiB']
      const lookups = async (keepsCache: boolean): Promise<unknown> => {
        if (!keepsCache) await rm(join(folder, 'cache'), { recursive: true })
        const server = await serveHere(join(folder, 'data'), args)
        expect((await query(server.url, 'SELECT COUNT(value) FROM kv')).text).toContain('[[1000]]')
        const { diskCache } = (await (await fetch(`${server.url}/status`)).json()) as { readonly diskCache: unknown }
        await server.stop()
        return diskCache
      }
      await (await serveHere(join(folder, 'data'), args)).stop()
      expect((await runHere(['import', 'kv', '--format', 'csv', ...args], `key,value\n${Array.from({ length: 1000 }, (_, i) => `${i},x\n`).join('')}`)).code).toBe(0)
      expect(await lookups(true)).toMatchObject({ misses: 0, hits: expect.any(Number) as number })
      expect(await lookups(false)).not.toMatchObject({ misses: 0 })
    })
  })

  test('an embedded database in a bucket', async () => {
    const options = { storage: 's3', bucket: place.bucket, prefix: place.prefix, endpoint: place.environment['LSMT_S3_ENDPOINT']!, shards: 2, workers: 0 } as const
    await expect(open({ ...options, createIfMissing: false })).rejects.toMatchObject({ code: '58P01', message: `the database in ${place.url} does not exist` })
    const db = await open(options)
    await db.table('kv').put({ key: 'a', value: 'b' })
    await db.close()
    const again = await open({ ...options, createIfMissing: false })
    expect(again.table('kv').getSync('a')).toMatchObject({ value: 'b' })
    await again.close()
    await expect(open({ ...options, shards: 3 })).rejects.toMatchObject({ code: '22023', message: expect.stringMatching(/has 2 shards, which cannot change; 3 were asked for/) as string })
  })
})
