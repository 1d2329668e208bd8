/** Verification of a whole database: quiet about a good one, and exact about each kind of damage. */
import { mkdtemp, readFile, readdir, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/open-engine.ts'
import { verifyDatabase } from '../../../src/engine/shards/verify-database.ts'
import type { VerifyCounts } from '../../../src/engine/shards/verify-database.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import type { Finding } from '../../../src/lsm/table/verify-table.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../../src/settings.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'

const memoryBytes = 128 * 1024 * 1024
let folder: string

/** Two shards with rows in table files and, after them, in the log. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsmt-verify-'))
  const storage = await openLocalStorage(folder)
  const settings = { ...defaultDatabaseSettings, shards: 2, workers: 0, kernels: 'js' as const, kernelMemoryBytes: memoryBytes, cacheBytesMax: 1024 * 1024 }
  const engine = await openEngine({ storage, settings, clock: systemClock, random: seededRandom(1) })
  const kv = engine.table('kv')!
  await engine.insert(kv, Array.from({ length: 500 }, (_, index) => [`key ${index}`, `value ${index}`]), 'upsert')
  await engine.flush()
  for (let index = 0; index < 30; index++) await engine.insert(kv, [[`late ${index}`, `value ${index}`]], 'upsert')
  await engine.close()
  await storage.close()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function verify(): Promise<{ readonly findings: readonly Finding[]; readonly counts: VerifyCounts }> {
  const storage = await openLocalStorage(folder)
  const findings: Finding[] = []
  const walk = verifyDatabase(storage, openKernel('js', reserveLinearMemory(memoryBytes)))
  let step = await walk.next()
  for (; step.done !== true; step = await walk.next()) findings.push(step.value)
  await storage.close()
  return { findings, counts: step.value }
}

async function onlyFileIn(name: string): Promise<string> {
  const files = await readdir(join(folder, name))
  return join(name, files.sort().at(-1)!)
}

async function flipByte(name: string, at: (bytes: Buffer) => number): Promise<void> {
  const path = join(folder, name)
  const bytes = await readFile(path)
  bytes[at(bytes)]! ^= 0x10
  await writeFile(path, bytes)
}

test('a good database has no findings, and all of it was looked at', async () => {
  const { findings, counts } = await verify()
  expect(findings).toEqual([])
  expect(counts).toMatchObject({ shards: 2, findings: 0 })
  expect(counts.tables).toBeGreaterThanOrEqual(2)
  expect(counts.manifests).toBeGreaterThanOrEqual(2)
  expect(counts.logRecords).toBeGreaterThanOrEqual(2)
})

test('a byte in a table file', async () => {
  const file = await onlyFileIn('sst/1')
  await flipByte(file, (bytes) => bytes.length >> 1)
  const { findings } = await verify()
  expect(findings.length).toBeGreaterThan(0)
  expect(new Set(findings.map(({ code, file: named }) => `${code} ${named}`))).toEqual(new Set([`XX001 ${file}`]))
})

test('a table file that is gone', async () => {
  const file = await onlyFileIn('sst/0')
  await unlink(join(folder, file))
  const { findings } = await verify()
  expect(findings.map(({ code, file: named }) => [code, named])).toEqual([['58P01', file]])
})

test('a byte in a log record that later ones follow', async () => {
  const file = await onlyFileIn('wal/0')
  await flipByte(file, (bytes) => bytes.indexOf('late '))
  const { findings } = await verify()
  expect(findings.map(({ code, file: named }) => [code, named])).toEqual([['XX001', file]])
})

test('a byte in the newest manifest', async () => {
  const file = await onlyFileIn('manifest/1')
  await flipByte(file, (bytes) => bytes.length - 2)
  const { findings } = await verify()
  expect(findings.map(({ code, file: named }) => [code, named])).toEqual([['XX001', file]])
})

test('a format file of another version, and none', async () => {
  await flipByte('format', () => 8)
  expect((await verify()).findings.map(({ code, file }) => [code, file])).toEqual([['XX002', 'format']])
  await unlink(join(folder, 'format'))
  expect((await verify()).findings.map(({ code, file }) => [code, file])).toEqual([['58P01', 'format']])
})
