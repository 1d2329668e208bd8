/**
 * What was measured last of each bench: results.json, and RESULTS.md made of it. A run of some benches replaces those and
 * leaves the others as they are, each with the machine and the command of its own run.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { versions } from './environment.ts'
import type { BenchNote, Measurement } from './harness.ts'
import { markdownCells, markdownColumns, megabytes } from './report.ts'

export interface BenchRun {
  /** Path in the folder of benches. */
  readonly file: string
  readonly startedAt: string
  readonly command: string
  readonly machine: string
  /** Of the minute before it began: what else the machine had to do. */
  readonly loadAverage: number
  readonly seconds: number
  /** Of the process of the bench, which has all contestants that are not processes of their own. */
  readonly peakMemoryBytes: number
  readonly measurements: readonly Measurement[]
  readonly notes: readonly BenchNote[]
}

interface Results {
  readonly versions: string
  readonly runs: readonly BenchRun[]
}

/** `every` are the benches that there are, in their order; what is kept of others goes. */
export function writeResults(folder: string, run: BenchRun, every: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'results.json')
  const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results).runs : []
  const byFile = new Map([...kept, run].map((each) => [each.file, each]))
  const results: Results = { versions: versions(), runs: every.flatMap((file) => byFile.get(file) ?? []) }
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(join(folder, 'RESULTS.md'), markdown(results))
}

function markdown({ versions: contestants, runs }: Results): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const machines = [...new Set(runs.map(({ machine }) => machine))]
  return [
    '# Measured', '',
    'Written by `npm run bench`: contestants ran in turn on one machine, the same work with the same answer. The median of rounds and their spread (largest less smallest, by the median); the ratio is how many times longer than the first of its bench a contestant took. `cpu` is what all threads of its process worked meanwhile, and its ratio. Machines are noisy, the more the higher their load: a ratio of one run says something, a time says little.', '',
    ...machines.map((machine) => `- ${machine}`), `- ${contestants}`, '',
    line(markdownColumns), line(markdownColumns.map((_, i) => (i < 2 ? '---' : '---:'))),
    ...runs.flatMap(({ measurements }) => measurements.map((each) => line(markdownCells(each, measurements.find(({ bench }) => bench === each.bench)!)))), '',
    '## Runs', '',
    ...runs.map(({ command, startedAt, seconds, peakMemoryBytes, machine, loadAverage }) => `- \`${command}\`: ${startedAt.slice(0, 16).replace('T', ' ')}, ${seconds} s, a load average of ${loadAverage.toFixed(1)} before, ${megabytes(peakMemoryBytes)} at most in the bench's own process${machines.length > 1 ? `, on ${machine}` : ''}`), '',
    '## Notes', '',
    ...runs.flatMap(({ notes }) => notes.map(noteLines)), '',
  ].join('\n')
}

/** What has several lines is shown as it is. */
function noteLines({ bench, note }: BenchNote): string {
  const [first, ...more] = note.split('\n')
  return [`- ${bench}: ${first}`, ...(more.length > 0 ? ['  ```', ...more.map((each) => `  ${each}`), '  ```'] : [])].join('\n')
}
