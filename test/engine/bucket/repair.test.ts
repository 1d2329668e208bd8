/** Every kind of object of a bucket flipped, cut short or gone, alone and together: a repair says what is lost, and the rest goes on. */
import { describe, expect, test } from 'vitest'
import { streamFolder } from '../../../src/lsm/file-names.ts'
import { checkpointFolder } from '../../../src/lsm/pins/checkpoint-file.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { copyFile } from '../../../src/storage/memory-disk.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { openTestEngine } from '../open-test-engine.ts'
import { damage, fillDatabase, findingsIn, flushedCount, lostRowsMax, repairIt, rows, rowsAfter } from './repair-round.ts'
import type { Damage } from './repair-round.ts'

const bucketOf = (disk: MemoryDisk = new Map()): Storage => createMemoryStorage({ disk, appends: false, syncReads: false })
const damages: readonly Damage[] = ['flipped', 'cut', 'gone']
const namesIn = async (storage: Storage, prefix: string): Promise<readonly string[]> => (await storage.list(prefix)).map(({ name }) => name)

let filled: MemoryDisk | undefined
async function filledBucket(): Promise<Storage> {
  if (filled === undefined) {
    filled = new Map()
    await fillDatabase(bucketOf(filled))
  }
  return bucketOf(new Map([...filled].map(([name, file]) => [name, copyFile(file)])))
}

describe('repair of a bucket', () => {
  test('finds nothing to do where nothing is damaged, and nothing is made where no database is', async () => {
    const storage = await filledBucket()
    expect(await repairIt(storage)).toEqual([])
    expect(await rowsAfter(storage)).toEqual(rows)
    const empty = bucketOf()
    await expect(repairIt(empty)).rejects.toMatchObject({ code: '58P01' })
    expect(await namesIn(empty, '')).toEqual([])
  })

  test.each(damages)('loses nothing by what tells the state: %s', async (how) => {
    const random = seededRandom(1)
    const names = await namesIn(await filledBucket(), '')
    for (const name of names.filter((each) => /^(format|writer|manifest)/.test(each))) {
      const storage = await filledBucket()
      await damage(storage, name, how, random)
      const hadFindings = (await findingsIn(storage)).length > 0
      const losses = await repairIt(storage)
      expect(await rowsAfter(storage), name).toEqual(rows)
      if (hadFindings) expect(losses.map(({ file }) => file), name).toContain(name)
    }
  })

  test.each(damages)('loses of a table file its rows: %s', async (how) => {
    for (const name of await namesIn(await filledBucket(), 'sst/')) {
      const storage = await filledBucket()
      const before = await storage.read(name)
      await damage(storage, name, how, seededRandom(2))
      const losses = await repairIt(storage)
      expect(losses, name).toMatchObject([{ kind: 'tableFile', file: name, ...(how === 'gone' ? { quarantined: undefined } : { quarantined: `quarantine/${name}` }) }])
      expect(await findingsIn(storage)).toEqual([])
      const [loss] = losses
      // A table that the catalog has lost is not there to be asked.
      if (loss?.kind !== 'tableFile' || loss.contents!.tableId < 16) continue
      const found = await rowsAfter(storage)
      expect(rows.length - found.length, name).toBe(lostRowsMax(losses))
      expect(found, name).toEqual(expect.arrayContaining(rows.slice(flushedCount)))
      if (how === 'flipped') expect(await storage.read(`quarantine/${name}`), name).toHaveLength(before.length)
    }
  })

  const rounds = Array.from({ length: fullTests ? 20 : 1 }, (_, round) => round)
  test.each(damages.flatMap((how) => rounds.map((round) => [how, round] as const)))('cuts the log before an object that is %s, round %i', async (how, round) => {
    const names = await namesIn(await filledBucket(), streamFolder(0))
    for (const [at, name] of names.entries()) {
      const storage = await filledBucket()
      await damage(storage, name, how, seededRandom(round))
      const hadFindings = (await findingsIn(storage)).length > 0
      const losses = await repairIt(storage)
      const found = await rowsAfter(storage)
      if (hadFindings) expect(losses, name).toMatchObject([{ kind: 'logStream', file: name }])
      expect(found, name).toEqual(rows.slice(0, found.length))
      expect(found.length, name).toBeGreaterThanOrEqual(flushedCount)
      // What nothing follows nobody can miss, nor tell what it held.
      const isLastWithData = at >= names.length - 2
      if (!isLastWithData) expect(rows.length - found.length, name).toBe(lostRowsMax(losses))
    }
  })

  test('says by sequence and operation what was behind a gap', async () => {
    const storage = await filledBucket()
    const names = await namesIn(storage, streamFolder(0))
    const gone = names.at(-4)!
    await storage.delete(gone)
    const [loss] = await repairIt(storage)
    expect(loss).toMatchObject({ kind: 'logStream', file: gone, reason: expect.stringContaining('is missing, though'), quarantined: names.slice(-3, -1).map((name) => `quarantine/${name}`), operations: { 'put 16': 20 } })
    expect(await rowsAfter(storage)).toEqual(rows.slice(0, 170))
  })

  test('finds a shard whose manifests are all gone in its files and the log, and one whose newest is', async () => {
    const storage = await filledBucket()
    for (const name of await namesIn(storage, 'manifest/1/')) await storage.delete(name)
    expect(await repairIt(storage)).toMatchObject([{ kind: 'manifest', file: 'manifest/1/', shard: 1 }])
    expect(await rowsAfter(storage)).toEqual(rows)
    const engine = await openTestEngine(storage, { kernels: 'js' })
    const before = await namesIn(storage, 'manifest/0/')
    const kept = await storage.read(before[0]!)
    await engine.insert(engine.table('kv')!, rows, 'upsert')
    await engine.compact()
    await engine.close()
    for (const name of await namesIn(storage, 'manifest/0/')) await storage.delete(name)
    await storage.createIfAbsent(before[0]!, [kept])
    expect(await repairIt(storage)).toMatchObject([{ kind: 'manifest', shard: 0, reason: expect.stringContaining('is missing') }])
    const again = await openTestEngine(storage, { kernels: 'js' })
    expect((await again.get(undefined, again.table('kv')!, [rows[3]![0]!], [0, 1]))).toEqual(rows[3])
    await again.close()
    expect(await findingsIn(storage)).toEqual([])
  })

  test('of a checkpoint that cannot be read: its files may go', async () => {
    const storage = await filledBucket()
    await storage.createIfAbsent(`${checkpointFolder}nightly`, [Buffer.from('not a checkpoint')])
    expect(await findingsIn(storage)).toHaveLength(1)
    expect(await repairIt(storage)).toMatchObject([{ kind: 'checkpoint', file: 'checkpoints/nightly', quarantined: 'quarantine/checkpoints/nightly' }])
    expect(await rowsAfter(storage)).toEqual(rows)
  })

  test('a writer that was at work is out, and acknowledges nothing more', async () => {
    const storage = await filledBucket()
    const writer = await openTestEngine(storage, { kernels: 'js' })
    await writer.insert(writer.table('kv')!, [['while', 'open']], 'insert')
    expect(await repairIt(storage)).toEqual([])
    // Nobody told this one yet: whether its object counts is not known before it has looked.
    await expect(writer.insert(writer.table('kv')!, [['after', 'repair']], 'insert')).rejects.toMatchObject({ code: expect.stringMatching('40003|55006') })
    await expect(writer.insert(writer.table('kv')!, [['later', 'still']], 'insert')).rejects.toMatchObject({ code: '55006' })
    await writer.close().catch(() => undefined)
    const again = await openTestEngine(storage, { kernels: 'js' })
    expect(await again.get(undefined, again.table('kv')!, ['while'], [1])).toEqual(['open'])
    expect(await again.get(undefined, again.table('kv')!, ['after'], [1])).toBeUndefined()
    await again.close()
  })

  // 54: a claim and its fence; 170: the format file's version.
  test.each(fullTests ? Array.from({ length: 200 }, (_, seed) => seed) : [0, 1, 2, 3, 54, 170])('of many damages at once, with a crash between, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const storage = await filledBucket()
    const names = await namesIn(storage, '')
    const lastClaim = names.filter((name) => name.endsWith('.claim')).at(-1)!
    for (let i = 0; i < 4; i++) {
      const name = names[random.below(names.length)]!
      if ((await namesIn(storage, name)).length > 0 && !name.startsWith('sst')) await damage(storage, name, damages[random.below(3)]!, random)
    }
    await crashInRepair(storage, random)
    await repairIt(storage, seed).catch(async (error: unknown) => {
      // The last writer's claim and its objects are lost together: then nothing tells where its log was, but those who know.
      expect(error).toMatchObject({ code: '55000', evidence: { file: lastClaim, hint: expect.stringContaining(`delete ${lastClaim}`) as string } })
      await storage.delete(lastClaim)
      await repairIt(storage, seed)
    })
    const found = await rowsAfter(storage)
    expect(found).toEqual(rows.slice(0, found.length))
    expect(found.length).toBeGreaterThanOrEqual(flushedCount)
  })
})

/** A repair that ends at one of its requests. */
async function crashInRepair(storage: Storage, random: ReturnType<typeof seededRandom>): Promise<void> {
  let left = random.below(60)
  const dying = async <T>(request: () => Promise<T>): Promise<T> => {
    if (left-- <= 0) throw new Error('the process died')
    return request()
  }
  const { createIfAbsent, create, read, list } = storage
  await repairIt({ ...storage, createIfAbsent: (name, parts) => dying(() => createIfAbsent(name, parts)), create: (name) => dying(() => create(name)), read: (name) => dying(() => read(name)), list: (prefix) => dying(() => list(prefix)), delete: (name) => dying(() => storage.delete(name)) }, 3).catch(() => undefined)
}
