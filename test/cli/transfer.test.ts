/** `lsmt import` and `lsmt export` as processes: files and pipes, errors by line, exit codes. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Table, tableFromIPC, tableToIPC, vectorFromArray } from 'apache-arrow'
import { expect, test } from 'vitest'
import { startProgress } from '../../src/cli/transfer/progress.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { openServer } from '../../src/cli/target/server-connection.ts'
import { runHere, serveHere } from './cli-in-process.ts'
import { makeDatabase, query, runCli, withFolder } from './cli-process.ts'

const table = 'CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT NOT NULL, n NUMERIC(10,2))'

test('a file is imported, wrong lines refuse it or are left out', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    await makeDatabase(data, table)
    const good = join(folder, 'good.csv'), bad = join(folder, 'bad.csv')
    await writeFile(good, 'id,name,n\n1,"a, b",1.5\n2,"",\n')
    await writeFile(bad, 'id,name,n\n3,c,x\n4,d,4\n5,,5\n2,again,0\n')
    const imported = await runHere(['import', 't', good, '--data-dir', data])
    expect([imported.code, imported.err]).toEqual([0, ''])
    expect(imported.out).toMatch(/^2 rows imported in \d+\.\d\d s \(\d+ rows\/s\)\n$/)
    expect(await runHere(['import', 't', bad, '--data-dir', data])).toEqual({
      code: 1, out: '',
      err: 'line 2, column n: "x" is not a value of type NUMERIC(10,2) (22P02)\nline 4, column name: null value in column "name" of table "t" (23502)\nlsmt: nothing was imported: 2 lines are wrong (--on-error skip leaves wrong lines out)\n',
    })
    const skipped = await runCli(['import', 't', '-', '--data-dir', data, '--format', 'csv', '--on-error', 'skip', '--json'], 'id,name,n\n3,c,x\n4,d,4\n2,again,0\n')
    expect([skipped.code, skipped.err]).toEqual([0, ''])
    expect(JSON.parse(skipped.out)).toMatchObject({ isWritten: true, rowsWritten: 1, linesFailed: 2, errors: [{ line: 2, column: 'n' }, { line: 4, code: '23505' }] })
  })
})

test('a server that is not there is 08006', async () => {
  await expect(openServer('http://127.0.0.1:9', undefined).status()).rejects.toMatchObject({ code: '08006' })
})

test('what cannot be imported says why, with the exit code of its kind', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    expect(await runHere(['import', 't', join(folder, 'none.csv'), '--data-dir', data])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: cannot open .*none\.csv: there is no such file\n$/) })
    expect(await runHere(['import', 't', '--format', 'csv', '--data-dir', data])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: there is no database in /) })
    expect(await runHere(['import', 't', '--data-dir', data])).toMatchObject({ code: 2, err: expect.stringMatching(/give --format/) })
    expect(await runHere(['import', 't', '--format', 'csv', '--url', 'http://127.0.0.1:9'])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: cannot reach http:\/\/127\.0\.0\.1:9: /) })
    expect(await runHere(['import', 't', '--format', 'csv', '--url', 'x'])).toMatchObject({ code: 2 })
    expect((await runHere(['import', '--help'])).out).toContain('lsmt import trips trips.csv')
  })
})

test('what was exported is what is imported again, in every format, of a directory and of a server', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    const server = await serveHere(data)
    for (const sql of [table, table.replace('TABLE t', 'TABLE csv'), table.replace('TABLE t', 'TABLE jsonl'), "INSERT INTO t VALUES (1, 'a, \"b\"', 1.5), (2, '', NULL), (9223372036854775807, 'ü\n', -0.01)"]) expect((await query(server.url, sql)).status).toBe(200)
    const url = ['--url', server.url]
    const exported = await runHere(['export', 't', ...url])
    expect(exported).toEqual({ code: 0, out: 'id,name,n\r\n1,"a, ""b""",1.50\r\n2,"",\r\n9223372036854775807,"ü\n",-0.01\r\n', err: '' })
    const arrow = join(folder, 't.arrow')
    expect((await runHere(['export', '--query', 'SELECT id, name FROM t ORDER BY id', arrow, ...url])).code).toBe(0)
    expect(tableFromIPC(await readFile(arrow)).toArray().map((row) => (row as { readonly id: bigint }).id)).toEqual([1n, 2n, 9223372036854775807n])
    expect(await runHere(['export', 'nope', ...url])).toEqual({ code: 1, out: '', err: 'lsmt: table "nope" does not exist at character 15 (SHOW TABLES lists those that do)\n' })
    await server.stop()
    for (const format of ['csv', 'jsonl']) {
      const file = join(folder, `t.${format}`)
      expect(await runHere(['export', 't', file, '--data-dir', data])).toEqual({ code: 0, out: '', err: '' })
      expect((await runHere(['import', format, file, '--data-dir', data])).code).toBe(0)
      expect(await runHere(['export', format, '--data-dir', data])).toEqual(exported)
      expect(await runHere(['export', 't', file, '--data-dir', data])).toMatchObject({ code: 1, err: expect.stringMatching(/exists/) })
      expect((await runHere(['export', 't', file, '--data-dir', data, '--force'])).code).toBe(0)
    }
  })
})

test('an import goes through a server', async () => {
  await withFolder(async (folder) => {
    const server = await serveHere(join(folder, 'data'))
    await fetch(`${server.url}/query`, { method: 'POST', body: 'CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT NOT NULL)' })
    const load = (input: string, ...args: string[]): ReturnType<typeof runHere> => runHere(['import', 't', '--url', server.url, '--format', 'csv', '--json', ...args], input)
    expect(JSON.parse((await load('id;name\n1;a\n2;b\n', '--delimiter', ';')).out)).toMatchObject({ isWritten: true, rowsWritten: 2, linesFailed: 0, errors: [] })
    const refused = await load('3,c\nx,d\n', '--no-header')
    expect([refused.code, JSON.parse(refused.out)]).toMatchObject([1, { isWritten: false, rowsWritten: 0, linesFailed: 1, errors: [{ line: 2, column: 'id', code: '22P02', reason: '"x" is not a value of type BIGINT' }] }])
    expect(JSON.parse((await load('id,name\n1,again\n4,d\n', '--on-error', 'skip')).out)).toMatchObject({ isWritten: true, rowsWritten: 1, linesFailed: 1, errors: [{ line: 2, code: '23505' }] })
    expect(JSON.parse((await load('id,name\n1,again\n', '--on-conflict', 'replace')).out)).toMatchObject({ isWritten: true, rowsWritten: 1 })
    expect((await load('id,nope\n')).err).toContain('names column "nope"')
    for (const target of ['server', 'directory']) {
      if (target === 'directory') await server.stop()
      const args = ['import', 't', '--format', 'csv', '--json', '--idempotency-key', target, ...(target === 'server' ? ['--url', server.url] : ['--data-dir', join(folder, 'data')])]
      const outcomes = [await runHere(args, `id,name\n${target.length},once\n`), await runHere(args, `id,name\n${target.length},once\n`)]
      expect(outcomes.map(({ out }) => JSON.parse(out) as unknown)).toMatchObject([{ rowsWritten: 1 }, { rowsWritten: 1 }])
    }
  })
})

test('progress is told on a terminal only', async () => {
  const shown = async (isTTY: boolean): Promise<string> => {
    const stream = Object.assign(new PassThrough(), { isTTY, cursorTo() {}, clearLine() {}, moveCursor() {}, columns: 100 })
    let nowMs = 0
    const progress = startProgress(stream, { ...systemClock, monotonicMs: () => nowMs }, 10_000_000, 'bytes')
    nowMs = 2_000
    progress.update(4_000_000)
    await new Promise((resolve) => setTimeout(resolve, 300))
    progress.stop()
    return String((stream.read() as Buffer | null) ?? '')
  }
  expect(await shown(true)).toContain('40 % of 10.0 MB, 2.0 MB/s, 3 s left')
  expect(await shown(false)).toBe('')
})

test('what Arrow holds is imported again to the digit; what is no Arrow, or of a type no column has, is refused', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data'), file = join(folder, 'all.arrow')
    const columns = '(id BIGINT PRIMARY KEY, s SMALLINT, n NUMERIC(18,4), d DOUBLE PRECISION, ok BOOLEAN, at TIMESTAMP, day DATE, raw BYTEA, name TEXT)'
    const server = await serveHere(data)
    for (const sql of [`CREATE TABLE a ${columns}`, `CREATE TABLE b ${columns}`, `CREATE TABLE c (list TEXT)`, "INSERT INTO a VALUES (9223372036854775807, -3, -12345678901234.5678, 'NaN', true, '2026-01-05T10:00:00.123456Z', '2026-01-05', '\\x00ff', 'ü'), (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, 7, 0.0001, 1e300, false, '1969-12-31T23:59:59.999999Z', '0001-01-01', '', '')"]) expect((await query(server.url, sql)).status).toBe(200)
    await server.stop()
    expect((await runHere(['export', 'a', file, '--data-dir', data])).code).toBe(0)
    expect(await runHere(['import', 'b', file, '--data-dir', data, '--json'])).toMatchObject({ code: 0, out: expect.stringMatching(/"rowsWritten":3/) })
    expect((await runHere(['export', 'b', '--data-dir', data])).out).toBe((await runHere(['export', 'a', '--data-dir', data])).out)
    expect(await runHere(['import', 'b', '--format', 'arrow', '--data-dir', data], 'no arrow at all')).toMatchObject({ code: 1, err: expect.stringMatching(/^lsmt: this is no Arrow stream/) })
    const lists = tableToIPC(new Table({ list: vectorFromArray([[1, 2]]) }), 'stream')
    expect(await runHere(['import', 'c', '--format', 'arrow', '--data-dir', data], lists)).toMatchObject({ err: expect.stringMatching(/column "list" is of Arrow's type List<.*not supported/) })
    expect(await runHere(['import', 'b', file, '--data-dir', data])).toMatchObject({ code: 1, err: expect.stringMatching(/line 1: duplicate key/) })
  })
})
