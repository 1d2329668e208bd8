/** Damage, as verify finds it, repair takes it out, and the database goes on with what is left. */
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runHere } from './cli-in-process.ts'
import { query, withFolder } from './cli-process.ts'
import { serveHere } from './cli-in-process.ts'

async function filesOf(data: string, folder: string): Promise<string[]> {
  return (await readdir(join(data, folder), { recursive: true })).filter((name) => /\.\w+$/.test(name)).map((name) => join(folder, name)).sort()
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at < 0 ? bytes.length + at : at]! ^= 4
  await writeFile(path, bytes)
}

async function countOf(data: string, sql = 'SELECT COUNT(*) FROM t'): Promise<number> {
  const { code, out, err } = await runHere(['sql', '--data-dir', data, '--format', 'csv', '-e', sql])
  expect([code, err]).toEqual([0, ''])
  return Number(out.split('\r\n')[1])
}

/** Two shards with rows in files: 0 to 999 in the last level, 1000 to 1999 above; and 2000 to 2099 in the log. */
async function makeData(data: string): Promise<void> {
  const rows = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `(${from + i}, 'row ${from + i}')`).join(',')
  const server = await serveHere(data)
  const ask = async (sql: string): Promise<void> => {
    expect((await query(server.url, sql)).status).toBe(200)
  }
  await ask(`CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT); INSERT INTO t VALUES ${rows(0, 1000)}`)
  await server.stop()
  expect((await runHere(['backup', `${data}-flushed`, '--data-dir', data])).code).toBe(0)
  const again = await serveHere(data)
  expect((await query(again.url, `INSERT INTO t VALUES ${rows(1000, 2000)}`)).status).toBe(200)
  await again.stop()
  expect((await runHere(['backup', `${data}-twice`, '--data-dir', data])).code).toBe(0)
  expect((await runHere(['import', 't', '--format', 'csv', '--no-header', '--data-dir', data], Array.from({ length: 100 }, (_, i) => `${2000 + i},row\n`).join(''))).code).toBe(0)
}

async function verified(data: string): Promise<number | string> {
  return (await runHere(['verify', '--data-dir', data])).code
}

test('nothing is repaired where nothing is damaged', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    await makeData(data)
    expect(await runHere(['repair', '--data-dir', data])).toEqual({ code: 0, out: 'nothing had to be repaired\n', err: '' })
    expect(await countOf(data)).toBe(2100)
    expect(JSON.parse((await runHere(['verify', '--data-dir', data, '--json'])).out)).toMatchObject({ findings: [], shards: 2 })
    expect(await runHere(['repair', '--data-dir', join(folder, 'none')])).toMatchObject({ code: 3, err: expect.stringMatching(/there is no database/) })
  })
})

test('a damaged table file is quarantined with its rows told; the others stay', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    await makeData(data)
    const tables = await Promise.all((await filesOf(data, 'sst')).map(async (name) => ({ name, bytes: (await readFile(join(data, name))).length })))
    const largest = tables.toSorted((a, b) => b.bytes - a.bytes)[0]!
    await flip(join(data, largest.name), 200)
    expect(await verified(data)).toBe(4)
    const { code, out, err } = await runHere(['repair', '--data-dir', data])
    expect([code, err]).toEqual([4, ''])
    const lost = Number(/lost: up to (\d+) rows of table "t" with keys from \d+ to \d+/.exec(out)?.[1])
    expect(out).toContain(`kept as quarantine/${largest.name}`)
    expect(await countOf(data)).toBe(2100 - lost)
    expect(await verified(data)).toBe(0)
    expect(await runHere(['repair', '--data-dir', data])).toMatchObject({ code: 0 })
    expect((await readFile(join(data, 'quarantine', largest.name))).length).toBe(largest.bytes)
  })
})

test('a log is cut at its damage, and what stood behind is told', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    const server = await serveHere(data, ['--durability', 'sync'])
    expect((await query(server.url, 'CREATE TABLE t (id BIGINT PRIMARY KEY)')).status).toBe(200)
    for (let id = 0; id < 40; id++) expect((await query(server.url, `INSERT INTO t VALUES (${id})`)).status).toBe(200)
    await server.stop()
    // Stopping may have flushed; what is written by a command is in the log.
    const text = Array.from({ length: 30 }, (_, i) => `INSERT INTO t VALUES (${100 + i});`).join('\n')
    expect((await runHere(['sql', '--data-dir', data], text)).code).toBe(0)
    const segments = await filesOf(data, 'wal/0')
    const sizes = await Promise.all(segments.map(async (name) => ({ name, used: usedBytes(await readFile(join(data, name))) })))
    const damaged = sizes.toSorted((a, b) => b.used - a.used)[0]!
    await flip(join(data, damaged.name), damaged.used >> 1)
    expect(await verified(data)).toBe(4)
    const before = await runHere(['repair', '--data-dir', data, '--json'])
    expect([before.code, before.err]).toEqual([4, ''])
    const { losses: [loss] } = JSON.parse(before.out) as { readonly losses: readonly { readonly kind: string; readonly records: number; readonly quarantined: readonly string[] }[] }
    expect(loss).toMatchObject({ kind: 'log', quarantined: expect.arrayContaining([`quarantine/${damaged.name}`]) })
    expect(loss!.records).toBeGreaterThan(0)
    const left = await countOf(data)
    expect(left).toBeLessThan(70)
    expect(left).toBeGreaterThanOrEqual(30)
    expect(await verified(data)).toBe(0)
    expect((await runHere(['sql', '--data-dir', data, '-e', 'INSERT INTO t VALUES (1000)'])).code).toBe(0)
    expect(await countOf(data)).toBe(left + 1)
  })
})

function usedBytes(bytes: Buffer): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return end
}

test('a lost manifest and a lost format are found again in the other files', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    await makeData(data)
    for (const shard of [0, 1]) for (const name of (await filesOf(data, `manifest/${shard}`)).slice(shard === 0 ? -1 : 0)) await flip(join(data, name), 40)
    await flip(join(data, 'format'), 30)
    expect(await verified(data)).toBe(4)
    const { code, out, err } = await runHere(['repair', '--data-dir', data])
    expect([code, err]).toEqual([4, ''])
    expect(out).toMatch(/^format: corrupt format file[^]*written anew[^]*manifest\/0\/\d+\.manifest: corrupt[^]*manifest\/1\/\d+\.manifest: corrupt/)
    expect(await countOf(data)).toBe(2100)
    expect(await countOf(data, 'SELECT SUM(id) FROM t')).toBe((2099 * 2100) / 2)
    expect((await runHere(['sql', '--data-dir', data, '-e', "INSERT INTO t VALUES (5000, 'x')"])).code).toBe(0)
    expect(await countOf(data)).toBe(2101)
    expect(await verified(data)).toBe(0)
  })
})
