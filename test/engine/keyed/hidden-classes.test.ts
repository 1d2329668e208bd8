/** Reads by key take a fraction of a microsecond: what they go through is to be found by its place in an object, not by its name in a table. */
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { openDatabase } from '../../../src/engine/open-database.ts'
import { databaseRequest } from '../../../src/lsmt-options.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { PointScratch } from '../../../src/lsm/read/point/point-scratch.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemRandom } from '../../../src/runtime/random.ts'

setFlagsFromString('--allow-natives-syntax')
const hasFastProperties = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean
const haveSameMap = runInThisContext('(a, b) => %HaveSameMap(a, b)') as (a: object, b: object) => boolean

test('an engine is not the hash table that V8 makes of an object literal with accessors', async () => {
  expect(hasFastProperties({ get accessor() { return 1 } })).toBe(false)
  const engine = await openDatabase(databaseRequest({ storage: 'memory', shards: 2, kernelMemoryBytes: 64 * 1024 * 1024 }), { clock: systemClock, random: systemRandom })
  try {
    expect(hasFastProperties(engine)).toBe(true)
    const before = engine.catalogVersion()
    await engine.createTable({ name: 't', columns: [{ name: 'k', type: { kind: 'text' }, notNull: true }], primaryKey: [0], onInsert: 'error' })
    expect(engine.catalogVersion(), 'it goes with the catalog').not.toBe(before)
  } finally {
    await engine.close()
  }
})

test('the scratches of all trees are of one hidden class', () => {
  const kernel = openKernel('wasm', reserveLinearMemory(1024 * 1024)), first = new PointScratch(kernel)
  for (let i = 0; i < 100; i++) {
    const next = new PointScratch(kernel)
    expect(haveSameMap(first, next)).toBe(true)
    next.free()
  }
})
