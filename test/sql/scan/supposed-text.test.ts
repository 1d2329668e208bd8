/** Which texts are supposed to end with tuples, and that a wrong supposition leaves no trace. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { createSql, defaultSqlSettings } from '../../../src/sql/sql.ts'
import { prepareLong } from '../../../src/sql/scan/supposed-text.ts'
import { scanStatements } from '../../../src/sql/scan/shape.ts'
import { openModelEngine } from '../../engine/model-engine.ts'

const head = "INSERT INTO t (a, b) VALUES (1, 'x')"

describe('a long text', () => {
  test.each([`${head}, (2, 'y')`, `${head}, (2, 'y');`, `${head},(2, 'y') \n; \t`, `${head}, (2, 1 + 1)`, `${head}, (2 2), ('y')`, `${head} RETURNING a, (b)`, `${head}, ('open)`])('is supposed to end with tuples: %s', (text) => {
    const { count, supposed } = prepareLong(text)
    const { shape, tupleText, slots } = supposed!
    expect([count, shape, text.slice(tupleText!.start, tupleText!.end)]).toEqual([1, 'insert into t ( a , b ) values ( ? , ? )', text.slice(27, text.lastIndexOf(')') + 1)])
    expect(slots.values).toEqual([1, 'x'])
  })

  test.each([
    '', ';', ')', ',)', '(', head, `${head};`, `${head}, (2, now())`, `${head} RETURNING (a)`, `${head}, (2, 'y') RETURNING a`, `${head}, (2, 'y') -- end`, `${head}, (2, ';')`, `${head}, (2, 'y'); SELECT 1`, `SELECT 1; ${head}, (2, 'y')`,
    `EXPLAIN ${head}, (2, 'y')`, 'INSERT INTO t VALUES ($1, 2), (3, 4)', 'INSERT INTO t VALUES (1 + 1, 2), (3, 4)', 'INSERT INTO t SELECT a, (b) FROM u, (SELECT 1)', 'SELECT a FROM t, (SELECT 1)', 'SELECT * FROM t WHERE (a, b) IN ((1, 2), (3, 4), (5, 6), (7, 8))',
  ])('is scanned as it is: %s', (text) => {
    const { count, statements, supposed } = prepareLong(text)
    expect([supposed, statements, count]).toEqual([undefined, scanStatements(text), statements.length])
  })
})

describe('a statement that was not as it was supposed to be', () => {
  let engine: Engine
  const tuples = Array.from({ length: 400 }, (_, i) => `(${i}, 'value ${i}')`).join(', ')
  beforeEach(async () => {
    engine = openModelEngine()
    await createSql(engine).query('CREATE TABLE t (a INT PRIMARY KEY, b TEXT DEFAULT \'d\')')
  })
  afterEach(() => engine.close())

  test('is planned and counted as it is', async () => {
    const sql = createSql(engine)
    expect(tuples.length).toBeGreaterThan(defaultSqlSettings.shapeCharactersMax)
    const [{ rows, rowCount } = { rows: [], rowCount: 0 }] = await sql.query(`INSERT INTO t VALUES ${tuples} RETURNING b, (a)`)
    expect([rowCount, rows?.length, rows?.[399]]).toEqual([400, 400, ['value 399', 399]])
    expect(sql.stats.statements).toEqual({ insert: 1 })
  })

  test('fails by its own fault, before that of the supposed one', async () => {
    const sql = createSql(engine)
    await expect(sql.query(`INSERT INTO nowhere VALUES ${tuples}, (1, 'open)`)).rejects.toMatchObject({ code: '42601' })
    await expect(sql.query(`INSERT INTO nowhere VALUES ${tuples}, (1, 'x')`)).rejects.toMatchObject({ code: '42P01', evidence: { position: 13 } })
    await expect(sql.query(`INSERT INTO t VALUES ${tuples}, (1 1, 'x')`)).rejects.toMatchObject({ code: '42601' })
    await expect(sql.query(`INSERT INTO t VALUES ${tuples}, (1000, 'x')`, [], { mayWrite: false })).rejects.toMatchObject({ code: '42501' })
    expect((await sql.query('SELECT count(*) FROM t'))[0]!.rows).toEqual([[0]])
  })
})
