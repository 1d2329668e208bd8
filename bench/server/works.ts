/** What clients of a server do, as SQL that lsmt and PostgreSQL take alike. */

export interface Work {
  readonly name: string
  /** What is sent, each a request or transaction of its own, in turn. */
  readonly statements: readonly string[]
  /** The same for `pgbench`, which draws the key itself; scripts of several are run equally often. */
  readonly scripts: readonly string[]
  /** The first commands of `redis-benchmark` that do this; absent where it has none. */
  readonly redis?: 'get' | 'set'
}

export const keyCount = 500
const keys = Array.from({ length: keyCount }, (_, index) => `key ${index}`)
const select = (key: string): string => `SELECT value FROM kv WHERE key = '${key}'`
/** Rows are added, so that nobody waits for another who writes the same one. */
const insert = "INSERT INTO events (text) VALUES ('written under load')"
const aggregate = 'SELECT COUNT(*) AS n, SUM(amount) AS total, MIN(amount) AS low, MAX(amount) AS high FROM facts WHERE kind < 50'
const selectScript = `\\set k random(0, ${keyCount - 1})\nSELECT value FROM kv WHERE key = 'key ' || :k;\n`

export const works: readonly Work[] = [
  { name: 'point SELECT', statements: keys.map(select), scripts: [selectScript], redis: 'get' },
  { name: 'INSERT', statements: [insert], scripts: [`${insert};\n`], redis: 'set' },
  { name: 'point SELECT and INSERT', statements: keys.flatMap((key) => [select(key), insert]), scripts: [selectScript, `${insert};\n`] },
  { name: 'aggregate', statements: [aggregate], scripts: [`${aggregate};\n`] },
]

/** Reads that all that have SQL answer alike; sums are of integers. */
export const checks: readonly string[] = [select('key 7'), aggregate]

/** What has to be there; `kv` is there from the start in lsmt. */
export function* setup(factCount: number): Generator<string> {
  yield 'CREATE TABLE events (text TEXT NOT NULL)'
  yield 'CREATE TABLE facts (id BIGINT PRIMARY KEY, kind BIGINT NOT NULL, amount BIGINT NOT NULL)'
  yield `INSERT INTO kv VALUES ${keys.map((key) => `('${key}', 'written before')`).join(', ')}`
  for (let from = 0; from < factCount; from += factsEach) {
    yield `INSERT INTO facts VALUES ${Array.from({ length: Math.min(factsEach, factCount - from) }, (_, i) => `(${from + i}, ${(from + i) % 100}, ${((from + i) * 7_919) % 100_000})`).join(', ')}`
  }
}

const factsEach = 5_000
