/** Every bench runs, tiny, and its contestants give equal answers: so that no bench rots. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { BenchRun } from '../bench/results.ts'

const root = join(import.meta.dirname, '..')
const benches = readdirSync(join(root, 'bench'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.bench.ts') && !path.includes('node_modules')).sort()

it('runs every bench in its smoke form, and writes what it measured', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lsmt-bench-results-'))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/run.ts', '--smoke', '--results', folder], { cwd: root, maxBuffer: 64 * 1024 * 1024 })
    const { runs } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as { readonly runs: readonly BenchRun[] }
    expect(runs.map(({ file }) => file).sort()).toEqual(benches)
    expect(runs.filter(({ measurements, notes }) => measurements.length + notes.length === 0)).toEqual([])
    const table = readFileSync(join(folder, 'RESULTS.md'), 'utf8')
    for (const { bench, contestant, answerHash } of runs.flatMap(({ measurements }) => measurements)) {
      expect(stdout).toContain(answerHash)
      expect(table).toContain(`| ${bench} | ${contestant} |`)
    }
    for (const { note } of runs.flatMap(({ notes }) => notes).filter(({ missing }) => missing !== undefined)) expect(stdout).toContain(note)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 600_000)
