/** A process of its own for one contestant: opens the loaded table, runs every query once, prints its largest resident size in bytes. */
import { peerQueries } from '../sql/queries.ts'
import { peers } from './peers.ts'

const [name, directory, rowCount] = process.argv.slice(2)
const kind = peers.find((peer) => peer.name === name)
if (kind === undefined || directory === undefined) throw new Error('usage: peak-memory CONTESTANT DIRECTORY ROWS')
const peer = await kind.open(directory)
for (const { sql, parameters = [[]] } of peerQueries(Number(rowCount), 100)) {
  for (const values of parameters) await peer.query(sql, values)
}
await peer.close()
console.log(process.resourceUsage().maxRSS * 1024)
