/**
 * Queries that hold a million rows, with memory for all of them and with a part of it, so that they spill to a local disk:
 * one row a key, which is the most that a grouping, a join or a set can have to hold.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineRow } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import type { RowsResult } from '../../src/sql/result.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import { measureContestants } from '../harness.ts'
import type { BenchNote, BenchOptions, Contestant, Measurement } from '../harness.ts'

const bench = 'sql/spill'
const MiB = 1024 * 1024
const rowsPerInsert = 20_000

const queries: readonly (readonly [string, string])[] = [
  ['ORDER BY text', 'SELECT id, k, word FROM t ORDER BY word'],
  ['ORDER BY integer', 'SELECT id, k FROM t ORDER BY k'],
  ['GROUP BY', 'SELECT k + 0, COUNT(*), SUM(d) FROM t GROUP BY k + 0'],
  ['COUNT DISTINCT', "SELECT COUNT(DISTINCT word || '') FROM t"],
  ['join', 'SELECT a.id, b.word FROM t a JOIN t b ON a.id = b.k'],
]

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const rowCount = smoke ? 5_000 : 1_000_000
  const directory = mkdtempSync(join(tmpdir(), 'lsmt-bench-'))
  const storage = await openLocalStorage(directory)
  const engine = await openEngine({ storage, settings: { ...defaultDatabaseSettings, durability: 'interval', workers: 0 }, clock: systemClock, random: seededRandom(1) })
  const withMemory = (queryMemoryBytesMax: number): Sql => createSql(engine, { ...defaultSqlSettings, queryMemoryBytesMax, queriesMemoryBytesMax: 4096 * MiB })
  const little = smoke ? MiB / 4 : 32 * MiB
  try {
    await withMemory(MiB).query('CREATE TABLE t (id BIGINT PRIMARY KEY, k BIGINT NOT NULL, word TEXT NOT NULL, d DOUBLE PRECISION NOT NULL)')
    const row = (id: number): EngineRow => [id, (id * 7_919) % rowCount, `word ${(id * 104_729) % rowCount}`, id / 2]
    for (let from = 0; from < rowCount; from += rowsPerInsert) await engine.insert(engine.table('t')!, Array.from({ length: Math.min(rowsPerInsert, rowCount - from) }, (_, i) => row(from + i)), 'insert')
    await engine.compact()
    for (const [name, text] of queries) {
      const spilling = contestant(`${little / MiB} MiB`, withMemory(little), text)
      yield await measureContestants(`${bench}/${name}`, [contestant('in memory', withMemory(2048 * MiB), text), spilling], smoke ? 1 : 5)
      yield { bench, note: `${name} of ${rowCount} rows spilled ${(spilling.spilledBytes() / MiB).toFixed(1)} MiB` }
    }
  } finally {
    await engine.close()
    await storage.close()
    rmSync(directory, { recursive: true })
  }
}

/** The answer is one that does not depend on the order of rows. */
function contestant(name: string, sql: Sql, text: string): Contestant & { spilledBytes(): number } {
  let spilledBytes = 0
  return {
    name,
    spilledBytes: () => spilledBytes,
    async run() {
      const start = performance.now()
      let [rowCount, sum] = [0, 0]
      for await (const result of sql.run(text)) {
        const { rows, stats } = result as RowsResult
        for await (const batch of rows as AsyncIterable<readonly EngineRow[]>) {
          rowCount += batch.length
          for (const [first] of batch) sum += first as number
        }
        spilledBytes = stats.spilledBytes
      }
      return { elapsedMs: performance.now() - start, operations: rowCount, answer: `${rowCount} rows, ${sum}` }
    },
  }
}
