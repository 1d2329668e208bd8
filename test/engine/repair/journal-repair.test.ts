/** A database whose journal, or a log behind it, was damaged after a loss of power: refused, verified, repaired, opened. */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { repairDatabase } from '../../../src/engine/repair/repair-database.ts'
import type { Loss } from '../../../src/engine/repair/loss.ts'
import { verifyDatabase } from '../../../src/engine/shards/verify-database.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'

const settings: TestSettings = { shards: 4, kernels: 'js' }
const journalFile = 'wal/journal/00000000000000000001.wal'
const kernel = openTestKernel('js')

type Files = Map<string, Uint8Array>

type WriteRows = (engine: Engine, name: string) => Promise<unknown>

const ten = (name: string): string[] => Array.from({ length: 10 }, (_, i) => `${name}/${i}`)

/** Ten statements at once, each a row. A log that comes late to a round may be alone in the next one, and write to its own file. */
const asTen: WriteRows = (engine, name) => Promise.all(ten(name).map((key) => engine.insert(engine.table('kv')!, [[key, 'x']], 'upsert')))

/** One statement of ten rows, over several shards: whatever they write is in the journal. */
const asOne: WriteRows = (engine, name) => engine.insert(engine.table('kv')!, ten(name).map((key) => [key, 'x']), 'upsert')

async function write(engine: Engine, rounds: number, name: string, writeRows = asTen): Promise<void> {
  for (let round = 0; round < rounds; round++) await writeRows(engine, `${name} ${round}`)
}

/** What a loss of power leaves of 400 rows, half of them in table files or the logs, the rest in the journal alone. */
async function leftBehind(writeRows = asTen): Promise<Files> {
  const storage = createFaultyStorage({ seed: 1 })
  const engine = await openTestEngine(storage, settings)
  await write(engine, 10, 'flushed', writeRows)
  // The journal is made in the background.
  while (engine.stats().journal!.rounds === 0) await writeRows(engine, 'flushed 0')
  await engine.flush()
  await write(engine, 30, 'left', writeRows)
  expect(engine.stats().journal).toMatchObject({ failure: undefined })
  expect(engine.stats().journal!.rounds).toBeGreaterThan(20)
  const after = storage.crash({ seed: 2 })
  await engine.close().catch(() => undefined)
  const files: Files = new Map()
  for (const { name } of await after.list('')) files.set(name, await after.read(name))
  return files
}

/** A log that begins its next segment just then may write what comes first there by itself: so a shard of which none did. */
async function leftInJournalAlone(): Promise<{ readonly files: Files; readonly shard: number }> {
  for (;;) {
    const files = await leftBehind(asOne)
    const shard = [0, 1, 2, 3].find((each) => usedBytes(files.get([...files.keys()].filter((name) => name.startsWith(`wal/${each}/`)).toSorted().at(-1)!)!) === 0)
    if (shard !== undefined) return { files, shard }
  }
}

async function storageOf(files: Files): Promise<Storage> {
  const storage = createMemoryStorage()
  for (const [name, bytes] of files) await storage.createIfAbsent(name, [bytes])
  return storage
}

async function findingsOf(storage: Storage): Promise<readonly string[]> {
  const findings: string[] = []
  for await (const { file } of verifyDatabase(storage, kernel)) findings.push(file)
  return findings
}

async function repair(storage: Storage): Promise<readonly Loss[]> {
  const losses: Loss[] = []
  for await (const loss of repairDatabase({ storage, kernel, clock: systemClock, random: seededRandom(5), mayTakeOver: false })) losses.push(loss)
  return losses
}

async function rowsOf(storage: Storage): Promise<number> {
  const engine = await openTestEngine(storage, settings)
  const rows = await scanAll(engine, engine.table('kv')!)
  await write(engine, 1, 'after')
  await engine.close()
  return rows.length
}

const usedBytes = (bytes: Uint8Array): number => bytes.findLastIndex((byte) => byte !== 0) + 1

describe('a journal after a loss of power', () => {
  test('that is sound is verified with the logs, left alone by a repair, and taken over', async () => {
    const storage = await storageOf(await leftBehind())
    const walk = verifyDatabase(storage, kernel)
    const step = await walk.next()
    expect(step).toMatchObject({ done: true, value: { findings: 0 } })
    expect(await repair(storage)).toEqual([])
    expect((await storage.list('wal/journal/')).length).toBeGreaterThan(0)
    expect(await rowsOf(storage)).toBe(400)
    expect(await storage.list('wal/journal/')).toEqual([])
    expect(await findingsOf(storage)).toEqual([])
  })

  test('that is damaged gives what follows the logs, and tells what does not', async () => {
    const files = await leftBehind()
    const bytes = files.get(journalFile)!
    // It begins with what is in table files as well, of which nothing would be lost.
    for (const share of [0.4, 0.6, 0.9]) {
      const flipped = bytes.slice()
      flipped[Math.floor(usedBytes(bytes) * share)]! ^= 4
      const storage = await storageOf(new Map([...files, [journalFile, flipped]]))
      expect(await findingsOf(storage)).toEqual([journalFile])
      expect((await failureOf(openTestEngine(storage, settings))).code).toBe('XX001')
      const [loss, ...others] = await repair(storage)
      expect(others).toEqual([])
      expect(loss).toMatchObject({ kind: 'journal', file: journalFile, quarantined: [`quarantine/${journalFile}`] })
      expect(await findingsOf(storage)).toEqual([])
      expect(await repair(storage)).toEqual([])
      const left = await rowsOf(storage)
      expect(left).toBeGreaterThan(100)
      expect(left).toBeLessThan(400)
    }
  })

  test('that goes on behind a damaged log loses what does not follow what is left of that', async () => {
    const storage = createFaultyStorage({ seed: 1 })
    const engine = await openTestEngine(storage, settings)
    await write(engine, 10, 'a')
    for (let i = 0; i < 40; i++) await engine.insert(engine.table('kv')!, [[`alone ${i}`, 'x']], 'insert')
    await write(engine, 20, 'b')
    const after = storage.crash({ seed: 2 })
    await engine.close().catch(() => undefined)
    const files: Files = new Map()
    for (const { name } of await after.list('')) files.set(name, await after.read(name))
    const log = [...files.keys()].find((name) => name.startsWith('wal/1/'))!
    const damaged = files.get(log)!.slice()
    damaged[Math.floor(usedBytes(damaged) * 0.3)]! ^= 1
    const broken = await storageOf(new Map([...files, [log, damaged]]))
    expect(await findingsOf(broken)).toEqual([log])
    const losses = await repair(broken)
    expect(losses.map(({ kind }) => kind)).toEqual(['log', 'journal'])
    expect(losses[1]).toMatchObject({ shards: [{ shard: 1 }] })
    expect((losses[1] as Extract<Loss, { kind: 'journal' }>).records).toBeGreaterThan(0)
    const left = await rowsOf(broken)
    expect(left).toBeLessThan(340)
    // Three of four shards have all they had.
    expect(left).toBeGreaterThan(240)
    expect(await findingsOf(broken)).toEqual([])
  })

  test('has what a damaged log has lost, where both have it', async () => {
    const storage = createFaultyStorage({ seed: 1 })
    const engine = await openTestEngine(storage, settings)
    await write(engine, 20, 'a')
    // With the first of these the log of its shard has all that the journal has; the others say so.
    for (let i = 0; i < 3; i++) await engine.insert(engine.table('kv')!, [['alone', 'x']], 'upsert')
    const files: Files = new Map()
    const after = storage.crash({ seed: 2 })
    await engine.close().catch(() => undefined)
    for (const { name } of await after.list('')) files.set(name, await after.read(name))
    const log = [...files.keys()].filter((name) => /^wal\/\d\//.test(name)).toSorted((a, b) => usedBytes(files.get(b)!) - usedBytes(files.get(a)!))[0]!
    const damaged = files.get(log)!.slice()
    damaged[Math.floor(usedBytes(damaged) * 0.7)]! ^= 1
    const broken = await storageOf(new Map([...files, [log, damaged]]))
    expect(await findingsOf(broken)).toEqual([log])
    const losses = await repair(broken)
    // What the log alone had.
    expect(losses).toMatchObject([{ kind: 'log', file: log, records: 3 }])
    expect(await rowsOf(broken)).toBe(200)
  })

  test('tells where a log begins of which nothing else is left, when a manifest is lost', async () => {
    const { files, shard } = await leftInJournalAlone()
    const manifest = [...files.keys()].filter((name) => name.startsWith(`manifest/${shard}/`)).at(-1)!
    const flipped = files.get(manifest)!.slice()
    flipped[50]! ^= 1
    const withoutLog = new Map([...files, [manifest, flipped] as const].filter(([name]) => !name.startsWith(`wal/${shard}/`)))
    const storage = await storageOf(withoutLog)
    const losses = await repair(storage)
    expect(losses.map(({ kind }) => kind)).toEqual(['manifest'])
    expect(await rowsOf(storage)).toBe(400)
  })
})
