/** `lsmt import` and `lsmt export` as processes: files and pipes, errors by line, exit codes. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, runCli, withFolder } from './cli-process.ts'

const table = 'CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT NOT NULL, n NUMERIC(10,2))'

test('a file is imported, wrong lines refuse it or are left out', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    await makeDatabase(data, table)
    const good = join(folder, 'good.csv'), bad = join(folder, 'bad.csv')
    await writeFile(good, 'id,name,n\n1,"a, b",1.5\n2,"",\n')
    await writeFile(bad, 'id,name,n\n3,c,x\n4,d,4\n5,,5\n2,again,0\n')
    const imported = await runCli(['import', 't', good, '--data-dir', data])
    expect([imported.code, imported.err]).toEqual([0, ''])
    expect(imported.out).toMatch(/^2 rows imported in \d+\.\d\d s \(\d+ rows\/s\)\n$/)
    expect(await runCli(['import', 't', bad, '--data-dir', data])).toEqual({
      code: 1, out: '',
      err: 'line 2, column n: "x" is not a value of type NUMERIC(10,2) (22P02)\nline 4, column name: null value in column "name" of table "t" (23502)\nlsmt: nothing was imported: 2 lines are wrong (--on-error skip leaves wrong lines out)\n',
    })
    const skipped = await runCli(['import', 't', '-', '--data-dir', data, '--format', 'csv', '--on-error', 'skip', '--json'], 'id,name,n\n3,c,x\n4,d,4\n2,again,0\n')
    expect([skipped.code, skipped.err]).toEqual([0, ''])
    expect(JSON.parse(skipped.out)).toMatchObject({ isWritten: true, rowsWritten: 1, linesFailed: 2, errors: [{ line: 2, column: 'n' }, { line: 4, code: '23505' }] })
  })
})

test('what cannot be imported says why, with the exit code of its kind', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    expect(await runCli(['import', 't', join(folder, 'none.csv'), '--data-dir', data])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: cannot open .*none\.csv/) })
    expect(await runCli(['import', 't', '--format', 'csv', '--data-dir', data])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: there is no database in /) })
    expect(await runCli(['import', 't', '--data-dir', data])).toMatchObject({ code: 2, err: expect.stringMatching(/give --format/) })
    expect(await runCli(['import', 't', '--format', 'csv', '--url', 'http://127.0.0.1:9'])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: cannot reach http:\/\/127\.0\.0\.1:9: /) })
    expect(await runCli(['import', 't', '--format', 'csv', '--url', 'x'])).toMatchObject({ code: 2 })
    expect((await runCli(['import', '--help'])).out).toContain('lsmt import trips trips.csv')
  })
})
