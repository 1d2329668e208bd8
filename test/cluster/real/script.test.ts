/** `npm run cluster`, without the build: three nodes that a user starts, asks and stops, and starts again. */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { endingWithFile } from '../../child-process.ts'
import { freePorts } from '../../shared-server/shared-server.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'

const root = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'lsmt-test-script-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Script {
  readonly output: () => string
  /** Resolves when it has printed that text. */
  says(text: string): Promise<void>
  /** As Ctrl-C; resolves with its exit code. */
  stop(): Promise<number | null>
}

function startScript(...argv: readonly string[]): Script {
  const child = endingWithFile(spawn(process.execPath, ['--import', 'tsx', join(root, 'scripts/cluster.ts'), ...argv], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => { output += bytes.toString() })
  return {
    output: () => output,
    says: (text) => new Promise((resolve, reject) => {
      const look = (): void => { if (output.includes(text)) resolve() }
      for (const stream of [child.stdout, child.stderr]) stream.on('data', look)
      child.once('exit', (code) => reject(new Error(`the script ended with ${code}: ${output}`)))
      look()
    }),
    stop() {
      child.kill('SIGINT')
      return ended
    },
  }
}

async function curl(port: number, sql: string): Promise<{ readonly rows: readonly unknown[]; readonly commit?: unknown }> {
  const { stdout } = await promisify(execFile)('curl', ['-s', '-X', 'POST', `localhost:${port}/query`, '-d', sql])
  return JSON.parse(stdout) as { rows: readonly unknown[]; commit?: unknown }
}

describeEtcd('npm run cluster', () => {
  test('starts three nodes that all answer, keeps what they have, and stops them cleanly', async () => {
    const [port] = (await freePorts(1)) as [number], dataDir = join(folder, 'data')
    const script = startScript('--data-dir', dataDir, '--port', String(port), '--etcd-port', String(port + 10))
    await script.says('the cluster is ready')
    expect(await curl(port, "INSERT INTO kv VALUES ('hello','world')")).toMatchObject({ commit: { durability: 'sync', copies: 2 } })
    for (const other of [port + 1, port + 2]) expect((await curl(other, "SELECT value FROM kv WHERE key = 'hello'")).rows).toEqual([['world']])
    expect(await script.stop()).toBe(0)
    expect(script.output()).not.toContain('is killed')

    const again = startScript('--data-dir', dataDir)
    await again.says('the cluster is ready')
    for (const each of [port, port + 1, port + 2]) expect((await curl(each, "SELECT value FROM kv WHERE key = 'hello'")).rows).toEqual([['world']])
    expect(await again.stop()).toBe(0)

    const other = startScript('--data-dir', dataDir, '--etcd-members', '3')
    await expect(other.says('the cluster is ready')).rejects.toThrow(`${dataDir} was made with etcdMembers 1, not 3`)
  }, 300_000)
})
