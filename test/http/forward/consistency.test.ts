/** How fresh reads are to be, and the token by which a session sees at every node what it saw before. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openModelEngine } from '../../engine/model-engine.ts'
import { startTestServer } from '../http-client.ts'
import type { TestServer } from '../http-client.ts'
import { fakeCluster } from './fake-cluster.ts'
import type { FakeCluster, FakeNode } from './fake-cluster.ts'

let cluster: FakeCluster
let node: FakeNode
let alone: TestServer
let follower: TestServer

beforeAll(async () => {
  cluster = fakeCluster()
  node = await cluster.node('a')
  alone = await startTestServer()
  follower = await startTestServer({ engine: Object.create(openModelEngine(), { isReadOnly: { value: true } }) as FakeCluster['engine'] })
})
afterAll(async () => {
  await Promise.all([cluster.close(), alone.server.close(0), follower.server.close(0)])
})

test('levels are asked of the cluster', async () => {
  for (const headers of [{}, { 'lsmt-consistency': 'linearizable' }, { 'lsmt-consistency': 'session' }, { 'lsmt-consistency': 'session', 'lsmt-session': 't7' }, { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '500' }]) {
    expect((await node.post('SELECT 1', headers)).status).toBe(200)
  }
  expect(node.levels).toEqual([{ kind: 'session', token: undefined }, { kind: 'session', token: 't7' }, { kind: 'stale', maxMs: 500 }])
})

const bad: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['expected linearizable', { 'lsmt-consistency': 'eventual' }],
  ['needs the header', { 'lsmt-consistency': 'stale' }],
  ['whole number', { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '0' }],
  ['whole number', { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '1e3' }],
  ['stale only', { 'lsmt-consistency': 'session', 'lsmt-staleness-ms-max': '5' }],
  ['is not for', { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '5', 'lsmt-session': 't1' }],
]
for (const [reason, headers] of bad) {
  test(`${JSON.stringify(headers)} is refused: ${reason}`, async () => {
    for (const server of [node, alone, follower]) {
      const { status, json: { error } } = await server.post('SELECT 1', headers)
      expect([status, error.code]).toEqual([400, '22023'])
      expect(error.message).toContain(reason)
    }
  })
}

test('every answer has a token, which stands for what the client had seen too', async () => {
  for (const [path, init] of [['/query', { method: 'POST', body: 'SELECT 1' }], ['/query', { method: 'POST', body: 'SELEC' }], ['/status', {}], ['/nothing', {}]] as const) {
    expect((await fetch(node.url + path, init)).headers.get('lsmt-session')).toBe('t-a')
    expect((await fetch(node.url + path, { ...init, headers: { 'lsmt-session': 't9' } })).headers.get('lsmt-session')).toBe('t9-a')
    expect((await fetch(alone.url + path, init)).headers.get('lsmt-session')).toBeNull()
  }
  expect((await node.post('SELECT 1', { 'lsmt-session': 'none' })).json.error).toMatchObject({ code: '22023', message: 'this is no token' })
})

test('a server by itself is at every level; one that follows a writer knows none', async () => {
  for (const headers of [{ 'lsmt-consistency': 'linearizable' }, { 'lsmt-consistency': 'session', 'lsmt-session': 't1' }, { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '5' }]) {
    expect((await alone.post('SELECT 1', headers)).status).toBe(200)
    expect((await follower.post('SELECT 1', headers)).json.error.code).toBe('0A000')
  }
  expect((await follower.post('SELECT 1')).status).toBe(200)
})
