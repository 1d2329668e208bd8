/** Backups and restores between directories and buckets, in every direction, over a real S3 server. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import { query, withFolder } from '../cli-process.ts'
import { s3PlaceHere, withPlace } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

let place: S3Place

beforeEach(async () => {
  place = await s3PlaceHere()
})

afterEach(() => vi.unstubAllEnvs())

async function run(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runHere(args)
  expect([code, err]).toEqual([0, ''])
  return out
}

describeS3('copies', () => {
  test('a server that is written to is backed up to a bucket, and that is restored to a directory', async () => {
    await withFolder(async (folder) => {
      const [data, restored] = [join(folder, 'data'), join(folder, 'restored')]
      const server = await serveHere(data)
      await query(server.url, 'CREATE TABLE first (id BIGINT PRIMARY KEY); CREATE TABLE second (id BIGINT PRIMARY KEY)')
      let isWriting = true, written = 0
      const writing = (async () => {
        for (; isWriting; written++) await query(server.url, `INSERT INTO first VALUES (${written}); INSERT INTO second VALUES (${written})`)
      })()
      while (written < 20) await new Promise((resolve) => setTimeout(resolve, 5))
      const told = JSON.parse(await run('backup', place.url, '--url', server.url, '--json')) as { readonly folder: string; readonly files: number }
      isWriting = false
      await writing
      await server.stop()
      expect(told).toMatchObject({ folder: place.url, files: expect.any(Number) as number })
      await rm(data, { recursive: true })
      expect(await run('restore', place.url, '--data-dir', restored)).toMatch(new RegExp(`^${told.files} files, .* restored to .*/restored and verified\n$`))
      const answer = JSON.parse(await run('sql', '--data-dir', restored, '--format', 'json', '-e', 'SELECT (SELECT COUNT(*) FROM first), (SELECT MAX(id) FROM first), (SELECT COUNT(*) FROM second)')) as { readonly rows: [[number, number, number]] }
      const [[first, max, second]] = answer.rows
      expect(max).toBe(first - 1)
      expect(first).toBeGreaterThanOrEqual(20)
      expect([0, 1]).toContain(first - second)
    })
  })

  test('from directory to bucket to bucket; what is there already is not written over; a damaged object is found', async () => {
    await withFolder(async (folder) => {
      const [data, backup] = [join(folder, 'data'), join(folder, 'backup')]
      await (await serveHere(data)).stop()
      await run('sql', '--data-dir', data, '-e', "INSERT INTO kv VALUES ('a', 'b')")
      await run('backup', backup, '--data-dir', data)
      const restored = await run('restore', backup, ...place.flags)
      expect(restored).toContain(`restored to ${place.url} and verified`)
      expect(await run('verify', ...place.flags)).toMatch(/^no damage found in 2 shards/)
      for (const args of [['restore', backup, ...place.flags], ['backup', place.url, '--data-dir', data]]) {
        expect(await runHere(args)).toMatchObject({ code: 1, err: expect.stringContaining(`lsmt: ${place.url} is not empty (`) as string })
      }
      const endpoint = place.environment['LSMT_S3_ENDPOINT']!
      await run('backup', `${place.url}-copy`, '--data-dir', data, '--s3-endpoint', endpoint)
      await run('restore', `${place.url}-copy?endpoint=${encodeURIComponent(endpoint)}`, '--storage', 's3', '--bucket', place.bucket, '--prefix', `${place.prefix}-again`)
      const names = await withPlace(place, 'read', async (storage) => (await storage.list('')).map(({ name }) => name))
      const table = names.find((name) => name.endsWith('.sst'))!
      expect(await run('inspect', `${place.url}/${table}`)).toMatch(/1 rows?/)
      expect(await run('inspect', `${place.url}/format`)).toMatch(/database [0-9a-f]{32} of 2 shards/)
      await withPlace(place, 'read', async (storage) => {
        const bytes = await storage.read(table)
        bytes[100]! ^= 1
        await storage.delete(table)
        await storage.createIfAbsent(table, [bytes])
      })
      expect(await runHere(['verify', ...place.flags])).toMatchObject({ code: 4, out: expect.stringContaining(`XX001 ${table}: `) as string })
    })
  })

  test('a server over a bucket that is written to is backed up; what is restored, to a directory and to a bucket, is open to writes', async () => {
    await withFolder(async (folder) => {
      const backup = join(folder, 'backup')
      const server = await serveHere(join(folder, 'data'), place.flags)
      await query(server.url, 'CREATE TABLE first (id BIGINT PRIMARY KEY); CREATE TABLE second (id BIGINT PRIMARY KEY)')
      let isWriting = true, written = 0
      const writing = (async () => {
        for (; isWriting; written++) await query(server.url, `INSERT INTO first VALUES (${written}); INSERT INTO second VALUES (${written})`)
      })()
      while (written < 3) await new Promise((resolve) => setTimeout(resolve, 5))
      await run('backup', backup, '--url', server.url)
      isWriting = false
      await writing
      await server.stop()
      for (const target of [['--data-dir', join(folder, 'restored')], ['--storage', 's3', '--bucket', place.bucket, '--prefix', `${place.prefix}-restored`]]) {
        await run('restore', backup, ...target)
        await run('sql', ...target, '-e', 'INSERT INTO first VALUES (-1)')
        const [first, second] = (await run('sql', ...target, '--format', 'csv', '-e', 'SELECT COUNT(*) - 1 FROM first UNION ALL SELECT COUNT(*) FROM second')).trim().split(/\r?\n/).slice(1).map(Number) as [number, number]
        expect([first >= 3, [0, 1].includes(first - second)], `${first} and ${second}`).toEqual([true, true])
        expect(await run('verify', ...target)).toMatch(/^no damage found/)
      }
    })
  })

  test('a backup in a bucket that was altered is refused and leaves nothing', async () => {
    await withFolder(async (folder) => {
      const [data, restored] = [join(folder, 'data'), join(folder, 'restored')]
      await (await serveHere(data)).stop()
      await run('sql', '--data-dir', data, '-e', "INSERT INTO kv VALUES ('a', 'b')")
      await run('backup', place.url, '--data-dir', data)
      expect(await runHere(['restore', `${place.url}-none`, '--data-dir', restored])).toMatchObject({ code: 3, err: `lsmt: ${place.url}-none is no complete backup: there is no backup.json in it\n` })
      await withPlace(place, 'read', async (storage) => {
        const { name } = (await storage.list('sst/'))[0]!
        const bytes = await storage.read(name)
        bytes[100]! ^= 1
        await storage.delete(name)
        await storage.createIfAbsent(name, [bytes])
      })
      expect(await runHere(['restore', place.url, '--data-dir', restored])).toMatchObject({ code: 4, err: expect.stringMatching(/sst\/.* is damaged: expected/) as string })
      expect(await runHere(['restore', place.url, '--storage', 's3', '--bucket', place.bucket, '--prefix', `${place.prefix}-b`])).toMatchObject({ code: 4 })
      expect((await runHere(['verify', '--storage', 's3', '--bucket', place.bucket, '--prefix', `${place.prefix}-b`])).code).toBe(3)
    })
  })
})
