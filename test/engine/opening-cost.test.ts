/** What an opening after a clean close asks of the disk: nothing that grows with the data, and nothing that is written. */
import { readdirSync, rmSync, truncateSync, writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { zeroCounts } from '../../src/storage/storage-counts.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import type { Storage, StorageCounts } from '../../src/storage/storage.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'
import { openTestEngine } from './open-test-engine.ts'

const shards = 4
const keyOf = (i: number): string => `${i}`.padStart(8, '0')

let folder: { readonly path: string; readonly remove: () => void }
let storage: Storage

beforeEach(() => { folder = temporaryDirectory() })
afterEach(async () => {
  await storage.close()
  folder.remove()
})

async function open(): Promise<Engine> {
  storage = await openLocalStorage(folder.path)
  return await openTestEngine(storage, { shards, tree: { tableFileBytes: 16 * 1024 } })
}

async function close(engine: Engine): Promise<void> {
  await engine.close()
  await storage.close()
}

/** A closed database, all of which is in table files; how many of them there are. */
async function fill(rows: number): Promise<number> {
  const engine = await open()
  await engine.insert(engine.table('kv')!, Array.from({ length: rows }, (_, i) => [keyOf(i), `value ${i * 7919}`]), 'upsert')
  await engine.compact()
  await close(engine)
  return tableFiles().length
}

/** But those of the lock. */
const names = (): readonly string[] => readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('lock')).toSorted()
const tableFiles = (): readonly string[] => Array.from({ length: shards }, (_, shard) => join(folder.path, 'sst', `${shard}`)).flatMap((path) => readdirSync(path).map((name) => join(path, name)))
const largestFile = (): string => tableFiles().toSorted((a, b) => readFileSync(b).length - readFileSync(a).length)[0]!

async function costOfOpening(): Promise<StorageCounts> {
  const engine = await open()
  const cost = { ...storage.counts }
  await close(engine)
  return { ...cost, deletes: storage.counts.deletes }
}

it('asks for the same however many rows and files there are, and writes nothing', async () => {
  const fewFiles = await fill(100), few = await costOfOpening()
  const manyFiles = await fill(40_000), many = await costOfOpening()
  expect(manyFiles).toBeGreaterThan(5 * fewFiles)
  // The format, the manifests, and the tail and the rows of the catalog.
  expect(few.reads).toBeLessThanOrEqual(1 + shards + 4)
  expect({ ...many, bytesRead: 0 }).toEqual({ ...zeroCounts(), reads: few.reads, lists: few.lists })
  // What manifests say of more files.
  expect(many.bytesRead - few.bytesRead).toBeLessThan(manyFiles * 500)
})

it('leaves everything as it was, when nothing is written', async () => {
  await fill(1_000)
  const namesBefore = names()
  const engine = await open()
  expect(await engine.get(undefined, engine.table('kv')!, [keyOf(17)], [1])).toEqual([`value ${17 * 7919}`])
  await close(engine)
  expect(names()).toEqual(namesBefore)
})

it('goes on writing after openings that wrote nothing', async () => {
  await fill(1_000)
  await close(await open())
  const engine = await open()
  const kv = engine.table('kv')!
  await engine.insert(kv, [['new', 'row']], 'upsert')
  await close(engine)
  const again = await open()
  expect(await again.get(undefined, kv, ['new'], [1])).toEqual(['row'])
  await again.flush()
  await close(again)
  const last = await open()
  expect(await last.get(undefined, kv, ['new'], [1])).toEqual(['row'])
  expect(await last.get(undefined, kv, [keyOf(999)], [1])).toEqual([`value ${999 * 7919}`])
  await close(last)
})

it('is refused when a table file is gone, or has another length', async () => {
  await fill(1_000)
  const file = largestFile(), bytes = readFileSync(file)
  rmSync(file)
  await expect(open()).rejects.toMatchObject({ code: '58P01' })
  await storage.close()
  writeFileSync(file, bytes)
  truncateSync(file, bytes.length - 8)
  await expect(open()).rejects.toMatchObject({ code: 'XX001' })
  await storage.close()
  writeFileSync(file, bytes)
  await close(await open())
})

it('succeeds with a damaged footer, which is found by the first read that needs it', async () => {
  await fill(1_000)
  const file = largestFile(), bytes = readFileSync(file)
  bytes[bytes.length - 100]! ^= 1
  writeFileSync(file, bytes)
  const engine = await open()
  const kv = engine.table('kv')!
  const outcomes = await Promise.allSettled(Array.from({ length: 1_000 }, async (_, i) => await engine.get(undefined, kv, [keyOf(i)], [1])))
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(failed.length).toBeGreaterThan(100)
  for (const { reason } of failed) expect(reason).toMatchObject({ code: 'XX001' })
  for (const [i, outcome] of outcomes.entries()) if (outcome.status === 'fulfilled') expect(outcome.value).toEqual([`value ${i * 7919}`])
  await close(engine)
})
