/** What `npm pack` ships is all that a user needs: installed elsewhere, `open()` works and the command line answers. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { endingWithFile } from './child-process.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
let elsewhere = ''

beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), 'lsmt-package-'))
  // The build is there already: packing must not start another beside tests that use it.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', elsewhere], { cwd: root })
  const tarball = (await readdir(elsewhere)).find((name) => name.endsWith('.tgz'))!
  const home = join(elsewhere, 'node_modules', 'lsmt')
  await mkdir(home, { recursive: true })
  await run('tar', ['xzf', join(elsewhere, tarball), '-C', home, '--strip-components=1'])
  await linkDependencies(home)
})
afterAll(async () => rm(elsewhere, { recursive: true, force: true }))

/** The registry is not asked: what package.json declares is linked from this checkout, and nothing else. */
async function linkDependencies(home: string): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) {
    const link = join(elsewhere, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
}

it('opens a database from the installed package', async () => {
  await writeFile(
    join(elsewhere, 'program.mjs'),
    `import { open } from 'lsmt'
const db = await open({ dataDir: './data' })
await db.query('INSERT INTO kv VALUES ($1, $2)', ['hello', 'world'])
await db.close()
const again = await open({ dataDir: './data', workers: 1 })
await again.flush()
console.log(JSON.stringify(again.table('kv').getSync('hello')))
await again.close()`,
  )
  const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: elsewhere })
  expect(JSON.parse(stdout)).toEqual({ key: 'hello', value: 'world' })
})

it('is loaded by require() as by import', async () => {
  const program = `const { LsmtError, open } = require('lsmt')
const { LsmtLevel } = require('lsmt/level')
void (async () => {
  const same = (await import('lsmt')).LsmtError === LsmtError
  const db = await open({ storage: 'memory' })
  const level = new LsmtLevel(db)
  await level.put('hello', 'world')
  console.log(JSON.stringify([same, level.getSync('hello'), (await db.query('SELECT COUNT(*) AS n FROM level')).rows]))
  await db.close()
})()`
  await writeFile(join(elsewhere, 'program.cjs'), program)
  const { stdout, stderr } = await run(process.execPath, ['program.cjs'], { cwd: elsewhere })
  expect([JSON.parse(stdout), stderr]).toEqual([[true, 'world', [{ n: 1 }]], ''])
})

it('has declarations for both', async () => {
  const uses = (await readFile(join(root, 'test/engine/keyed/typed-table-types.ts'), 'utf8')).replaceAll('../../../src/lsmt.ts', 'lsmt')
  const level = `import { LsmtLevel } from 'lsmt/level'
export const level = new LsmtLevel<string, { a: number }>('data', { table: 't', valueEncoding: 'json' })
export const a: Promise<number | undefined> = level.get('a').then((value) => value?.a)
// @ts-expect-error -- an object is wanted
void level.put('a', 1)
`
  const files = [['a.mts', uses], ['b.cts', uses], ['c.mts', level], ['d.cts', level]] as const
  await Promise.all(files.map(([name, text]) => writeFile(join(elsewhere, name), text)))
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--target', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  for (const module of ['node16', 'nodenext']) {
    const { stdout } = await run(process.execPath, [...tsc, '--module', module, ...files.map(([name]) => name)], { cwd: elsewhere }).catch((error: { readonly stdout: string }) => error)
    expect(stdout).toBe('')
  }
}, 300_000)

it.runIf(process.env['LSMT_TEST_FULL'])('is installed by npm, with its dependencies from the registry', async () => {
  const tarball = (await readdir(elsewhere)).find((name) => name.endsWith('.tgz'))!
  const project = join(elsewhere, 'project')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "private": true }')
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', join('..', tarball)], { cwd: project })
  const { stdout } = await run(process.execPath, ['-e', "require('lsmt').open({ storage: 'memory' }).then(async (db) => { console.log((await db.query('SELECT 1 AS one')).rows[0].one); await db.close() })"], { cwd: project })
  expect(stdout.trim()).toBe('1')
})

it('ships no native addon, no install script, no source map and no source', async () => {
  const home = join(elsewhere, 'node_modules', 'lsmt')
  const files = await readdir(home, { recursive: true })
  expect(files.filter((name) => /\.(node|gyp|map|mts)$/.test(name) || /(?<!\.d)\.ts$/.test(name))).toEqual([])
  expect(files).toContain(join('build', 'lsmt-core.wasm'))
  expect(new Set(files.map((name) => name.split(sep)[0]))).toEqual(new Set(['dist', 'types', 'build', 'package.json', 'README.md', 'LICENSE', 'ARCHITECTURE.md', 'CHANGELOG.md']))
  const { scripts } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
})

it('brings no package that is a native addon or runs anything when it is installed', async () => {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean; readonly hasInstallScript?: boolean; readonly cpu?: unknown; readonly os?: unknown }>> }
  const shipped = Object.entries(packages).filter(([name, { dev }]) => name !== '' && dev !== true)
  expect(shipped.length).toBeGreaterThan(20)
  expect(shipped.filter(([, { hasInstallScript, cpu, os }]) => hasInstallScript === true || cpu !== undefined || os !== undefined).map(([name]) => name)).toEqual([])
})

it('has the command that npm puts on the path: lsmt serve --data-dir ./data', async () => {
  const home = join(elsewhere, 'node_modules', 'lsmt')
  const { bin } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { bin: { lsmt: string } }
  // As npm installs it.
  await mkdir(join(elsewhere, 'node_modules/.bin'))
  await chmod(join(home, bin.lsmt), 0o755)
  await symlink(join('../lsmt', bin.lsmt), join(elsewhere, 'node_modules/.bin/lsmt'))
  const { stdout } = await run('node_modules/.bin/lsmt', ['--help'], { cwd: elsewhere })
  expect(stdout).toContain('serve')
  const server = endingWithFile(spawn('node_modules/.bin/lsmt', ['serve', '--data-dir', './served', '--listen', '127.0.0.1:0'], { cwd: elsewhere, stdio: ['ignore', 'pipe', 'ignore'] }))
  const exited = new Promise((resolve) => server.once('close', resolve))
  const [said] = await once(server.stdout, 'data')
  const [, url] = /^lsmt listening on (\S+) \(data: \.\/served, durability: sync, kernels: wasm\)/.exec(String(said))!
  const answer = await fetch(`${url!}/query`, { method: 'POST', body: "INSERT INTO kv VALUES ('a', 'b'); SELECT value FROM kv" })
  expect(await answer.json()).toMatchObject({ results: [{ rowCount: 1 }, { rows: [['b']] }] })
  server.kill('SIGTERM')
  expect(await exited).toBe(0)
  expect(await readdir(join(elsewhere, 'served'))).toContain('format')
})
