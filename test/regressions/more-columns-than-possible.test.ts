/** CREATE TABLE of more columns than a table can have was parsed for seconds, in which nobody else was served, before it was refused. */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

const columns = (count: number, type: string): string => Array.from({ length: count }, (_, i) => `c${i} ${type}`).join(', ')

test('columns are counted before anything of them is read', async () => {
  const sql = createSql(openModelEngine())
  await expect(sql.query(`CREATE TABLE t (${columns(5_000, 'NOTYPE')})`)).rejects.toMatchObject({ code: '22023', message: 'a table has at most 4096 columns, the statement defines 5000' })
  await expect(sql.query(`CREATE TABLE t (${columns(300, 'NUMERIC(18, 2)')}, PRIMARY KEY (${Array.from({ length: 300 }, (_, i) => `c${i}`).join(', ')}))`)).resolves.toMatchObject([{ kind: 'schema' }])
})
