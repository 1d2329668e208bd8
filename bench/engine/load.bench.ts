/**
 * Bringing in rows of six columns, 1,000 a statement: as INSERT text by kernels and by rows, as engine rows, and by
 * column. In memory and without syncs, so that what is compared is the way into the memtables.
 */
import type { Engine, EngineColumns, EngineRow } from '../../src/engine/engine.ts'
import { rowsOfColumns } from '../../src/engine/write/columns/rows-of-columns.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import { createSql } from '../../src/sql/sql.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { answerHash, measureContestants, type BenchOptions, type Contestant, type Measurement } from '../harness.ts'

const rowsEach = 1_000
const statuses = ['paid', 'open', 'failed', 'refunded', 'pending']

/** The rows of each statement: id, ts, user_id, region, amount, status. */
function statementColumns(statements: number): readonly EngineColumns[] {
  const random = seededRandom(5)
  return Array.from({ length: statements }, (_, statement): EngineColumns => {
    const ids = Int32Array.from({ length: rowsEach }, (__, i) => statement * rowsEach + i)
    return {
      rowCount: rowsEach,
      columns: [
        { values: ids }, { values: Float64Array.from(ids, (id) => 1_700_000_000_000 + 37 * id) }, { values: ids.map(() => random.below(100_000)) },
        { values: Array.from(ids, () => `region-${random.below(50)}`) }, { values: Float64Array.from(ids, () => random.below(1_000_000) / 100) }, { values: Array.from(ids, () => statuses[random.below(5)]!) },
      ],
    }
  })
}

const valuesText = (rows: readonly EngineRow[]): string => rows.map((row) => `(${row.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(', ')})`).join(', ')

export async function* measure(options: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const inputs = statementColumns(options.smoke ? 2 : 200)
  const rows = inputs.map(rowsOfColumns)
  const texts = rows.map((each) => `INSERT INTO facts VALUES ${valuesText(each)}`)
  const table = (engine: Engine) => engine.table('facts')!
  const sqlOver = (engine: Engine) => createSql(engine)
  const contestants = [
    contestant('INSERT text', texts.length, (engine) => {
      const sql = sqlOver(engine)
      return (i) => sql.query(texts[i]!)
    }),
    contestant('INSERT text, by rows', texts.length, (engine) => {
      const sql = sqlOver(Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(engine), insertText: { value: () => Promise.resolve(undefined) } }) as Engine)
      return (i) => sql.query(texts[i]!)
    }),
    contestant('engine rows', texts.length, (engine) => (i) => engine.insert(table(engine), rows[i]!, 'insert')),
    contestant('columns', texts.length, (engine) => (i) => engine.insertColumns(table(engine), inputs[i]!, 'insert')),
  ]
  yield await measureContestants('engine/load rows', contestants, options.smoke ? 1 : 5)
}

function contestant(name: string, statements: number, prepare: (engine: Engine) => (statement: number) => Promise<unknown>): Contestant {
  return {
    name,
    async run() {
      const engine = await openFacts()
      const write = prepare(engine)
      const startMs = performance.now()
      for (let i = 0; i < statements; i++) await write(i)
      const elapsedMs = performance.now() - startMs
      const [result] = await createSql(engine).query('SELECT COUNT(*), SUM(id), SUM(ts), SUM(user_id), SUM(amount), MIN(region), MAX(status) FROM facts')
      await engine.close()
      return { elapsedMs, operations: statements * rowsEach, answer: answerHash(JSON.stringify(result!.rows)) }
    },
  }
}

async function openFacts(): Promise<Engine> {
  const settings = { ...defaultDatabaseSettings, workers: 0, durability: 'memory' as const, tree: { ...defaultDatabaseSettings.tree, memtableBytesMax: 64 * 1024 * 1024 } }
  const engine = await openEngine({ storage: createMemoryStorage(), settings, clock: systemClock, random: seededRandom(1) })
  await createSql(engine).query('CREATE TABLE facts (id BIGINT PRIMARY KEY, ts BIGINT, user_id BIGINT, region TEXT, amount DOUBLE PRECISION, status TEXT)')
  return engine
}
