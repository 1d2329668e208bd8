/**
 * The SQL logic tests folder (sqllogictest files that were written for other databases, with the runner
 * `slt-run.mjs`, and real data sets with `load-csv.mjs`) against a server process. Every failure must be known, with
 * its reason, in logic-tests-known.json, and as many of each kind as stand there: a new failure is a bug, and a
 * failure that is gone must leave the list. `LSMT_UPDATE_GOLDEN=1` writes the counts anew.
 *
 * The folder is not part of the project: it is looked for at ../shared/sql beside the checkout, or where
 * LSMT_SQL_LOGIC_TESTS says. The normal run takes a sample of the files, LSMT_TEST_FULL=1 all of them.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startCli, withFolder } from '../cli/cli-process.ts'

const place = resolve(import.meta.dirname, '../..', process.env['LSMT_SQL_LOGIC_TESTS'] ?? '../shared/sql')
const isThere = existsSync(join(place, 'slt-run.mjs'))
// The programs there run only under their own path, not behind a link.
const folder = isThere ? realpathSync(place) : place
const isFull = process.env['LSMT_TEST_FULL'] === '1'
const isUpdating = process.env['LSMT_UPDATE_GOLDEN'] === '1'
const knownFile = join(import.meta.dirname, 'logic-tests-known.json')

/** The sample leaves out the files that are nearly all INSERT, and takes one query of a hundred. */
const sample = ['--filter', '^(?!.*/index/(delete|view|random/1000)/)', '--sample', '0.01', '--seed', '7']

interface Known {
  /** What the runner says of the failure. */
  readonly why: string
  /** What the statement holds, when the message does not say enough. */
  readonly sql?: string
  readonly reason: string
  /** How many of them the sample has; the full run has one at least. */
  readonly failures: number
}

interface Failure {
  readonly file: string
  readonly line: number
  readonly why: string
  readonly sql: string
}

interface Report {
  readonly pass: number
  readonly fail: number
  readonly cats: Readonly<Record<string, { readonly pass: number; readonly fail: number; readonly skip: number }>>
  readonly failures: readonly Failure[]
}

async function withServer(run: (url: string, directory: string) => Promise<void>): Promise<void> {
  await withFolder(async (directory) => {
    const cli = startCli(['--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data'), '--durability', 'memory'])
    try {
      await run(`${await cli.listening}/query`, directory)
    } finally {
      cli.child.kill('SIGTERM')
      await cli.exited
    }
  })
}

/** Runs a program of the folder; its exit code, and what it says. */
function runProgram(name: string, args: readonly string[]): Promise<{ code: number; out: string }> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [join(folder, name), ...args], { maxBuffer: 1 << 30 }, (_, stdout, stderr) => done({ code: child.exitCode ?? -1, out: `${stdout}${stderr}` }))
  })
}

const matches = ({ why, sql }: Known, failure: Failure): boolean => new RegExp(why).test(failure.why) && (sql === undefined || new RegExp(sql, 'i').test(failure.sql))
const describeFailure = ({ file, line, why, sql }: Failure): string => `${file}:${line}: ${why}\n  ${sql.replace(/\s+/g, ' ').slice(0, 300)}`

/** What is not as the list says. */
function surprises(failures: readonly Failure[], known: readonly Known[]): { readonly found: readonly string[]; readonly counts: readonly number[] } {
  const counts = known.map(() => 0)
  const unknown: Failure[] = []
  for (const failure of failures) {
    const at = known.findIndex((each) => matches(each, failure))
    if (at < 0) unknown.push(failure)
    else counts[at]!++
  }
  const moved = known.flatMap((each, at) => ((isFull ? counts[at]! > 0 : counts[at] === each.failures) ? [] : [`${counts[at]} failures instead of ${each.failures} of the kind ${each.why}${each.sql === undefined ? '' : ` in ${each.sql}`}`]))
  return { found: [...unknown.map(describeFailure), ...(isUpdating ? [] : moved)], counts }
}

function writeCounts(known: readonly Known[], counts: readonly number[]): void {
  const renewed = known.map((each, at) => ({ ...each, failures: counts[at]! }))
  writeFileSync(knownFile, `[\n${renewed.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`)
}

/** Runs files against a server; files that create no tables find those that are there. */
async function runFiles(url: string, directory: string, args: readonly string[]): Promise<Report> {
  const reportFile = join(directory, 'report.json')
  const { code, out } = await runProgram('slt-run.mjs', ['--url', url, '--engine', 'postgresql', '--only', 'all', '--max-report', '1000000', '--json', reportFile, ...args])
  expect([0, 1], `${code}: ${out.slice(-2_000)}`).toContain(code)
  return JSON.parse(readFileSync(reportFile, 'utf8')) as Report
}

async function runDataSet(url: string, directory: string, name: string): Promise<Report[]> {
  const dataSet = join(folder, 'datasets', name)
  const { code, out } = await runProgram('load-csv.mjs', ['--url', url, '--batch', '500', dataSet])
  expect(code, out).toBe(0)
  expect(out).toMatch(/ 0 failed; COUNT\(\*\) = \d+/)
  const reports: Report[] = []
  for (const file of ['queries-dev.slt', 'mutations.slt']) reports.push(await runFiles(url, directory, ['--cleanup', 'none', join(dataSet, file)]))
  return reports
}

const dataSets = isFull ? ['invoice', 'birdstrikes', 'track', 'unicode', 'weather', 'words', 'flights'] : ['invoice']

function describeCategories(reports: readonly Report[]): string {
  const totals = new Map<string, { pass: number; fail: number }>()
  for (const [category, { pass, fail }] of reports.flatMap(({ cats }) => Object.entries(cats))) {
    if (pass + fail === 0) continue
    const total = totals.get(category) ?? { pass: 0, fail: 0 }
    totals.set(category, { pass: total.pass + pass, fail: total.fail + fail })
  }
  return [...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([category, { pass, fail }]) => `${category} ${pass}${fail === 0 ? '' : ` (${fail} known failures)`}`).join(', ')
}

describe.runIf(isThere)('SQL logic tests', () => {
  test('no failure but the known ones, over files and data sets', async () => {
    await withServer(async (url, directory) => {
      const reports = [await runFiles(url, directory, ['--jobs', '2', ...(isFull ? [] : sample), join(folder, 'logic-tests.tar.gz')])]
      for (const name of dataSets) reports.push(...(await runDataSet(url, directory, name)))
      const known = JSON.parse(readFileSync(knownFile, 'utf8')) as readonly Known[]
      const { found, counts } = surprises(reports.flatMap(({ failures }) => failures), known)
      if (isUpdating && !isFull) writeCounts(known, counts)
      console.log(`SQL logic tests passed: ${describeCategories(reports)}`)
      expect(reports[0]!.pass).toBeGreaterThan(1_000)
      expect(found.slice(0, 40).join('\n'), `${found.length} surprises`).toBe('')
    })
  }, 3_600_000)
})

if (!isThere) {
  const leftOut = `SQL logic tests left out: their folder is not at ${folder}; put it there, or name it in LSMT_SQL_LOGIC_TESTS`
  console.warn(leftOut)
  test.skip(leftOut, () => {})
}
