/** What `lsmt serve` does when nothing is said, and that a checkout and an install are started alike. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import { endingWithFile } from '../../child-process.ts'
import { query, runCli, startCli, withFolder } from '../cli-process.ts'
import { parsedHere } from './program-here.ts'

const root = join(import.meta.dirname, '../../..')

test('the table of defaults', async () => {
  const serve = await parsedHere('serve', [])
  const flags = serve.opts<Record<string, unknown>>()
  expect(flags).toMatchObject({ listen: { host: '127.0.0.1', port: 8080 }, dataDir: './data', storage: 'local', shards: 8, durability: 'sync', kernels: 'wasm', auth: true })
  for (const name of ['authTokenFile', 'tlsCert', 'tlsKey', 'nodeId', 'etcd', 'bucket']) expect(flags[name], name).toBeUndefined()
  const help = serve.helpInformation().replaceAll(/\s+/g, ' ')
  for (const [flag, shown] of [['--listen', '127.0.0.1:8080'], ['--data-dir', './data'], ['--storage', 'local'], ['--shards', '8'], ['--durability', 'sync'], ['--kernels', 'wasm']] as const) {
    expect(help.slice(help.indexOf(`${flag} <`))).toMatch(new RegExp(`^[^(]*\\([^)]*default: "?${shown.replaceAll('.', '\\.')}`))
  }
})

test('it listens on port 8080 of 127.0.0.1, or says who has it', async () => {
  await withFolder(async (folder) => {
    const cli = startCli(['--data-dir', folder])
    const said = await cli.listening.catch(() => cli.err())
    expect(said).toMatch(/^http:\/\/127\.0\.0\.1:8080$|^lsmt: port 8080 on 127\.0\.0\.1 is in use by another process$/m)
    cli.child.kill('SIGTERM')
    await cli.exited
  })
})

test('the embedded package, the server and the command line are one database', async () => {
  await withFolder(async (dataDir) => {
    const db = await open({ dataDir, workers: 0 })
    await db.table('kv').put({ key: 'embedded', value: '1' })
    await db.close()
    expect((await runCli(['sql', '--data-dir', dataDir, '-e', "INSERT INTO kv VALUES ('command line', '2')"])).code).toBe(0)
    const cli = startCli(['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir])
    const { text } = await query(await cli.listening, "INSERT INTO kv VALUES ('server', '3'); SELECT * FROM kv ORDER BY value")
    expect(text).toContain('"rows":[["embedded","1"],["command line","2"],["server","3"]]')
    cli.child.kill('SIGTERM')
    expect(await cli.exited).toBe(0)
  })
})

test('npm start -- --data-dir ./data is lsmt serve --data-dir ./data', async () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> }
  expect(scripts['prestart'], 'a checkout is built first').toBe('npm run --silent build')
  await withFolder(async (folder) => {
    // The build is there already: another one beside tests would take it away from them.
    const args = ['start', '--ignore-scripts', '--', '--data-dir', join(folder, 'data'), '--listen', '127.0.0.1:0']
    const npm = endingWithFile(spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], detached: true }))
    // The output ends with the last of the processes that share it.
    const exited = new Promise((resolve) => npm.once('close', resolve))
    try {
      let out = ''
      const url = await new Promise<string>((resolve, reject) => {
        npm.stdout.on('data', (bytes: Buffer) => {
          out += bytes.toString()
          const said = new RegExp(`^lsmt listening on (\\S+) \\(data: ${join(folder, 'data')}, durability: sync, kernels: wasm\\)$`, 'm').exec(out)
          if (said !== null) resolve(said[1]!)
        })
        void exited.then(() => reject(new Error(`npm start ended: ${out}`)))
      })
      expect((await query(url, "SELECT COUNT(*) FROM kv")).status).toBe(200)
    } finally {
      // npm and what it started.
      process.kill(-npm.pid!, 'SIGTERM')
      await exited
    }
  })
})
