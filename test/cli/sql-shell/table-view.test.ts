import { expect, test } from 'vitest'
import { displayWidth } from '../../../src/cli/sql-shell/display-width.ts'
import { resultsText, viewLines } from '../../../src/cli/sql-shell/show-answer.ts'
import { createTableView } from '../../../src/cli/sql-shell/table-view.ts'

test('columns are as wide as what they show, numbers stand to the right', () => {
  const view = createTableView([{ name: 'n', type: 'NUMERIC(6,2)' }, { name: '名前', type: 'TEXT' }, { name: 'raw', type: 'BYTEA' }])
  view.add(['-1.50', '日本\n', 'AP8='])
  view.add([null, 'é👍', null])
  expect(`\n${view.end()}`).toBe(`
            n | 名前   | raw
 NUMERIC(6,2) | TEXT   | BYTEA
--------------+--------+--------
        -1.50 | 日本\\n | \\x00ff
         NULL | é👍    | NULL
`)
})

test('width is what a terminal shows', () => {
  expect(['', 'abc', 'é', 'e\u0301', '日本', '👍🏽', '한', 'ﾊ', '\u200b'].map(displayWidth)).toEqual([0, 3, 1, 1, 4, 2, 2, 1, 0])
})

test('more rows than are measured come as they are', async () => {
  let shown = ''
  const view = viewLines('SELECT', async (text) => { shown += text })
  await view.write('{"columns":[{"name":"a","type":"TEXT"}]}\n')
  for (let i = 0; i < 1000; i++) await view.write('["x"]\n')
  expect(shown.length).toBeGreaterThan(3000)
  await view.write(Buffer.from('["wider than all"]\n{"end":{"rowCount":1001}}\n'))
  await view.end()
  expect(shown.endsWith(' x\n wider than all\n(1001 rows)\n')).toBe(true)
})

test('an answer that breaks off, or ends in an error, is an error', async () => {
  const broken = viewLines('SELECT', async () => {})
  await broken.write('{"columns":[{"name":"a","type":"TEXT"}]}\n["x"]\n')
  await expect(broken.end()).rejects.toMatchObject({ code: '08006' })
  const failed = viewLines('SELECT', async () => {})
  await expect(failed.write('{"columns":[]}\n{"error":{"code":"22012","message":"division by zero"}}\n')).rejects.toMatchObject({ code: '22012' })
})

test('statements of a transaction are shown one after the other', () => {
  const nothing = { columns: [], rows: [], rowCount: 0 }
  expect(resultsText(JSON.stringify({ results: [nothing, { ...nothing, rowCount: 2 }, { columns: [{ name: 'a', type: 'TEXT' }], rows: [['x']], rowCount: 1 }, nothing] }), ['BEGIN', 'INSERT', 'SELECT', 'COMMIT']))
    .toBe('BEGIN\nINSERT 2\n a\n TEXT\n------\n x\n(1 row)\nCOMMIT\n')
})
