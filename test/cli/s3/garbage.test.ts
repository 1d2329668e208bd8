/** Checkpoints and garbage of a database in a bucket, by the command line. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import { query } from '../cli-process.ts'
import { s3PlaceHere, withPlace } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

let place: S3Place

beforeEach(async () => {
  place = await s3PlaceHere()
})

afterEach(() => vi.unstubAllEnvs())

async function run(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runHere([...args, ...place.flags])
  expect([code, err]).toEqual([0, ''])
  return out
}

const json = async <T>(...args: readonly string[]): Promise<T> => JSON.parse(await run(...args, '--json')) as T
const sql = (text: string): Promise<string> => run('sql', '-e', text)

interface Collected {
  readonly dryRun: boolean
  readonly objects: readonly { readonly name: string; readonly bytes: number; readonly why: string }[]
}

async function namesInBucket(): Promise<readonly string[]> {
  return withPlace(place, 'read', async (storage) => (await storage.list('')).map(({ name }) => name))
}

describeS3('garbage in a bucket', () => {
  test('a checkpoint keeps its files through rewriting and gc; without it they go', async () => {
    await (await serveHere('./unused', place.flags)).stop()
    await sql("INSERT INTO kv VALUES ('a', 'old')")
    await run('compact')
    const id = (await run('checkpoint', 'create', '--label', 'before', '--keep-hours', '2')).trim()
    const pinned = (await namesInBucket()).filter((name) => name.startsWith('sst/'))
    expect(await json('checkpoint', 'list')).toEqual([expect.objectContaining({ id, name: 'before', files: pinned.length })])
    await sql("UPDATE kv SET value = 'new' WHERE key = 'a'")
    await run('compact')
    await json('gc')
    expect(await namesInBucket()).toEqual(expect.arrayContaining([...pinned]))
    expect(await run('sql', '--at-checkpoint', id, '-e', 'SELECT value FROM kv')).toContain('old')
    expect(await run('checkpoint', 'delete', id)).toContain(id)
    await sql('SELECT 1')
    const before = await namesInBucket()
    const dry = await json<Collected>('gc', '--dry-run')
    expect(dry.dryRun).toBe(true)
    expect(await namesInBucket()).toEqual(before)
    const collected = await json<Collected>('gc')
    expect(collected.objects).toEqual(dry.objects)
    const after = await namesInBucket()
    expect(before.filter((name) => !after.includes(name))).toEqual(dry.objects.map(({ name }) => name).toSorted())
    expect(pinned.some((name) => !after.includes(name))).toBe(true)
    expect((await json<Collected>('gc')).objects).toEqual([])
    expect(await sql('SELECT value FROM kv')).toContain('new')
    expect(await run('verify')).toMatch(/^no damage found/)
    expect(await runHere(['checkpoint', 'delete', id, ...place.flags])).toMatchObject({ code: 3, err: expect.stringContaining(`no checkpoint ${id}`) as string })
  })

  test('gc runs beside a server that writes', async () => {
    const server = await serveHere('./unused', place.flags)
    await query(server.url, 'CREATE TABLE t (k BIGINT PRIMARY KEY)')
    for (let i = 0; i < 5; i++) {
      await query(server.url, `INSERT INTO t VALUES (${i})`)
      await json('gc')
    }
    expect((await query(server.url, 'SELECT count(*) FROM t')).text).toContain('[[5]]')
    await server.stop()
    expect(await sql('SELECT count(*) FROM t')).toContain('5')
  })

  test('directories clean up by themselves', async () => {
    for (const args of [['gc'], ['checkpoint', 'list']]) expect(await runHere([...args, '--data-dir', '/nowhere'])).toMatchObject({ code: 2, err: expect.stringContaining('directory') as string })
    expect(await runHere(['checkpoint', 'delete', ...place.flags])).toMatchObject({ code: 2 })
    expect(await runHere(['checkpoint', 'delete', 'x', ...place.flags])).toMatchObject({ code: 2, err: expect.stringContaining('32 hexadecimal') as string })
  })
})
