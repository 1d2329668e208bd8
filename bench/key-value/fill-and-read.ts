/** A process of its own for one contestant: fills an empty directory at random, settles, reads and scans; prints a `Life` as JSON. */
import { seededRandom } from '../../src/runtime/random.ts'
import { keyValuePeers } from '../peers/key-value/contestants.ts'
import { presentKey, randomValue, scattered } from './entries.ts'
import type { Life } from './footprint.ts'
import { batchSize, getSync, scanAll } from './workloads.ts'

const [name, directory, entryCount] = process.argv.slice(2)
const peer = keyValuePeers.find((each) => each.name === name)
if (peer === undefined || directory === undefined) throw new Error('usage: fill-and-read CONTESTANT DIRECTORY ENTRIES')
const count = Number(entryCount), random = seededRandom(7)
const startMs = performance.now()
const store = await peer.open(directory, 'written')
for (let from = 0; from < count; from += batchSize) {
  const keys = Array.from({ length: Math.min(batchSize, count - from) }, (_, i) => presentKey(scattered(from + i, count)))
  await store.putBatch(keys, keys.map(() => randomValue(random)))
}
await store.settle()
const { answer: read } = await getSync(count, Math.ceil(count / 10))(store)
const { answer: scanned } = await scanAll(store)
await store.close()
const life: Life = { elapsedMs: performance.now() - startMs, answer: `${read} ${scanned}`, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 }
console.log(JSON.stringify(life))
