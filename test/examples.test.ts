/** The programs in examples/, run as a reader would: each prints what it says at its end, and is well typed. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputPattern } from './readme/blocks.ts'
import { openStage } from './readme/stage.ts'
import type { Stage } from './readme/stage.ts'
import { awsVariables, testServer } from './storage/s3/s3-server.ts'

const folder = join(import.meta.dirname, '../examples')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))

const isWithoutS3 = process.env['LSMT_TEST_S3'] === 'off'
/** What needs the S3 server of the tests. */
const overS3 = ['bucket.ts']

async function variables(): Promise<Readonly<Record<string, string>>> {
  if (isWithoutS3) return {}
  const server = await testServer()
  return { ...awsVariables(server), BUCKET: server.bucket, S3_ENDPOINT: server.endpoint }
}

let stage: Stage
beforeAll(async () => {
  stage = await openStage(await variables())
  await stage.serve('lsmt serve --listen 127.0.0.1:8080 --data-dir ./served')
})
afterAll(() => stage.close())

test.each(names.filter((name) => !(isWithoutS3 && overS3.includes(name))))('%s prints what it says', async (name) => {
  const text = readFileSync(join(folder, name), 'utf8')
  const [, printed] = text.split('\n// prints:\n')
  expect(printed, 'the program ends in what it prints').toBeDefined()
  const expected = printed!.trimEnd().split('\n').map((line) => line.replace(/^\/\/ ?/, '')).join('\n')
  expect((await stage.program(name, text)).trimEnd()).toMatch(outputPattern(expected))
})

test('they are well typed', async () => {
  expect(await stage.typeCheck()).toBe('')
})

test('README names each', () => {
  const readme = readFileSync(join(folder, '../README.md'), 'utf8')
  expect(names.filter((name) => !readme.includes(`(examples/${name})`))).toEqual([])
})
