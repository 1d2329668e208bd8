/** Every bench runs, tiny, and its contestants give equal answers: so that no bench rots. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const benches = ['kernel', 'engine', 'key-value', 'key-value/ycsb', 'sql', 'http', 'cluster'].flatMap((room) => readdirSync(join(root, 'bench', room)).filter((name) => name.endsWith('.bench.ts')).map((name) => `${room}/${name.replace('.bench.ts', '')}`))

it('runs every bench in its smoke form', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/run.ts', '--smoke'], { cwd: root, maxBuffer: 64 * 1024 * 1024 })
  const ran = new Set(stdout.split('\n').map((line) => line.split(' ')[0]!.split('/').slice(0, 2).join('/')))
  expect(benches.filter((bench) => bench.startsWith('kernel/') && !ran.has(bench))).toEqual([])
  for (const room of ['engine', 'key-value', 'sql', 'http', 'cluster']) expect([...ran].filter((name) => name.startsWith(`${room}/`)).length).toBeGreaterThan(0)
}, 300_000)
