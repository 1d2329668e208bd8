/** Statements of several rows, shards and tables under crashes, and what must be found of them afterwards. */
import { expect } from 'vitest'
import type { Engine, EngineRow } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import type { Random } from '../../src/runtime/random.ts'
import { newTable, scanAll, toColumns } from './engine-fixtures.ts'

const rowsPerStatement = 6

/** What is known of the statements so far. */
export interface Ledger {
  next: number
  readonly acknowledged: Set<number>
  /** Decided by an earlier recovery. */
  readonly there: Set<number>
  readonly gone: Set<number>
}

export function createLedger(): Ledger {
  return { next: 1, acknowledged: new Set(), there: new Set(), gone: new Set() }
}

/** Before the first statement. */
export async function openTables(engine: Engine): Promise<void> {
  await engine.createTable(newTable('other', { key: 'text', value: 'text' }, ['key']))
  await engine.flush()
}

/** The statement's rows over two tables, by several writes; some of them are taken back. */
async function writeInTransaction(engine: Engine, random: Random, rows: readonly EngineRow[]): Promise<void> {
  const [kv, other] = tablesOf(engine)
  const transaction = await engine.begin(() => [kv, other])
  try {
    await transaction.insert(kv, rows.slice(0, 1), 'insert')
    const savepoint = transaction.savepoint()
    if (random.below(3) === 0) {
      await transaction.deleteRange(other, undefined, undefined)
      transaction.rollbackTo(savepoint)
    }
    const middle = 1 + random.below(rows.length)
    await transaction.insert(other, rows.slice(1, middle), 'upsert')
    await transaction.insert(kv, rows.slice(middle), 'insert')
    await transaction.update(other, rows.slice(1, middle).map((row) => [row[0]!]), (row) => row)
    await transaction.commit()
  } finally {
    transaction.rollback()
  }
}

const tablesOf = (engine: Engine): readonly [TableSchema, TableSchema] => [engine.table('kv')!, engine.table('other')!]

/** Six writers until everything fails them. */
export async function writeUntilCrash(engine: Engine, random: Random, ledger: Ledger): Promise<void> {
  const kv = engine.table('kv')!
  const writer = async (): Promise<void> => {
    for (;;) {
      const statement = ledger.next++
      const rows = Array.from({ length: 1 + random.below(rowsPerStatement) }, (_, i) => [`${statement}/${i}`, String(statement)])
      for (let i = rows.length; i < rowsPerStatement; i++) rows.push([`${statement}/${i}`, String(statement)])
      if (random.below(3) === 0) await writeInTransaction(engine, random, rows)
      else if (statement % 2 === 0) await engine.insert(kv, rows, random.below(2) === 0 ? 'insert' : 'upsert')
      else await engine.insertColumns(kv, toColumns(rows, 2), random.below(2) === 0 ? 'insert' : 'upsert')
      ledger.acknowledged.add(statement)
      if (random.below(40) === 0) await engine.flush()
    }
  }
  const results = await Promise.allSettled(Array.from({ length: 6 }, writer))
  for (const result of results) if (result.status === 'rejected' && !(result.reason instanceof LsmtError)) throw result.reason
}

/** Statements are whole or not there, as before once that was seen; `keepsAcknowledged`: those that were acknowledged are there. */
export async function judge(engine: Engine, ledger: Ledger, keepsAcknowledged: boolean): Promise<void> {
  const found = new Map<number, number>()
  const rows = await Promise.all(tablesOf(engine).map((table) => scanAll(engine, table)))
  for (const [key, value] of rows.flat()) {
    expect(String(key).split('/')[0]).toBe(value)
    found.set(Number(value), (found.get(Number(value)) ?? 0) + 1)
  }
  for (let statement = 1; statement < ledger.next; statement++) {
    const count = found.get(statement) ?? 0
    expect([0, rowsPerStatement], `rows of statement ${statement}`).toContain(count)
    if (keepsAcknowledged && (ledger.acknowledged.has(statement) || ledger.there.has(statement))) expect(count, `statement ${statement} was acknowledged or there`).toBe(rowsPerStatement)
    if (ledger.gone.has(statement)) expect(count, `statement ${statement} was gone`).toBe(0)
    ;(count === 0 ? ledger.gone : ledger.there).add(statement)
  }
  expect(Math.max(0, ...found.keys())).toBeLessThan(ledger.next)
}
