/**
 * The embedded engine beside `classic-level` (LevelDB) in one process: 16-byte keys and 100-byte values as strings, batches
 * of 1,000, neither syncing each write. Fill in order, fill at random, read at random (synchronously), scan everything.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { open, type Database } from '../../src/lsmt.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { measureContestants, type BenchOptions, type Contestant, type Measurement } from '../harness.ts'

const batchSize = 1_000
const valueBytes = 100

interface Entries {
  readonly keys: readonly string[]
  readonly values: readonly string[]
}

/** What each peer can do, so that the workloads are written once. */
interface Peer {
  readonly name: string
  openEmpty(): Promise<void>
  putBatch(keys: readonly string[], values: readonly string[], from: number, to: number): Promise<void>
  getSync(key: string): string | undefined
  scan(visit: (key: string, value: string) => void): Promise<void>
  close(): Promise<void>
}

export async function* measure(options: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const count = options.smoke ? 5_000 : 1_000_000
  const rounds = options.smoke ? 1 : 3
  const ordered = makeEntries(count)
  const shuffled = shuffle(ordered)
  const peers = [lsmtPeer(), levelPeer()]
  yield await measureContestants('engine/fillseq', peers.map((peer) => fill(peer, ordered)), rounds)
  yield await measureContestants('engine/fillrandom', peers.map((peer) => fill(peer, shuffled)), rounds)
  for (const peer of peers) await load(peer, shuffled)
  yield await measureContestants('engine/readrandom', peers.map((peer) => readAtRandom(peer, shuffled, options.smoke ? 1_000 : 300_000)), rounds)
  yield await measureContestants('engine/scan', peers.map((peer) => scanAll(peer, count)), rounds)
  for (const peer of peers) await peer.close()
}

/** Half of each value is random, so that block compression finds what it finds in real data, not in repeated bytes. */
function makeEntries(count: number): Entries {
  const random = seededRandom(7)
  const keys = Array.from({ length: count }, (_, i) => i.toString().padStart(16, '0'))
  const values = keys.map(() => {
    let text = ''
    while (text.length < valueBytes / 2) text += random.nextU32().toString(36)
    return text.slice(0, valueBytes / 2).padEnd(valueBytes, 'abcdefghij')
  })
  return { keys, values }
}

function shuffle({ keys, values }: Entries): Entries {
  const random = seededRandom(11)
  const order = keys.map((_, i) => i)
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return { keys: order.map((i) => keys[i]!), values: order.map((i) => values[i]!) }
}

async function load(peer: Peer, { keys, values }: Entries): Promise<void> {
  await peer.openEmpty()
  for (let from = 0; from < keys.length; from += batchSize) await peer.putBatch(keys, values, from, Math.min(from + batchSize, keys.length))
}

function fill(peer: Peer, entries: Entries): Contestant {
  return {
    name: peer.name,
    async run() {
      await peer.openEmpty()
      const start = performance.now()
      const { keys, values } = entries
      for (let from = 0; from < keys.length; from += batchSize) await peer.putBatch(keys, values, from, Math.min(from + batchSize, keys.length))
      const elapsedMs = performance.now() - start
      const answer = [0, keys.length >> 1, keys.length - 1].map((i) => peer.getSync(keys[i]!)).join()
      await peer.close()
      return { elapsedMs, operations: keys.length, answer }
    },
  }
}

function readAtRandom(peer: Peer, { keys }: Entries, reads: number): Contestant {
  return {
    name: peer.name,
    run() {
      const random = seededRandom(13)
      let characters = 0
      const start = performance.now()
      for (let i = 0; i < reads; i++) characters += peer.getSync(keys[random.below(keys.length)]!)!.charCodeAt(0)
      return Promise.resolve({ elapsedMs: performance.now() - start, operations: reads, answer: String(characters) })
    },
  }
}

function scanAll(peer: Peer, count: number): Contestant {
  return {
    name: peer.name,
    async run() {
      let rows = 0
      let characters = 0
      let last = ''
      const start = performance.now()
      await peer.scan((key, value) => {
        rows++
        characters += value.charCodeAt(0) + key.charCodeAt(15)
        last = key
      })
      if (rows !== count) throw new Error(`${peer.name} scanned ${rows} rows of ${count}`)
      return { elapsedMs: performance.now() - start, operations: rows, answer: `${characters} ${last}` }
    },
  }
}

function lsmtPeer(): Peer {
  let db: Database
  let dataDir = ''
  let kv: ReturnType<Database['table']>
  return {
    name: 'lsmt',
    async openEmpty() {
      dataDir = await mkdtemp(join(tmpdir(), 'lsmt-bench-'))
      db = await open({ dataDir, durability: 'interval' })
      kv = db.table('kv')
    },
    async putBatch(keys, values, from, to) {
      const operations = []
      for (let i = from; i < to; i++) operations.push({ put: { key: keys[i]!, value: values[i]! } })
      await kv.batch(operations)
    },
    getSync: (key) => kv.getSync(key)?.['value'] as string | undefined,
    async scan(visit) {
      for await (const row of kv.scan()) visit(row['key'] as string, row['value'] as string)
    },
    async close() {
      await db.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function levelPeer(): Peer {
  let level: ClassicLevel
  let location = ''
  return {
    name: 'classic-level',
    async openEmpty() {
      location = await mkdtemp(join(tmpdir(), 'level-bench-'))
      level = new ClassicLevel(location)
      await level.open()
    },
    async putBatch(keys, values, from, to) {
      const operations: { type: 'put'; key: string; value: string }[] = []
      for (let i = from; i < to; i++) operations.push({ type: 'put', key: keys[i]!, value: values[i]! })
      await level.batch(operations)
    },
    getSync: (key) => level.getSync(key),
    async scan(visit) {
      const iterator = level.iterator()
      for (;;) {
        const entries = await iterator.nextv(1_000)
        if (entries.length === 0) break
        for (const [key, value] of entries) visit(key, value)
      }
      await iterator.close()
    },
    async close() {
      await level.close()
      await rm(location, { recursive: true, force: true })
    },
  }
}
