/** The test suite that abstract-level ships: every assertion passes and none is skipped, so the manifest is true. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { endingWithFile } from '../child-process.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsmt-level-suite-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

/** What the suite counts with the manifest as it is; a claim that is dropped would make it fewer. */
const assertionsMin = 5_168

interface Tap {
  readonly passed: number
  readonly troubles: readonly string[]
  readonly exitCode: number | null
}

async function runSuite(place: 'tables' | 'directories'): Promise<Tap> {
  // The suite leaves databases open, whose files Node warns of.
  const child = endingWithFile(spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'suite-child.mjs'), folder, place], { stdio: ['ignore', 'pipe', 'inherit'] }))
  let tap = ''
  child.stdout.on('data', (bytes: Buffer) => (tap += bytes.toString()))
  const exitCode = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  const lines = tap.split('\n')
  let title = ''
  const troubles: string[] = []
  for (const line of lines) {
    if (line.startsWith('# ')) title = line
    if (line.startsWith('not ok') || /^ok .*# (SKIP|TODO)/i.test(line) || line.startsWith('# SKIP')) troubles.push(`${title}: ${line}`)
  }
  return { passed: lines.filter((line) => line.startsWith('ok ')).length, troubles, exitCode }
}

it('passes in tables of one open database', async () => {
  const { passed, troubles, exitCode } = await runSuite('tables')
  expect([troubles, exitCode]).toEqual([[], 0])
  expect(passed).toBeGreaterThanOrEqual(assertionsMin)
})

it.runIf(process.env['LSMT_TEST_FULL'])('passes in a directory each', async () => {
  const { passed, troubles, exitCode } = await runSuite('directories')
  expect([troubles, exitCode]).toEqual([[], 0])
  expect(passed).toBeGreaterThanOrEqual(assertionsMin)
})
