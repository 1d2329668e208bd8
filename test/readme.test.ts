/** README's code blocks, run as printed, in order, in one folder: what a reader copies works and answers what is printed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf, outputPattern } from './readme/blocks.ts'
import { openStage } from './readme/stage.ts'
import type { Stage } from './readme/stage.ts'

const root = join(import.meta.dirname, '..')
const blocks = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'))

/** Commands that are not run here, each with its reason; a new one that cannot run must be added, or fails. */
const notRun: Record<string, string> = {
  'npm ci && npm start': 'installs; the server that the next blocks ask is started as `npm start` does',
  'npm ci && npm test': 'is what runs this test',
  [`python -c 'import pyarrow; print(pyarrow.ipc.open_stream("trips.arrows").read_pandas())'`]: 'needs pyarrow; the stream is read by apache-arrow in test/http',
}

const inBucket = 'needs a bucket of AWS, or of that name; test/cli/s3 does this over a real S3 server'
for (const command of [
  'export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=eu-north-1',
  'npx lsmt serve --storage s3 --bucket my-bucket --prefix prod',
  'npx lsmt serve --storage s3 --bucket my-bucket --prefix prod --s3-endpoint https://s3.example.org',
  'npx lsmt backup s3://my-backups/monday --storage s3 --bucket my-bucket --prefix prod',
  'npx lsmt restore s3://my-backups/monday --data-dir ./copy',
]) notRun[command] = inBucket

for (const command of [
  'docker compose up -d --build --wait',
  `curl -X POST localhost:8082/query -d "SELECT value FROM kv WHERE key = 'hello'"`,
  'npx lsmt serve --node-id node1 --etcd http://etcd1:2379,http://etcd2:2379,http://etcd3:2379 --cluster-secret-file secret --listen 0.0.0.0:8080 --advertise http://node1:8080 --auth-token-file tokens',
  'npx lsmt cluster status --url http://localhost:8080',
  'npx lsmt cluster replace node2 node4 --wait --url http://localhost:8080',
]) notRun[command] = 'needs a cluster; test/cluster/real starts one'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> }
  expect(scripts['start']).toBe('node dist/main.js')
  await stage.serve('lsmt serve --listen 127.0.0.1:8080 --data-dir ./served')
})
afterAll(() => stage.close())

describe('README.md', () => {
  let lastLine = ''
  for (const block of blocks) {
    test(`line ${block.line}: ${block.kind}`, async () => {
      switch (block.kind) {
        case 'program':
          await stage.program(`line-${block.line}.ts`, block.text)
          break
        case 'shell':
          for (const { command, output } of block.commands) {
            if (command in notRun) continue
            const printed = (await stage.shell(command)).replaceAll('\r\n', '\n').trimEnd()
            if (output !== undefined) expect(printed).toMatch(outputPattern(output))
            lastLine = printed.split('\n').at(-1)!
          }
          await stage.endBlock()
          break
        case 'answer':
          expect(lastLine).toMatch(outputPattern(block.text))
      }
    })
  }

  test('its programs are well typed', async () => {
    expect(await stage.typeCheck()).toBe('')
  })

  test('names no command as not run that is gone', () => {
    const commands = blocks.flatMap((block) => (block.kind === 'shell' ? block.commands.map(({ command }) => command) : []))
    expect(Object.keys(notRun).filter((command) => !commands.includes(command))).toEqual([])
  })
})
