/**
 * Objects of a bucket that are damaged, cut short or gone: whatever meets one says which, nobody is ever given wrong
 * rows, and once the object is as it was, all is there again.
 */
import { expect, test } from 'vitest'
import type { EngineRow } from '../../../src/engine/engine.ts'
import { verifyDatabase } from '../../../src/engine/shards/verify-database.ts'
import { LsmtError } from '../../../src/errors.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { attachStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { describeS3, freshAddress } from '../../storage/s3/s3-server.ts'
import { scanAll } from '../engine-fixtures.ts'
import { openS3Engine } from './open-s3-engine.ts'

const rows: readonly EngineRow[] = Array.from({ length: 200 }, (_, i) => [`key ${String(i).padStart(4, '0')}`, `value ${i} ${'x'.repeat(i % 90)}`])

type Damage = 'flipped' | 'cut' | 'gone'
/** What a new writer must read, or its reads must. */
const folders = { format: 'format', claim: 'writer/', manifest: 'manifest/1/', table: 'sst/', log: 'wal/' } as const
type Kind = keyof typeof folders

interface Database {
  readonly address: S3Address
  readonly storage: Storage
}

/** Rows in table files, others behind them in the log; two writers, one after the other. */
async function newDatabase(): Promise<Database> {
  const address = await freshAddress()
  const engine = await openS3Engine(address, { shards: 2 })
  const kv = engine.table('kv')!
  await engine.insert(kv, rows.slice(0, 150), 'insert')
  await engine.flush()
  for (let at = 150; at < rows.length; at += 10) await engine.insert(kv, rows.slice(at, at + 10), 'insert')
  await engine.close()
  await (await openS3Engine(address)).close()
  return { address, storage: await attachStorage(address) }
}

interface Reading {
  readonly found: readonly EngineRow[]
  readonly errors: readonly unknown[]
}

/** What is found by who opens the database: rows one by one and all in one, and the errors met. */
async function readAll({ address }: Database): Promise<Reading> {
  const found: EngineRow[] = []
  const errors: unknown[] = []
  const met = (error: unknown): undefined => void errors.push(error)
  const engine = await openS3Engine(address).catch(met)
  if (engine === undefined) return { found, errors }
  const kv = engine.table('kv')!
  for (const [key] of rows) {
    const row = await Promise.resolve().then(() => engine.get(undefined, kv, [key!], [0, 1])).catch(met)
    if (row !== undefined) found.push(row)
  }
  const scanned = await scanAll(engine, kv).catch(met)
  if (scanned !== undefined) expect(scanned).toEqual(rows)
  await engine.close()
  return { found, errors }
}

async function findingsIn(storage: Storage): Promise<readonly string[]> {
  const files: string[] = []
  for await (const { file } of verifyDatabase(storage, openKernel('js', reserveLinearMemory(64 * 1024 * 1024)))) files.push(file)
  return files
}

/** The newest; of the log one before it, since what nothing follows cannot be missed. */
async function victimOf(random: Random, storage: Storage, kind: Kind): Promise<string> {
  // That a writer has ended is said by an object's name alone.
  const names = (await storage.list(folders[kind])).map(({ name }) => name).filter((name) => !name.endsWith('.ended'))
  return kind === 'log' ? names[random.below(names.length - 1)]! : names.at(-1)!
}

async function damageIt(random: Random, storage: Storage, name: string, damage: Damage): Promise<void> {
  const bytes = Buffer.from(await storage.read(name))
  await storage.delete(name)
  if (damage === 'gone') return
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
  await storage.createIfAbsent(name, [damage === 'flipped' ? bytes : bytes.subarray(0, random.below(bytes.length))])
}

function expectNoWrongRows({ found, errors }: Reading, what: string): void {
  for (const row of found) expect(rows, what).toContainEqual(row)
  for (const error of errors) {
    expect(error, what).toBeInstanceOf(LsmtError)
    expect(['XX001', 'XX002', '58P01', '58030'], `${what}: ${String(error)}`).toContain((error as LsmtError).code)
  }
}

describeS3('a bucket with damage', () => {
  const rounds = Array.from({ length: fullTests ? 10 : 1 }, (_, round) => round)
  const cases = rounds.flatMap((round) => (['flipped', 'cut', 'gone'] as const).flatMap((damage) => (Object.keys(folders) as Kind[]).map((kind) => [kind, damage, round] as const)))
  test.each(cases)('%s %s, round %i', async (kind, damage, round) => {
    const random = seededRandom(round)
    const database = await newDatabase()
    const { storage } = database
    const name = await victimOf(random, storage, kind)
    const before = await storage.read(name)
    await damageIt(random, storage, name, damage)
    const what = `${name} ${damage}`
    const findings = await findingsIn(storage)
    const reading = await readAll(database)
    expectNoWrongRows(reading, what)
    if (damage === 'gone' && (kind === 'manifest' || kind === 'claim')) {
      // The state before is kept, and the same here; a later claim counts as well.
      expect(reading, what).toEqual({ found: rows, errors: [] })
      if (kind === 'claim') expect(findings, what).toContain(name)
    } else if (damage === 'gone' && kind === 'log' && findings.length === 0) {
      // The oldest object, all of which is in table files.
      expect(reading, what).toEqual({ found: rows, errors: [] })
    } else {
      expect(findings, what).toContain(name)
      expect(reading.errors.length, what).toBeGreaterThan(0)
      for (const error of reading.errors as readonly LsmtError[]) expect(`${error.message} ${error.evidence.hint}`, what).toContain(name)
      await storage.delete(name)
      await storage.createIfAbsent(name, [before])
      expect(await readAll(database), `${what}, and mended`).toEqual({ found: rows, errors: [] })
    }
    await storage.close()
  })
})
