/** Backups while writes go on, and what becomes of them: a consistent cut, independent of the source, refused when damaged. */
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { receiveArchive } from '../../src/cli/backup/receive-archive.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { runHere, serveHere } from './cli-in-process.ts'
import { query, withFolder } from './cli-process.ts'

interface Rows {
  readonly rows: readonly (readonly unknown[])[]
}

async function rowsOf(dataDir: string, sql: string): Promise<Rows['rows']> {
  const { code, out, err } = await runHere(['sql', '--data-dir', dataDir, '--format', 'json', '-e', sql])
  expect([code, err]).toEqual([0, ''])
  return (JSON.parse(out) as Rows).rows
}

test('a backup of a server that is written to is a consistent cut, and a database once restored', async () => {
  await withFolder(async (folder) => {
    const [data, backup, restored] = ['data', 'backup', 'restored'].map((name) => join(folder, name)) as [string, string, string]
    const server = await serveHere(data)
    const ask = async (sql: string): Promise<void> => {
      const { status, text } = await query(server.url, sql)
      if (status !== 200) throw new Error(text)
    }
    await ask('CREATE TABLE first (id BIGINT PRIMARY KEY); CREATE TABLE second (id BIGINT PRIMARY KEY); CREATE TABLE accounts (id BIGINT PRIMARY KEY, n BIGINT)')
    await ask('INSERT INTO accounts VALUES (1, 500), (2, 500), (3, 0), (4, 0)')
    let isWriting = true
    let written = 0
    const writing = (async () => {
      for (; isWriting; written++) {
        await ask(`INSERT INTO first VALUES (${written})`)
        await ask(`INSERT INTO second VALUES (${written})`)
        await ask(`BEGIN; UPDATE accounts SET n = n - 1 WHERE id = ${1 + (written % 2)}; UPDATE accounts SET n = n + 1 WHERE id = ${3 + (written % 2)}; COMMIT`)
      }
    })()
    while (written < 20) await new Promise((resolve) => setTimeout(resolve, 5))
    const backed = await runHere(['backup', backup, '--url', server.url, '--json'])
    expect([backed.code, backed.err]).toEqual([0, ''])
    const after = written
    while (written < after + 20) await new Promise((resolve) => setTimeout(resolve, 5))
    isWriting = false
    await writing
    await server.stop()
    expect(await runHere(['restore', backup, '--data-dir', data])).toMatchObject({ code: 1, err: expect.stringMatching(/is not empty/) })
    await rm(data, { recursive: true })
    expect(await runHere(['restore', backup, '--data-dir', restored])).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/restored to .* and verified\n$/) })
    const [[firstCount, firstMax]] = (await rowsOf(restored, 'SELECT COUNT(*), MAX(id) FROM first')) as [[number, number]]
    const [[secondCount, secondMax]] = (await rowsOf(restored, 'SELECT COUNT(*), MAX(id) FROM second')) as [[number, number]]
    expect([firstMax, secondMax]).toEqual([firstCount - 1, secondCount - 1])
    expect([0, 1]).toContain(firstCount - secondCount)
    expect(firstCount).toBeGreaterThanOrEqual(20)
    expect(firstCount).toBeLessThanOrEqual(after + 1)
    const [[sum, moved]] = (await rowsOf(restored, 'SELECT SUM(n), SUM(CASE WHEN id > 2 THEN n ELSE 0 END) FROM accounts')) as [[number, number]]
    expect(Number(sum)).toBe(1000)
    expect([0, 1]).toContain(secondCount - Number(moved))
    expect((await runHere(['sql', '--data-dir', restored, '-e', 'INSERT INTO first VALUES (-1)'])).code).toBe(0)
    expect((await runHere(['verify', '--data-dir', restored])).code).toBe(0)
  })
})

test('a directory is backed up; a backup that is damaged or not complete is refused and leaves nothing', async () => {
  await withFolder(async (folder) => {
    const [data, backup, restored] = ['data', 'backup', 'restored'].map((name) => join(folder, name)) as [string, string, string]
    await (await serveHere(data)).stop()
    expect((await runHere(['sql', '--data-dir', data, '-e', "INSERT INTO kv VALUES ('a', 'b')"])).code).toBe(0)
    expect(await runHere(['backup', backup, '--data-dir', data])).toMatchObject({ code: 0, err: '' })
    expect(await runHere(['backup', backup, '--data-dir', data])).toMatchObject({ code: 1, err: expect.stringMatching(/is not empty/) })
    expect(await rowsOf(data, 'SELECT * FROM kv')).toEqual([['a', 'b']])
    const [table] = (await readdir(join(backup, 'sst'), { recursive: true })).filter((name) => name.endsWith('.sst'))
    const path = join(backup, 'sst', table!)
    const bytes = await readFile(path)
    await writeFile(path, Buffer.from(bytes).fill(bytes[100]! ^ 1, 100, 101))
    expect(await runHere(['restore', backup, '--data-dir', restored])).toMatchObject({ code: 4, err: expect.stringMatching(/sst\/.* is damaged: expected/) })
    expect((await runHere(['sql', '--data-dir', restored, '-e', 'SELECT 1'])).code).toBe(3)
    await writeFile(path, bytes)
    expect((await runHere(['restore', backup, '--data-dir', restored])).code).toBe(0)
    expect(await rowsOf(restored, 'SELECT * FROM kv')).toEqual([['a', 'b']])
    const none = join(folder, 'none')
    await mkdir(none)
    expect(await runHere(['restore', none, '--data-dir', join(folder, 'x')])).toMatchObject({ code: 3, err: expect.stringMatching(/no complete backup/) })
  })
})

test('an archive that breaks off, or is altered, is no backup', async () => {
  await withFolder(async (folder) => {
    const server = await serveHere(join(folder, 'data'))
    const archive = Buffer.from(await (await fetch(`${server.url}/backup`)).arrayBuffer())
    await server.stop()
    const received = async (bytes: Uint8Array): Promise<string> => {
      const storage = createMemoryStorage()
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300)
      }
      const outcome = await receiveArchive(pieces(), storage, () => {}).then(({ files }) => `${files.length} files`, (error: { readonly code: string }) => error.code)
      return `${outcome}, ${(await storage.list('')).length} stored`
    }
    expect(await received(archive)).toMatch(/^(\d+) files, (\d+) stored$/)
    for (const length of [0, 100, 700, archive.length >> 1, archive.length - 2048]) expect(await received(archive.subarray(0, length))).toBe('XX001, 0 stored')
    for (const at of [3, 130, 600, 1600]) expect(await received(Buffer.from(archive).fill(archive[at]! ^ 4, at, at + 1))).toBe('XX001, 0 stored')
  })
})
