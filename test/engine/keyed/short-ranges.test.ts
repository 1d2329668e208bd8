/** Ranges of few rows, against a model: over memtables, files above each other and both, with deletions, bounds and any kind of key, read to their end or left. */
import { describe, expect, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import type { Database, KeyedTable, UserKey, UserRow } from '../../../src/lsmt.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const seed = Number(process.env['LSMT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const steps = 8, rangesPerStep = 25

interface Kind {
  readonly columns: string
  /** The key of a number; a larger one's is larger. */
  readonly keyOf: (n: number) => UserKey
  readonly keyColumns: readonly string[]
}

const kinds: Readonly<Record<string, Kind>> = {
  text: { columns: 'k TEXT PRIMARY KEY', keyOf: (n) => String(n).padStart(5, '0'), keyColumns: ['k'] },
  integers: { columns: 'k BIGINT PRIMARY KEY', keyOf: (n) => n - 300, keyColumns: ['k'] },
  'two columns': { columns: 'a INTEGER, b TEXT, PRIMARY KEY (a, b)', keyOf: (n) => [Math.floor(n / 10), `b${n % 10}`], keyColumns: ['a', 'b'] },
}

describe.each(Object.entries(kinds))('short ranges by a key of %s', (_, kind) => {
  test.each(['wasm', 'js'] as const)('give what a model gives (%s)', async (kernels) => {
    const random = seededRandom(seed)
    const db = await open({ storage: 'memory', shards: 3, kernels, kernelMemoryBytes: 64 * 1024 * 1024, tree: { rowGroupBytes: 4096 } })
    await db.query(`CREATE TABLE things (${kind.columns.replace(', PRIMARY', ', t TEXT, n BIGINT, PRIMARY')}${kind.keyColumns.length === 1 ? ', t TEXT, n BIGINT' : ''})`)
    const things = db.table('things'), model = new Map<number, UserRow>()
    for (let step = 0; step < steps; step++) {
      await write(db, things, kind, model, random.below(5), random)
      const snapshot = db.snapshot(), before = new Map(model)
      await change(things, kind, model, random.below(600), random)
      for (let i = 0; i < rangesPerStep; i++) {
        await check(things, kind, model, undefined, random)
        await check(things, kind, before, snapshot, random)
      }
      snapshot.release()
    }
    await db.close()
  })
})

type Random = ReturnType<typeof seededRandom>

const rowOf = (kind: Kind, n: number, random: Random): UserRow => {
  const key = kind.keyOf(n), values = Array.isArray(key) ? key : [key]
  return { ...Object.fromEntries(kind.keyColumns.map((name, i) => [name, values[i]])), t: random.below(5) === 0 ? null : `${'é'.repeat(random.below(2))}${random.nextU32().toString(36).repeat(1 + random.below(3))}`, n: random.below(5) === 0 ? null : n }
}

async function change(things: KeyedTable, kind: Kind, model: Map<number, UserRow>, n: number, random: Random): Promise<void> {
  if (random.below(3) === 0) {
    model.delete(n)
    await things.delete(kind.keyOf(n))
    return
  }
  const row = rowOf(kind, n, random)
  model.set(n, row)
  await things.put(row)
}

async function write(db: Database, things: KeyedTable, kind: Kind, model: Map<number, UserRow>, then: number, random: Random): Promise<void> {
  const puts = Array.from({ length: 20 + random.below(150) }, () => random.below(600))
  for (const n of puts) model.set(n, rowOf(kind, n, random))
  await things.batch([...new Set(puts)].map((n) => ({ put: model.get(n)! })))
  if (random.below(20) === 0) {
    const from = random.below(600), to = from + random.below(40)
    for (let n = from; n < to; n++) model.delete(n)
    await things.deleteRange({ gte: kind.keyOf(from), lt: kind.keyOf(to) })
  }
  if (then === 2) await db.flush()
  if (then > 2) await db.compact()
  for (let i = random.below(30); i > 0; i--) await change(things, kind, model, random.below(600), random)
}

/** With random bounds, limit and size of what is asked for at a time. */
async function check(things: KeyedTable, kind: Kind, model: ReadonlyMap<number, UserRow>, snapshot: ReturnType<Database['snapshot']> | undefined, random: Random): Promise<void> {
  const from = random.below(620) - 10, to = from + random.below(3) * random.below(60), limit = 1 + random.below(60), reverse = random.below(5) === 0
  const isBounded = random.below(2) === 0, isExclusive = random.below(2) === 0, atATime = random.below(3) === 0 ? 1 + random.below(20) : limit
  const numbers = [...model.keys()].filter((n) => (isExclusive ? n > from : n >= from) && (!isBounded || n < to)).toSorted((a, b) => (reverse ? b - a : a - b)).slice(0, limit)
  const cursor = things.cursor({ ...(isExclusive ? { gt: kind.keyOf(from) } : { gte: kind.keyOf(from) }), ...(isBounded && { lt: kind.keyOf(to) }), limit, reverse, columns: ['t', 'n', ...kind.keyColumns], ...(snapshot && { snapshot }) })
  const found: UserRow[] = []
  for (let rows = await cursor.next(atATime); rows !== undefined; rows = await cursor.next(atATime)) {
    for (let i = 0; i < rows.rowCount; i++) found.push(Object.fromEntries(['t', 'n', ...kind.keyColumns].map((name, column) => [name, rows.columns[column]![i]!])))
  }
  expect(found, `seed ${seed}`).toEqual(numbers.map((n) => model.get(n)!))
}
