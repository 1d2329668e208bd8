/**
 * From text to plan and values, without an engine below: what SQL itself costs. Cached plans stand against a parse of
 * every statement; of an INSERT of many rows the parser sees one tuple either way.
 */
import type { Engine, EngineRow } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import type { SqlParameters } from '../../src/sql/slot.ts'
import { answerHash, measureContestants, type BenchOptions, type Contestant, type Measurement } from '../harness.ts'

interface Work {
  readonly name: string
  readonly statements: number
  readonly rowsEach: number
  statement(index: number): readonly [string, SqlParameters?]
}

const rowsOf = (index: number): string => Array.from({ length: 1000 }, (_, row) => `('key${index}-${row}', 'value number ${row}')`).join(', ')

const works: readonly Work[] = [
  { name: 'point SELECT, literal', statements: 2_000, rowsEach: 1, statement: (index) => [`SELECT value FROM kv WHERE key = 'k${index}'`] },
  { name: 'point SELECT, parameter', statements: 2_000, rowsEach: 1, statement: (index) => ['SELECT value FROM kv WHERE key = $1', [`k${index}`]] },
  { name: 'INSERT of one row', statements: 2_000, rowsEach: 1, statement: (index) => [`INSERT INTO kv VALUES ('k${index}', 'value ${index}')`] },
  { name: 'INSERT of 1,000 rows', statements: 50, rowsEach: 1000, statement: (index) => [`INSERT INTO kv VALUES ${rowsOf(index)}`] },
]

export async function* measure(options: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  for (const work of works) {
    const statements = options.smoke ? 3 : work.statements
    const contestants = [contestant('cached plans', work, statements, defaultSqlSettings.planCacheEntriesMax), contestant('parsed each time', work, statements, 0)]
    yield await measureContestants(`engine/sql ${work.name}`, contestants, options.smoke ? 1 : 3)
  }
}

function contestant(name: string, work: Work, statements: number, planCacheEntriesMax: number): Contestant {
  return {
    name,
    async run() {
      const seen: EngineRow[] = []
      const sql = createSql(listeningEngine(seen), { ...defaultSqlSettings, planCacheEntriesMax })
      const texts = Array.from({ length: statements }, (_, index) => work.statement(index))
      // The cheaper contestant needs more runs until its code is compiled.
      for (let round = 0; round < (planCacheEntriesMax > 0 ? 5 : 1); round++) await runAll(sql, texts)
      seen.length = 0
      const startMs = performance.now()
      await runAll(sql, texts)
      const elapsedMs = performance.now() - startMs
      return { elapsedMs, operations: statements * work.rowsEach, answer: answerHash(JSON.stringify(seen.slice(0, 3))) }
    },
  }
}

async function runAll(sql: Sql, texts: readonly (readonly [string, SqlParameters?])[]): Promise<void> {
  for (const [text, parameters] of texts) await sql.query(text, parameters)
}

const kv: TableSchema = {
  name: 'kv',
  tableId: 1,
  columns: [{ name: 'key', type: { kind: 'text' }, notNull: true }, { name: 'value', type: { kind: 'text' }, notNull: false }],
  primaryKey: [0],
  hiddenKey: false,
  onInsert: 'upsert',
}

/** Notes what arrives and answers at once. */
function listeningEngine(seen: EngineRow[]): Engine {
  const unused = (): never => {
    throw new Error('not part of this bench')
  }
  return {
    catalogVersion: () => 1,
    tables: () => [kv],
    table: () => kv,
    get: (_snapshot, _table, key) => {
      seen.push(key)
      return ['value']
    },
    rowsByKey: unused,
    getMany: unused,
    walk: unused,
    scanColumns: unused,
    request: unused,
    insert: (_table, rows) => {
      seen.push(...rows)
      return Promise.resolve(rows.length)
    },
    insertText: (_table, values) => {
      seen.push([values.start, values.end])
      return Promise.resolve(1)
    },
    insertColumns: unused, createTable: unused, dropTable: unused, alterTable: unused, truncateTable: unused, catalogSettled: unused, stageTable: unused, publishStaged: unused, dropStaged: unused, collectRows: unused, checkpoint: unused, storeCheckpoint: unused, begin: unused, snapshot: unused, scan: unused, aggregate: unused, groupedAggregate: unused, topRows: unused, insertOrUpdate: unused, update: unused,
    updateWhere: unused, deleteWhere: unused, deleteRange: unused, write: unused, spillFile: unused, flush: unused, compact: unused, stats: unused, close: unused,
  }
}
