/** Commands that look at a database and keep it in order: inspect, status, compact, bench. */
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runHere, serveHere } from './cli-in-process.ts'
import { query, withFolder } from './cli-process.ts'

async function onlyFile(folder: string): Promise<string> {
  return join(folder, (await readdir(folder)).sort().at(-1)!)
}

test('inspect shows table files, logs, manifests and the format, as text and as JSON', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    const server = await serveHere(data)
    expect((await query(server.url, `CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, n DOUBLE PRECISION); INSERT INTO t VALUES ${Array.from({ length: 500 }, (_, i) => `(${i - 10}, ${i === 3 ? 'NULL' : `'n${i % 7}'`}, ${i / 4})`).join(',')}`)).status).toBe(200)
    await server.stop()
    expect((await runHere(['compact', '--data-dir', data])).out).toMatch(/^\d+ files of \d+ bytes became \d+ files of \d+ bytes\n$/)
    const manifest = await runHere(['inspect', await onlyFile(join(data, 'manifest/0'))])
    expect(manifest.out).toMatch(/manifest \d+ of shard 0, writer epoch \d+, flushed to sequence \d+[^]*level \d+: file \d+, \d+ bytes, \d+ rows, keys -\d+ to \d+, sequences/)
    const parsed = JSON.parse((await runHere(['inspect', '--json', await onlyFile(join(data, 'manifest/0'))])).out) as { readonly tables: readonly { readonly levels: readonly (readonly { readonly fileNumber: number; readonly rowCount: number }[])[] }[] }
    const largest = parsed.tables.flatMap(({ levels }) => levels.flat()).toSorted((a, b) => b.rowCount - a.rowCount)[0]!
    const table = join(data, `sst/0/${String(largest.fileNumber).padStart(20, '0')}.sst`)
    const shown = await runHere(['inspect', table])
    expect(shown.code).toBe(0)
    expect(shown.out).toMatch(/\d+ rows, 0 of them tombstones[^]*keys \(i64\) -\d+ to \d+[^]*column 1 bytes: \d+ bytes[^]*'n0' to 'n6'; [01] nulls[^]*column 2 f64: [^]*0.\d* to \d+/)
    expect(JSON.parse((await runHere(['inspect', '--json', table])).out)).toMatchObject({ kind: 'table', meta: { rowCount: largest.rowCount }, columns: expect.arrayContaining([expect.objectContaining({ name: 1, zone: expect.objectContaining({ min: Buffer.from('n0').toString('hex') }) })]) })
    expect((await runHere(['inspect', join(data, 'format')])).out).toMatch(/database [0-9a-f]{32} of 2 shards/)
    expect(await runHere(['inspect', join(data, 'none')])).toMatchObject({ code: 3 })
  })
})

test('inspect shows the records of a log, and where it is damaged', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    await (await serveHere(data)).stop()
    expect((await runHere(['sql', '--data-dir', data], Array.from({ length: 10 }, (_, i) => `INSERT INTO kv VALUES ('${i}', 'x');`).join('\n'))).code).toBe(0)
    const segments = await Promise.all(['0', '1'].map(async (shard) => await onlyFile(join(data, 'wal', shard))))
    const shown = await runHere(['inspect', segments[0]!])
    expect(shown.out).toMatch(/shard 0, segment \d+, writer epoch \d+, after sequence \d+\n +at byte 64, \d+ bytes: sequence \d+, durable to \d+: put 16 × 1/)
    const bytes = await readFile(segments[0]!)
    bytes[64 + 40]! ^= 1
    await writeFile(segments[0]!, bytes)
    const damaged = await runHere(['inspect', '--json', segments[0]!])
    expect(damaged.code).toBe(4)
    expect(JSON.parse(damaged.out)).toMatchObject({ kind: 'log', damage: [{ byteOffset: 64 }] })
  })
})

test('status tells tables and shards of a server and of a directory', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    const server = await serveHere(data)
    const shown = await runHere(['status', '--url', server.url])
    expect(shown.out).toMatch(/^http:[^ ]+: lsmt 0\.0\.0, 1 tables: kv \(2 columns\)\n +shard \| memtable bytes/)
    expect([shown.code, shown.err]).toEqual([0, ''])
    await server.stop()
    expect(JSON.parse((await runHere(['status', '--data-dir', data, '--json'])).out)).toMatchObject({ tables: [{ name: 'kv', columns: 2 }] })
  })
})

test('a server that wants a token gets it from a file or a variable', async () => {
  await withFolder(async (folder) => {
    const tokens = join(folder, 'tokens')
    await writeFile(tokens, '# who may what\nread:first\nwrite:second\n')
    const server = await serveHere(join(folder, 'data'), ['--auth-token-file', tokens])
    const url = ['--url', server.url]
    expect(await runHere(['status', ...url])).toMatchObject({ code: 3, out: '', err: expect.stringMatching(/token/) })
    expect((await runHere(['sql', ...url, '--token-file', tokens, '-e', 'SELECT 1'])).code).toBe(0)
    expect((await runHere(['sql', ...url, '-e', "INSERT INTO kv VALUES ('a', 'b')"], '', { environment: { LSMT_TOKEN: 'second' } })).code).toBe(0)
    expect(await runHere(['sql', ...url, '--token-file', tokens, '-e', "INSERT INTO kv VALUES ('c', 'd')"])).toMatchObject({ code: 1 })
    await server.stop()
  })
})

test('bench measures, and removes what it made', async () => {
  await withFolder(async (folder) => {
    const place = join(folder, 'bench')
    const { code, out, err } = await runHere(['bench', place, '--rows', '2000', '--durability', 'memory', '--json'])
    expect([code, err]).toEqual([0, ''])
    const { measures } = JSON.parse(out) as { readonly measures: readonly { readonly what: string; readonly perSecond: number }[] }
    expect(measures.map(({ what }) => what)).toContain('point reads by SQL')
    for (const { perSecond } of measures) expect(perSecond).toBeGreaterThan(0)
    expect(await readdir(folder)).toEqual([])
    await writeFile(join(folder, 'x'), 'x')
    expect(await runHere(['bench', folder])).toMatchObject({ code: 1, err: expect.stringMatching(/is not empty/) })
  })
})

test('every command has help with an example and the exit codes', async () => {
  for (const name of ['sql', 'import', 'export', 'inspect', 'verify', 'repair', 'compact', 'backup', 'restore', 'status', 'bench']) {
    const { code, out } = await runHere([name, '--help'])
    expect([name, code]).toEqual([name, 0])
    expect(out).toMatch(new RegExp(`Examples?:\\n .*lsmt ${name}`))
    expect(out).toContain('Exit codes: 0 done')
    expect(await runHere([name, '--nope'])).toMatchObject({ code: 2, err: expect.stringMatching(/unknown option '--nope'/) })
  }
})
