/** What `npm pack` ships is all that a user needs: installed elsewhere, `open()` works and the command line answers. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

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

it('ships no native addon, no install script, no source map and no source', async () => {
  const home = join(elsewhere, 'node_modules', 'lsmt')
  const files = await readdir(home, { recursive: true })
  expect(files.filter((name) => /\.(node|gyp|map|mts)$/.test(name) || /(?<!\.d)\.ts$/.test(name))).toEqual([])
  expect(files).toContain(join('build', 'lsmt-core.wasm'))
  const { scripts } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
})

it('answers --help from the installed package', async () => {
  const { stdout } = await run(process.execPath, [join(elsewhere, 'node_modules', 'lsmt', 'dist', 'main.js'), '--help'])
  expect(stdout).toContain('serve')
})
