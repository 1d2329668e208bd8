/**
 * A process that writes statements whose effect is known from their number alone, prints `acknowledged <n>` after each
 * one that the database acknowledged, and goes on until it is killed. Arguments: data directory, first number, concurrency.
 */
import { writeSync } from 'node:fs'
import { open } from '../../dist/lsmt.js'
import { deletedBy, kindOf, statementOf, tinyTree } from './workload.mjs'

const [dataDir, first, concurrency] = process.argv.slice(2)
const db = await open({ dataDir, tree: tinyTree })
await db.query('CREATE TABLE IF NOT EXISTS pairs (a BIGINT, b TEXT, n BIGINT, PRIMARY KEY (a, b))')
let next = Number(first)
const inFlight = new Map()

async function writer() {
  for (;;) {
    const n = next++
    // A delete comes after its insert, so that what must be left of the two is certain.
    if (kindOf(n) === 'delete') await inFlight.get(deletedBy(n))
    const written = db.query(...statementOf(n))
    inFlight.set(n, written)
    await written
    inFlight.delete(n)
    // Synchronous: once it is printed the parent will see it, whatever happens to this process.
    writeSync(1, `acknowledged ${n}\n`)
  }
}

writeSync(1, 'ready\n')
await Promise.all(Array.from({ length: Number(concurrency) }, writer))
