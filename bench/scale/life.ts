/**
 * A process of its own for one contestant and one size: fills an empty directory at random, settles, closes; opens it
 * again, reads at random and scans. Prints a `Life` as JSON.
 */
import { readFileSync } from 'node:fs'
import { seededRandom } from '../../src/runtime/random.ts'
import { presentKey, randomValue, scattered } from '../key-value/entries.ts'
import { batchSize, getSync, scanAll } from '../key-value/workloads.ts'
import type { KeyValueStore } from '../peers/key-value/store.ts'
import { bytesOnDisk } from '../peers/peer.ts'
import { scaleEntrants, smallMemtables } from './entrants.ts'

export interface Life {
  readonly fillMs: number
  readonly settleMs: number
  /** After a clean close. */
  readonly openMs: number
  /** The first reads after it. */
  readonly firstGets: Timed
  readonly gets: Timed
  readonly scan: Timed
  readonly answer: string
  /** Of the process while it filled, settled and closed; undefined where the system does not tell. */
  readonly bytesWritten: number | undefined
  /** What of them were table files and what the log, where that is told. */
  readonly writes: { readonly tableBytes: number; readonly logBytes: number } | undefined
  readonly diskBytes: number
  readonly peakMemoryBytes: number
}

export interface Timed {
  readonly ms: number
  readonly operations: number
  /** What it asked of storage, where that is told. */
  readonly reads?: number
  readonly bytesRead?: number
}

const [name, directory, entryCount] = process.argv.slice(2)
const peer = [...scaleEntrants, smallMemtables].find((each) => each.name === name)
if (peer === undefined || directory === undefined) throw new Error('usage: life CONTESTANT DIRECTORY ENTRIES')
const count = Number(entryCount)

async function fill(store: KeyValueStore): Promise<void> {
  const random = seededRandom(7)
  for (let from = 0; from < count; from += batchSize) {
    const keys = Array.from({ length: Math.min(batchSize, count - from) }, (_, i) => presentKey(scattered(from + i, count)))
    await store.putBatch(keys, keys.map(() => randomValue(random)))
  }
}

async function elapsed(run: () => Promise<void> | void): Promise<number> {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

async function timed(store: KeyValueStore, run: (store: KeyValueStore) => Promise<{ readonly operations: number; readonly answer: string }>): Promise<Timed & { readonly answer: string }> {
  const before = store.storageUse?.()
  const startMs = performance.now()
  const { operations, answer } = await run(store)
  const ms = performance.now() - startMs, after = store.storageUse?.()
  return { ms, operations, answer, ...(before !== undefined && after !== undefined && { reads: after.reads - before.reads, bytesRead: after.bytesRead - before.bytesRead }) }
}

/** Given to the operating system by this process, all its threads. */
function bytesWritten(): number | undefined {
  if (process.platform !== 'linux') return undefined
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))![1])
}

const writtenBefore = bytesWritten()
let store = await peer.open(directory, 'written')
const fillMs = await elapsed(() => fill(store))
const settleMs = await elapsed(() => store.settle())
const writes = store.writeUse?.()
await store.close()
const written = bytesWritten()
const openMs = await elapsed(async () => {
  store = await peer.open(directory, 'written')
})
const firstGets = await timed(store, getSync(count, Math.min(count, 1_000)))
const gets = await timed(store, getSync(count, Math.min(count, 200_000)))
const scan = await timed(store, scanAll)
await store.close()
const life: Life = {
  fillMs, settleMs, openMs, firstGets, gets, scan, answer: `${firstGets.answer} ${gets.answer} ${scan.answer}`,
  bytesWritten: written === undefined ? undefined : written - writtenBefore!, writes, diskBytes: bytesOnDisk(directory), peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
}
console.log(JSON.stringify(life))
