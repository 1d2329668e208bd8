/** A process of its own for one contestant: opens the loaded table, runs every query once, prints a `Life` as JSON. */
import { peerQueries } from '../sql/queries.ts'
import { peers } from './peers.ts'

export interface Life {
  readonly elapsedMs: number
  readonly peakMemoryBytes: number
}

const [name, directory, rowCount] = process.argv.slice(2)
const kind = peers.find((peer) => peer.name === name)
if (kind === undefined || directory === undefined) throw new Error('usage: peak-memory CONTESTANT DIRECTORY ROWS')
const startMs = performance.now()
const peer = await kind.open(directory)
for (const { sql, parameters = [[]] } of peerQueries(Number(rowCount), 100)) {
  for (const values of parameters) await peer.query(sql, values)
}
await peer.close()
const life: Life = { elapsedMs: performance.now() - startMs, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 }
console.log(JSON.stringify(life))
