/**
 * Writers that take a bucket over from each other, collections of garbage and a node that reads, interleaved by seed at
 * every request, with pauses long enough for the others to do all of their work, so that each is found paused at every
 * step of the others. Tells what is wrong: nothing when no acknowledged row is lost, checkpoints keep their files, and
 * only writers that were overtaken end, by a clear error.
 */
import type { Engine, EngineRow } from '../../../src/engine/engine.ts'
import { openReadOnly } from '../../../src/engine/follow/open-read-only.ts'
import { LsmtError } from '../../../src/errors.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { newestClaim } from '../../../src/lsm/claim/writer-claim.ts'
import { loadManifests } from '../../../src/lsm/follow/followed-manifests.ts'
import { findGarbage } from '../../../src/lsm/garbage/find-garbage.ts'
import { filesOfCheckpoint, filesOfManifest } from '../../../src/lsm/pins/checkpoint-file.ts'
import { listCheckpoints } from '../../../src/lsm/pins/checkpoints.ts'
import { tableFileFolder, tableFileNumberOf } from '../../../src/lsm/state/table-files.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createSharedBucket } from '../../../src/storage/simulated/shared-bucket.ts'
import type { SharedBucket } from '../../../src/storage/simulated/shared-bucket.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { testSettings } from '../open-test-engine.ts'
import { describeOutcome, openOver, smallSettings, turn, turningClock } from './two-writers.ts'

/** Mistakes that the race must find. */
export type PlantedMistake = 'unnamed files of the running epoch' | 'unnamed files before the newest claim' | 'files of checkpoints' | 'log that is not in files' | 'newest object of the log'

const kernelOf = (() => {
  let kernel: Kernel | undefined
  return (): Kernel => (kernel ??= openKernel('js', reserveLinearMemory(8 * 1024 * 1024)))
})()

interface Race {
  readonly bucket: SharedBucket
  readonly random: Random
  readonly acknowledged: Set<string>
  /** Ids of those that somebody was told of: one that was given up may come again, by a repeated request, and keeps nothing. */
  readonly checkpoints: Set<string>
  readonly problems: string[]
  writing: number
}

export async function garbageRace(seed: number, mistake?: PlantedMistake): Promise<readonly string[]> {
  const random = seededRandom(seed)
  const pause = async (): Promise<void> => {
    const turns = random.below(10) === 0 ? random.below(120) : random.below(3)
    for (let i = 0; i < turns; i++) await turn()
  }
  const bucket = createSharedBucket({ random, pause })
  const race: Race = { bucket, random, acknowledged: new Set(), checkpoints: new Set(), problems: [], writing: 0 }
  await (await openOver(bucket.client('first'))).close()
  bucket.faults = { unknown: random.below(2) * 10, repeated: random.below(2) * 20 }
  const writers = ['a', 'b', 'c'].slice(0, 2 + random.below(2)).map((name) => work(race, name))
  race.writing = writers.length
  await Promise.all([...writers, collect(race, 'gc 1', mistake), collect(race, 'gc 2', mistake), read(race)])
  bucket.faults = { unknown: 0, repeated: 0 }
  bucket.arrive()
  await judge(race)
  return race.problems
}

async function work(race: Race, name: string): Promise<void> {
  const { bucket, random, problems } = race
  for (let i = random.below(200); i > 0; i--) await turn()
  let engine: Engine | undefined
  try {
    engine = await openOver(bucket.client(name))
    await write(engine, race, name)
  } catch (error) {
    if (!(error instanceof LsmtError && error.code === '55006')) problems.push(`writer ${name} ended by ${describeOutcome(error)}`)
  }
  await engine?.close().catch(() => undefined)
  race.writing--
}

async function write(engine: Engine, { random, acknowledged, checkpoints }: Race, name: string): Promise<void> {
  const table = engine.table('kv')!
  for (let i = 0; i < 10; i++) {
    const rows: EngineRow[] = Array.from({ length: 1 + random.below(4) }, (_, j) => [`${name}/${i}/${j}`, name])
    await engine.insert(table, rows, 'upsert').then(() => rows.forEach(([key]) => acknowledged.add(String(key))), ignoreUnknown)
    const kind = random.below(8)
    if (kind < 3) await engine.flush().catch(ignoreUnknown)
    if (kind === 3) await engine.compact().catch(ignoreUnknown)
    if (kind === 4) await engine.storeCheckpoint({ name }).then((id) => checkpoints.add(id), ignoreUnknown)
  }
}

/** Whether it was written will be seen. */
function ignoreUnknown(error: unknown): void {
  if (!(error instanceof LsmtError && (error.code === '40003' || error.code === '57P03'))) throw error
}

/** Looks, waits, deletes; again and again while somebody writes, and once more. */
async function collect(race: Race, name: string, mistake: PlantedMistake | undefined): Promise<void> {
  const storage = race.bucket.client(name), kernel = kernelOf()
  for (let isLast = false; !isLast; isLast = race.writing === 0) {
    try {
      const garbage = (await findGarbage({ storage, kernel, shards: smallSettings.shards, nowMicros: 0 })).map((each) => each.name)
      for (const each of [...garbage, ...(await mistaken(storage, kernel, mistake))]) await storage.delete(each)
    } catch (error) {
      // Deletions may outrun its looks.
      if (!(error instanceof LsmtError && error.code === '58P01')) race.problems.push(`${name} failed by ${describeOutcome(error)}`)
    }
    for (let i = race.random.below(60); i > 0; i--) await turn()
  }
}

async function mistaken(storage: Storage, kernel: Kernel, mistake: PlantedMistake | undefined): Promise<readonly string[]> {
  const log = async (): Promise<readonly string[]> => (await storage.list('wal/')).map(({ name }) => name)
  switch (mistake) {
    case undefined:
      return []
    case 'unnamed files of the running epoch':
      return await unnamed(storage, kernel, Infinity, await pinned(storage, kernel))
    case 'unnamed files before the newest claim':
      return await unnamed(storage, kernel, (await newestClaim({ storage, kernel }))?.epoch ?? 0, await pinned(storage, kernel))
    case 'files of checkpoints':
      return await unnamed(storage, kernel, (await loadManifests(storage, kernel, 1))[0]!.writerEpoch, new Set())
    case 'log that is not in files':
      return (await log()).slice(0, -3)
    case 'newest object of the log':
      return (await log()).slice(-1)
  }
}

async function pinned(storage: Storage, kernel: Kernel): Promise<ReadonlySet<string>> {
  return new Set((await listCheckpoints(storage, kernel)).flatMap(({ checkpoint }) => filesOfCheckpoint(checkpoint)))
}

async function unnamed(storage: Storage, kernel: Kernel, epochEnd: number, kept: ReadonlySet<string>): Promise<readonly string[]> {
  const found: string[] = []
  for (const manifest of await loadManifests(storage, kernel, smallSettings.shards)) {
    const named = new Set(filesOfManifest(manifest))
    for (const { name } of await storage.list(tableFileFolder(manifest.shard))) {
      const number = tableFileNumberOf(name, manifest.shard)!
      if (number < epochEnd * 2 ** 32 && !named.has(number) && !kept.has(name)) found.push(name)
    }
  }
  return found
}

/** A row that was seen, or acknowledged before the look, is there in every later look. */
async function read(race: Race): Promise<void> {
  const { bucket, random, acknowledged, problems } = race
  try {
    const engine = await openReadOnly({ random, storage: bucket.client('reader'), settings: testSettings({ ...smallSettings, followMs: 60_000 }), clock: lookingWhenAsked() })
    let seen = new Set<string>()
    while (race.writing > 0) {
      const before = [...acknowledged, ...seen]
      // A look that fails is made again; what it showed before stays.
      if (!(await engine.refresh!().then(() => true, isTrouble))) problems.push('the reader failed')
      else if (engine.stats().following!.trouble === undefined) {
        const rows = await scanAll(engine, engine.table('kv')!).catch(ifTooOld)
        if (rows === undefined) continue
        seen = new Set(rows.map(([key]) => String(key)))
        for (const key of before) if (!seen.has(key)) problems.push(`the reader misses ${key}`)
      }
      await turn()
    }
    await engine.close()
  } catch (error) {
    problems.push(`the reader ended by ${describeOutcome(error)}`)
  }
}

/** Its looks are the test's. */
function lookingWhenAsked(): Clock {
  const clock = turningClock()
  return { ...clock, sleep: (ms, signal) => (signal === undefined ? clock.sleep(ms) : new Promise((resolve) => signal.addEventListener('abort', () => resolve()))) }
}

const isTrouble = (error: unknown): boolean => error instanceof LsmtError && (error.code === '58P01' || error.code === 'XX001')

function ifTooOld(error: unknown): undefined {
  if (!(error instanceof LsmtError && error.code === '40001')) throw error
}

async function judge({ bucket, acknowledged, checkpoints, problems }: Race): Promise<void> {
  const storage = bucket.client('judge'), kernel = kernelOf()
  try {
    const there = new Set((await storage.list('sst/')).map(({ name }) => name))
    const listed = (await listCheckpoints(storage, kernel)).filter(({ id }) => checkpoints.has(id))
    if (listed.length < checkpoints.size) problems.push('a checkpoint is lost')
    for (const { id, checkpoint } of listed) for (const file of filesOfCheckpoint(checkpoint)) if (!there.has(file)) problems.push(`checkpoint ${id} lost ${file}`)
    const engine = await openOver(storage)
    const found = new Set((await scanAll(engine, engine.table('kv')!)).map(([key]) => String(key)))
    for (const key of acknowledged) if (!found.has(key)) problems.push(`acknowledged row ${key} is lost`)
    await engine.close()
  } catch (error) {
    problems.push(`the database cannot be read: ${describeOutcome(error)}`)
  }
}
