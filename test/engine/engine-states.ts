/** Rows with all that is awkward in values, brought into an engine so that every way of reading meets them. */
import type { Engine, EngineRow } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { newTable } from './engine-fixtures.ts'

/** Ordinals of the table. */
export const id = 0, region = 1, user = 2, amount = 3, note = 4, bytes = 5
export const rows: readonly EngineRow[] = Array.from({ length: 400 }, (_, i) => [
  i,
  i % 9 === 0 ? null : `region ${i % 7}`,
  i % 11 === 0 ? null : i % 5 === 0 ? BigInt(i % 3) * 2n ** 61n || 0 : i % 13,
  i % 8 === 0 ? null : i % 17 === 0 ? NaN : i % 19 === 0 ? -0 : i % 19 === 1 ? 0 : (i % 23) / 4,
  i % 6 === 0 ? null : `${'same prefix '.repeat(i % 3)}${i % 31}`,
  i % 4 === 0 ? null : Buffer.from([i % 5, 0, i % 2]),
])

/** The rows as they may lie. */
export const states: readonly (readonly [string, (engine: Engine, table: TableSchema) => Promise<void>])[] = [
  ['in memtables', async (engine, table) => void (await engine.insert(table, rows, 'insert'))],
  ['flushed', async (engine, table) => {
    await engine.insert(table, rows, 'insert')
    await engine.flush()
  }],
  ['compacted', async (engine, table) => {
    await engine.insert(table, rows.slice(0, 250), 'insert')
    await engine.flush()
    await engine.insert(table, rows.slice(200), 'upsert')
    await engine.compact()
  }],
  ['in files and memtables that overlap', async (engine, table) => {
    await engine.insert(table, rows.slice(0, 150).map((row) => row.with(region, 'old').with(amount, 7)), 'insert')
    await engine.flush()
    await engine.insert(table, [...rows.slice(0, 300), [900, 'to be deleted', 1, 1, 'x', null]], 'upsert')
    await engine.flush()
    await engine.insert(table, rows.slice(290), 'upsert')
    await engine.update(table, [[900]], () => 'delete')
  }],
]

export const createStatesTable = (engine: Engine): Promise<TableSchema> => engine.createTable(newTable('t', { id: 'bigint', region: 'text', user: 'bigint', amount: 'double', note: 'text', bytes: 'bytea' }, ['id']))
