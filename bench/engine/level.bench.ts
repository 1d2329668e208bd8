/**
 * `lsmt/level` beside `classic-level` (LevelDB) through the one interface of abstract-level: 16-byte keys and 100-byte
 * values as strings. Batches of 1,000; gets, synchronous and not; iteration by `for await`, by `nextv` and in short ranges, forwards and
 * backwards. Neither syncs each write.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AbstractLevel } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import { LsmtLevel } from '../../src/lsmt-level.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { measureContestants, type BenchOptions, type Contestant, type Measurement } from '../harness.ts'

type Level = AbstractLevel<string | Uint8Array, string, string>

interface Peer {
  readonly name: string
  open(folder: string): Level
}

const peers: readonly Peer[] = [
  { name: 'lsmt', open: (folder) => new LsmtLevel(folder, { database: { durability: 'interval' } }) },
  { name: 'classic-level', open: (folder) => new ClassicLevel(folder) },
]

const batchSize = 1_000
const rangeSize = 20

export async function* measure(options: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const count = options.smoke ? 3_000 : 300_000
  const reads = options.smoke ? 300 : 100_000
  const rounds = options.smoke ? 1 : 3
  const entries = makeEntries(count)
  const folders: string[] = []
  const levels = new Map<Peer, Level>()
  const compare = (name: string, run: (level: Level) => Promise<readonly [operations: number, answer: unknown]>): Promise<readonly Measurement[]> =>
    measureContestants(`level/${name}`, peers.map((peer) => contestant(peer.name, () => run(levels.get(peer)!))), rounds)

  try {
    yield await measureContestants('level/fill', peers.map((peer) => contestant(peer.name, async () => {
      await levels.get(peer)?.close()
      const folder = await mkdtemp(join(tmpdir(), 'lsmt-bench-level-'))
      folders.push(folder)
      const level = peer.open(folder)
      levels.set(peer, level)
      await level.open()
      return fill(level, entries)
    })), rounds)
    yield await compare('get', (level) => getAtRandom(reads, entries, async (key) => level.get(key)))
    yield await compare('getSync', (level) => getAtRandom(reads, entries, (key) => level.getSync(key)))
    yield await compare('iterate', async (level) => iterate(level.iterator()))
    yield await compare('iterate backwards', async (level) => iterate(level.iterator({ reverse: true })))
    yield await compare('nextv', nextv)
    yield await compare('keys', async (level) => countKeys(await level.keys().all()))
    yield await compare(`ranges of ${rangeSize}`, (level) => shortRanges(level, Math.ceil(reads / 20), entries))
  } finally {
    for (const level of levels.values()) await level.close()
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })))
  }
}

function contestant(name: string, run: () => Promise<readonly [operations: number, answer: unknown]>): Contestant {
  return {
    name,
    async run() {
      const start = performance.now()
      const [operations, answer] = await run()
      return { elapsedMs: performance.now() - start, operations, answer: String(answer) }
    },
  }
}

/** In random order. */
function makeEntries(count: number): readonly (readonly [key: string, value: string])[] {
  const random = seededRandom(7)
  return Array.from({ length: count }, (_, i) => [((i * 7_919) % count).toString().padStart(16, '0'), `${random.nextU32().toString(36)}-`.repeat(20).slice(0, 100)] as const)
}

async function fill(level: Level, entries: readonly (readonly [string, string])[]): Promise<readonly [number, unknown]> {
  for (let from = 0; from < entries.length; from += batchSize) await level.batch(entries.slice(from, from + batchSize).map(([key, value]) => ({ type: 'put', key, value })), {})
  return [entries.length, level.getSync(entries[entries.length >> 1]![0])]
}

async function getAtRandom(reads: number, entries: readonly (readonly [string, string])[], get: (key: string) => string | undefined | Promise<string | undefined>): Promise<readonly [number, unknown]> {
  const random = seededRandom(13)
  let characters = 0
  for (let i = 0; i < reads; i++) {
    const found = get(entries[random.below(entries.length)]![0])
    characters += (typeof found === 'string' ? found : (await found)!).charCodeAt(0)
  }
  return [reads, characters]
}

async function iterate(iterator: AsyncIterable<[string, string]>): Promise<readonly [number, unknown]> {
  let rows = 0, characters = 0
  for await (const [key, value] of iterator) {
    rows++
    characters += key.charCodeAt(15) + value.charCodeAt(0)
  }
  return [rows, characters]
}

async function nextv(level: Level): Promise<readonly [number, unknown]> {
  const iterator = level.iterator()
  let rows = 0, characters = 0
  for (let batch = await iterator.nextv(1_000); batch.length > 0; batch = await iterator.nextv(1_000)) {
    rows += batch.length
    for (const [key, value] of batch) characters += key.charCodeAt(15) + value.charCodeAt(0)
  }
  await iterator.close()
  return [rows, characters]
}

const countKeys = (keys: readonly string[]): readonly [number, unknown] => [keys.length, keys.at(-1)]

async function shortRanges(level: Level, ranges: number, entries: readonly (readonly [string, string])[]): Promise<readonly [number, unknown]> {
  const random = seededRandom(17)
  let characters = 0
  for (let i = 0; i < ranges; i++) {
    const [first] = entries[random.below(entries.length)]!
    let left = rangeSize
    for await (const [key] of level.iterator({ gte: first })) {
      characters += key.charCodeAt(15)
      if (--left === 0) break
    }
  }
  return [ranges, characters]
}
