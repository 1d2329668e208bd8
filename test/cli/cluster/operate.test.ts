/** `lsmt cluster` by the server of a node whose cluster is faked: what it asks, what it shows, and what it ends with. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runHere, serveHere } from '../cli-in-process.ts'
import type { ServedHere } from '../cli-in-process.ts'
import { lostShard } from '../../http/forward/fake-membership.ts'
import { fakeNode } from './fake-node.ts'

const node = fakeNode()
let folder: string
let server: ServedHere

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsmt-operate-'))
  await writeFile(join(folder, 'tokens'), 'write:writer\nread:reader\n')
  server = await serveHere(join(folder, 'data'), ['--node-id', 'a', '--etcd', 'http://127.0.0.1:9', '--advertise', 'http://127.0.0.1:9', '--auth-token-file', join(folder, 'tokens')], { openCluster: node.open, environment: { LSMT_CLUSTER_SECRET: 'a secret that is long enough' } })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

const cluster = (...args: readonly string[]): ReturnType<typeof runHere> => runHere(['cluster', ...args, '--url', server.url], '', { environment: { LSMT_TOKEN: 'writer' } })

test('status shows nodes and shards, and ends with 1 when something is wrong', async () => {
  const { code, out } = await cluster('status')
  expect(out).toMatch(/^cluster test: 2 nodes, 2 copies of everything, a coordinates writes\n/)
  expect(out).toMatch(/^ b +\| http:\/\/b:8080 +\| 1\.2\.3 +\| live, draining +\| +2 \| +0$/m)
  expect(out).toMatch(/^ +1 \| +2 \| NULL +\| a, b +\| NULL/m)
  expect(out).toMatch(/^shard without a leader: 1\nshard that may lack [^\n]+: 1\na cannot open its copy of shard 1: corrupt log\n$/m)
  expect(code).toBe(1)
  expect(JSON.parse((await cluster('status', '--json')).out)).toMatchObject({ coordinator: 'a', shards: [{ lag: 1 }, { leader: null }] })
})

test('the actions ask the cluster', async () => {
  node.operated.length = 0
  expect(await cluster('drain', 'b')).toEqual({ code: 0, out: '2 copies are to leave b\n', err: '' })
  expect(await cluster('undrain', 'b')).toEqual({ code: 0, out: 'b takes part again\n', err: '' })
  expect(await cluster('replace', 'b', 'c&d', '--json')).toEqual({ code: 0, out: '{"node":"b","copies":2}\n', err: '' })
  expect(await cluster('hand-over', '1')).toMatchObject({ code: 0 })
  expect(await cluster('drain', 'elsewhere', '--wait')).toEqual({ code: 0, out: 'nothing is left at elsewhere\n', err: '' })
  expect(node.operated).toEqual([['drain', 'b'], ['undrain', 'b'], ['replace', 'b', 'c&d'], ['handOver', 1], ['drain', 'elsewhere']])
})

test('a recovery tells what there is, and does it only when it is meant', async () => {
  node.operated.length = 0
  const told = await cluster('unsafe-recover')
  expect(told).toMatchObject({ code: 1, out: expect.stringMatching(/^shard 1 is lost: b has it up to sequence 70 of epoch 2, a has it up to sequence 50 of epoch 2\nnothing was changed/) as string })
  expect(node.operated).toEqual([])
  expect(await cluster('unsafe-recover', '--yes')).toMatchObject({ code: 0, out: '1 of 1 lost shards go on; they may lack what was acknowledged\n', err: 'shard 1 goes on with the copy of b, up to sequence 70 of epoch 2\n' })
  expect(node.operated).toEqual([['recover', lostShard]])
})

test('what is wrong is said in one line', async () => {
  const refused = async (args: readonly string[], code: number, message: RegExp): Promise<void> => {
    const run = await cluster(...args)
    expect([run.code, run.out, run.err]).toEqual([code, '', expect.stringMatching(message)])
  }
  await refused(['drain'], 2, /^lsmt: lsmt cluster drain NODE is what is wanted; 0 names/)
  await refused(['status', '--wait'], 2, /^lsmt: --wait is not for cluster status/)
  await refused(['drain', 'b', '--yes'], 2, /^lsmt: --yes is not for cluster drain/)
  await refused(['drain', 'nobody'], 2, /^lsmt: there is no node 'nobody'/)
  await refused(['hand-over', 'x'], 2, /expected its number/)
  expect(await runHere(['cluster', 'status'], '')).toMatchObject({ code: 2, err: expect.stringContaining('--url') as string })
  expect(await runHere(['cluster', 'drain', 'b', '--url', server.url], '', { environment: { LSMT_TOKEN: 'reader' } })).toMatchObject({ code: 1, err: expect.stringContaining('is not allowed to who may only read') as string })
  const alone = await serveHere(join(folder, 'alone'))
  for (const action of [['status'], ['undrain', 'b']]) expect(await runHere(['cluster', ...action, '--url', alone.url])).toMatchObject({ out: '', err: expect.stringContaining('no node of a cluster') as string })
  await alone.stop()
})
