/** Queries that hold rows, over an engine whose storage can fail, with what they leave behind counted. */
import type { Engine, EngineRow, EngineSnapshot } from '../../../../src/engine/engine.ts'
import { bindStatement } from '../../../../src/sql/bind/bind.ts'
import type { CancelSignal } from '../../../../src/sql/cancel.ts'
import { executePlan } from '../../../../src/sql/execute/execute.ts'
import { createLiterals } from '../../../../src/sql/expression/literal.ts'
import type { QueryLimits } from '../../../../src/sql/operator/query-run.ts'
import { createMemoryPool } from '../../../../src/sql/operator/spill/query-memory.ts'
import { parseStatement } from '../../../../src/sql/parse.ts'
import type { StatementPlan } from '../../../../src/sql/plan.ts'
import { areRowsHere } from '../../../../src/sql/result.ts'
import type { QueryStats, RowsResult } from '../../../../src/sql/result.ts'
import { scanStatements } from '../../../../src/sql/scan/shape.ts'
import { createSql } from '../../../../src/sql/sql.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import { createFaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import type { FaultyStorage, StorageOperation } from '../../../../src/storage/faulty-storage.ts'
import type { LsmtError } from '../../../../src/errors.ts'
import { openTestEngine } from '../../../engine/open-test-engine.ts'

export const MiB = 1024 * 1024

/** One query for each operator that holds rows; each spills when it has 4 KiB. */
export const spillingQueries: readonly (readonly [string, string])[] = [
  ['ORDER BY', 'SELECT id, word, d FROM t ORDER BY word, d DESC'],
  ['ORDER BY, rows that are equal', 'SELECT id, few FROM t ORDER BY few, id'],
  ['ORDER BY … LIMIT', 'SELECT id FROM t ORDER BY word || \'\', id LIMIT 300 OFFSET 20'],
  ['GROUP BY', 'SELECT word, COUNT(*), SUM(id), MIN(d), AVG(few) FROM t GROUP BY word || \'\', word'],
  ['COUNT DISTINCT of all rows', 'SELECT COUNT(DISTINCT word || \'\'), SUM(DISTINCT id + 0), COUNT(*) FROM t'],
  ['COUNT DISTINCT by groups', 'SELECT few, COUNT(DISTINCT word || \'\'), COUNT(DISTINCT id), MAX(id) FROM t GROUP BY few'],
  ['DISTINCT', 'SELECT DISTINCT word || \'\', few FROM t'],
  ['inner join', 'SELECT a.id, b.id, b.word FROM t a JOIN t b ON a.word = b.word AND a.few = b.few'],
  ['left join', 'SELECT a.id, b.id, b.d FROM t a LEFT JOIN t b ON a.id = b.id + 300 AND b.few > 1'],
  ['join of one key', 'SELECT COUNT(*), SUM(a.id - b.id) FROM t a JOIN (SELECT id, few FROM t WHERE id < 150) b ON a.few - a.few = b.few - b.few'],
  ['cross join', 'SELECT COUNT(*), SUM(a.id * b.id) FROM t a CROSS JOIN (SELECT id, word FROM t WHERE id < 150) b'],
  ['left join without keys', 'SELECT a.id, b.id FROM t a LEFT JOIN (SELECT id, word FROM t WHERE id < 150) b ON a.id < b.id - 140'],
  ['full join that asks subqueries', 'SELECT a.id, b.id FROM t a FULL JOIN t b ON a.word = b.word AND EXISTS (SELECT 1 FROM t c WHERE c.id = a.id + b.id AND c.few < 3)'],
  ['UNION', 'SELECT word, few FROM t UNION SELECT word, few + 1 FROM t'],
  ['INTERSECT', 'SELECT word FROM t INTERSECT SELECT lower(word) FROM t WHERE few < 3'],
  ['EXCEPT', 'SELECT word FROM t EXCEPT SELECT word FROM t WHERE few = 2'],
  ['IN', 'SELECT id FROM t WHERE word IN (SELECT word FROM t WHERE few = 1)'],
  ['NOT IN', 'SELECT id FROM t WHERE id + 5 NOT IN (SELECT id FROM t WHERE few < 4)'],
  ['IN of a set with NULL', 'SELECT id, d + id IN (SELECT d + id FROM t WHERE id % 2 = 0) FROM t'],
  ['WITH, named twice', 'WITH c AS (SELECT id, word || \'\' AS w, few FROM t) SELECT a.id, b.id FROM c a JOIN c b ON a.id = b.id + 1 WHERE b.few > 1'],
  ['WITH, in a loop', 'WITH c AS (SELECT few, word, SUM(id) AS s FROM t GROUP BY few, word) SELECT id, (SELECT MIN(s) FROM c WHERE s > a.id) FROM t a WHERE id < 4'],
  ['correlated EXISTS', 'SELECT id FROM t a WHERE id < 6 AND EXISTS (SELECT 1 FROM t b WHERE b.word > a.word AND b.few = a.few)'],
]

const rowCount = 500

export interface SpillWorld {
  readonly engine: Engine
  readonly storage: FaultyStorage
  /** Asked before each operation on temporary files. */
  onTemporary: ((operation: StorageOperation) => LsmtError | undefined) | undefined
  /** Taken and not released. */
  snapshots: number
  close(): Promise<void>
}

export async function openSpillWorld(): Promise<SpillWorld> {
  const storage = createFaultyStorage({ seed: 1, fail: (operation) => (operation.name === 'a temporary file' ? world.onTemporary?.(operation) : undefined) })
  const engine = await openTestEngine(storage, { shards: 2 })
  const world: SpillWorld = { engine: { ...engine, snapshot }, storage, onTemporary: undefined, snapshots: 0, close: () => engine.close() }
  /** One of the engine, with its release counted once. */
  function snapshot(): EngineSnapshot {
    const taken = engine.snapshot()
    world.snapshots++
    return Object.assign(Object.create(taken) as EngineSnapshot, { release: () => { taken.release(); world.snapshots-- } })
  }
  const sql = createSql(engine)
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY, few INTEGER, word TEXT, d DOUBLE PRECISION)')
  const rows = Array.from({ length: rowCount }, (_, i) => `(${i}, ${i % 5}, '${wordOf(i)}', ${i % 7 === 0 ? 'NULL' : (i * 37) % 101})`)
  await sql.query(`INSERT INTO t VALUES ${rows.join(', ')}`)
  // Nothing is to change in linear memory while queries run.
  await engine.flush()
  await engine.compact()
  return world
}

const wordOf = (i: number): string => `${['ä', '日本', 'word', ''][i % 4]}${(i * 7919) % 1_000}${'-'.repeat(i % 30)}`

export interface QueryOptions {
  readonly memoryBytesMax?: number
  readonly signal?: CancelSignal
  /** Batches taken before the consumer stops. */
  readonly batchesMax?: number
}

export interface Outcome {
  readonly rows: readonly EngineRow[]
  readonly stats: QueryStats
  readonly pool: QueryLimits['pool']
}

/** Runs a query; its pool is told also when it fails, by `limits`. */
export async function runQuery(engine: Engine, text: string, limits: QueryLimits, { signal, batchesMax }: QueryOptions = {}): Promise<Outcome> {
  const values = { text, statement: scanStatements(text)[0]!, parameters: undefined }
  const origin = { text, tokenStarts: values.statement.tokenStarts }
  const plan = bindStatement(parseStatement(values.statement.shape, origin), engine, origin, createLiterals(values)) as StatementPlan
  const result = await executePlan(engine, plan, { values, signal, clock: systemClock, limits }) as RowsResult
  const rows: EngineRow[] = []
  if (areRowsHere(result.rows)) return { rows: result.rows, stats: result.stats, pool: limits.pool }
  let batches = 0
  for await (const batch of result.rows) {
    for (const row of batch) rows.push(row)
    if (++batches === batchesMax) break
  }
  return { rows, stats: result.stats, pool: limits.pool }
}

export function limitsOf(memoryBytesMax: number): QueryLimits {
  return { memoryBytesMax, spillBytesMax: 64 * MiB, pool: createMemoryPool(1024 * MiB) }
}

/** Temporary files made and not discarded. */
export function filesLeft({ operations }: FaultyStorage): number {
  const count = (kind: StorageOperation['kind']): number => operations.filter((each) => each.kind === kind).length
  return count('createTemporary') - count('discard')
}
