/** The built command over a real directory: what is acknowledged stays, across stops and kills; nobody shares a directory. */
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { query, startCli, withFolder } from './cli-process.ts'
import type { CliProcess } from './cli-process.ts'

const listen = ['--listen', '127.0.0.1:0']

async function serving(folder: string, args: readonly string[] = []): Promise<{ cli: CliProcess; url: string }> {
  const cli = startCli([...listen, '--data-dir', folder, ...args])
  return { cli, url: await cli.listening }
}

async function stopped(cli: CliProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
  cli.child.kill(signal)
  return await cli.exited
}

test('writes are there after a stop, and after a kill', async () => {
  await withFolder(async (folder) => {
    const first = await serving(folder)
    expect(first.cli.out()).toBe(`lsmt listening on ${first.url} (data: ${folder}, durability: sync, kernels: wasm)\n`)
    expect((await query(first.url, "INSERT INTO kv VALUES ('hello', 'world')")).status).toBe(200)
    expect((await query(first.url, 'CREATE TABLE t (id BIGINT PRIMARY KEY, n NUMERIC(10,2)); INSERT INTO t VALUES (9223372036854775807, 1.5), (-1, NULL)')).status).toBe(200)
    expect(await stopped(first.cli)).toBe(0)
    const lines = first.cli.err().trimEnd().split('\n').map((line) => JSON.parse(line) as { level: string; msg: string })
    expect(lines.map(({ level, msg }) => [level, msg.split(':')[0]])).toEqual([['info', 'listening'], ['info', 'stopping'], ['info', 'stopped']])
    const second = await serving(folder, ['--kernels', 'js'])
    expect((await query(second.url, "SELECT value FROM kv WHERE key = 'hello'")).text).toContain('"rows":[["world"]]')
    expect((await query(second.url, "INSERT INTO kv VALUES ('killed', 'kept')")).status).toBe(200)
    expect(await stopped(second.cli, 'SIGKILL')).toBe('SIGKILL')
    const third = await serving(folder)
    expect((await query(third.url, 'SELECT * FROM kv')).text).toContain('"rows":[["hello","world"],["killed","kept"]]')
    expect((await query(third.url, 'SELECT * FROM t')).text).toContain('"rows":[[-1,null],["9223372036854775807","1.50"]]')
    expect(await stopped(third.cli, 'SIGINT')).toBe(0)
    const verified = startCli(['verify', '--data-dir', folder])
    expect([await verified.exited, verified.err()]).toEqual([0, ''])
    expect(verified.out()).toMatch(/^no damage found in 8 shards, \d+ manifests, \d+ tables, \d+ log records\n$/)
  })
})

test('a second process on the same directory is told so', async () => {
  await withFolder(async (folder) => {
    const first = await serving(folder)
    for (const args of [[...listen, '--data-dir', folder], ['verify', '--data-dir', folder]]) {
      const second = startCli(args)
      expect(await second.exited).toBe(3)
      expect(second.err()).toMatch(/^lsmt: [^\n]*in use[^\n]*\n$/)
    }
    expect((await query(first.url, 'SELECT * FROM kv')).status).toBe(200)
    expect(await stopped(first.cli)).toBe(0)
  })
})

test('another number of shards is refused, none given is fine', async () => {
  await withFolder(async (folder) => {
    expect(await stopped((await serving(folder, ['--shards', '2'])).cli)).toBe(0)
    const other = startCli([...listen, '--data-dir', folder, '--shards', '3'])
    expect(await other.exited).toBe(2)
    expect(other.err()).toMatch(/^lsmt: [^\n]*2 shards[^\n]*\n$/)
    expect(await stopped((await serving(folder)).cli)).toBe(0)
  })
})

test('a directory of another format version is named, and left alone', async () => {
  await withFolder(async (folder) => {
    expect(await stopped((await serving(folder)).cli)).toBe(0)
    const path = join(folder, 'format')
    const bytes = await readFile(path)
    bytes.writeUInt16LE(99, 8)
    await writeFile(path, bytes)
    const refused = startCli([...listen, '--data-dir', folder])
    expect(await refused.exited).toBe(3)
    expect(refused.err()).toMatch(/^lsmt: [^\n]*format version 99[^\n]*\n$/)
  })
})

test('a directory that cannot be one is one clear line', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'file')
    await writeFile(file, 'x')
    const refused = startCli([...listen, '--data-dir', file])
    expect(await refused.exited).toBe(3)
    expect(refused.err()).toMatch(/^lsmt: [^\n]+\n$/)
  })
})

test('kernels that cannot be loaded are one line that says what to do', async () => {
  await withFolder(async (folder) => {
    const root = join(import.meta.dirname, '../..')
    for (const name of ['dist', 'package.json']) await cp(join(root, name), join(folder, name), { recursive: true })
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await mkdir(join(folder, 'build'))
    await writeFile(join(folder, 'build/lsmt-core.wasm'), 'not a module')
    const args = [...listen, '--data-dir', join(folder, 'data')]
    const broken = startCli(args, {}, join(folder, 'dist/main.js'))
    expect(await broken.exited).toBe(3)
    expect(broken.err()).toMatch(/^lsmt: cannot load the WebAssembly kernels from [^\n]+--kernels js[^\n]*\n$/)
    const working = startCli([...args, '--kernels', 'js'], {}, join(folder, 'dist/main.js'))
    expect((await query(await working.listening, "INSERT INTO kv VALUES ('a', 'b')")).status).toBe(200)
    expect(await stopped(working)).toBe(0)
  })
})

test('verify names the damaged file and its block', async () => {
  await withFolder(async (folder) => {
    const { cli, url } = await serving(folder, ['--shards', '1'])
    for (let round = 0; round < 20; round++) expect((await query(url, `INSERT INTO kv VALUES ('k${round}', '${'v'.repeat(100)}')`)).status).toBe(200)
    expect(await stopped(cli, 'SIGKILL')).toBe('SIGKILL')
    const [segment] = await readdir(join(folder, 'wal/0'))
    const path = join(folder, 'wal/0', segment!)
    const bytes = await readFile(path)
    bytes[bytes.indexOf('v'.repeat(100)) + 5]! ^= 1
    await writeFile(path, bytes)
    const verified = startCli(['verify', '--data-dir', folder])
    expect(await verified.exited).toBe(4)
    expect(verified.out()).toMatch(/^XX001 wal\/0\/\d{20}\.wal: [^\n]+\n1 findings in 1 shards/)
    const refused = startCli([...listen, '--data-dir', folder])
    expect(await refused.exited).toBe(4)
    expect(refused.err()).toMatch(/^lsmt: corrupt [^\n]+\n$/)
  })
})
