/** Runs the test suite that abstract-level ships over LsmtLevel, as built; TAP on standard output. Argument: a folder for data. */
import { join } from 'node:path'
import suite from 'abstract-level/test/index.js'
import test from 'tape'
import { open } from '../../dist/lsmt.js'
import { LsmtLevel } from '../../dist/lsmt-level.js'

const [folder, place] = process.argv.slice(2)
const database = { kernelMemoryBytes: 64 * 1024 * 1024, cacheBytesMax: 8 * 1024 * 1024, workers: 0, shards: 3, durability: 'interval' }
let made = 0

/** In a directory each, or all in tables of one database. */
const host = place === 'tables' ? await open({ ...database, storage: 'memory' }) : undefined
const factory = (options) => {
  const name = `level ${made++}`
  return host === undefined ? new LsmtLevel(join(folder, name), { ...options, database }) : new LsmtLevel(host, { ...options, table: name })
}

suite({ test, factory })
