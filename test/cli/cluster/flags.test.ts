/** The flags of a node of a cluster: what they come to, and what is refused before anything is reached or made. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClusterRequest } from '../../../src/cluster/open-cluster.ts'
import { LsmtError } from '../../../src/errors.ts'
import { runHere } from '../cli-in-process.ts'
import { withFolder } from '../cli-process.ts'

afterEach(() => vi.unstubAllEnvs())

const openEngine = vi.fn(), openCluster = vi.fn<(request: ClusterRequest) => Promise<never>>(() => Promise.reject(new LsmtError('08006', 'etcd cannot be reached')))
const environment = { LSMT_CLUSTER_SECRET: 'a secret that is long enough' }

beforeEach(() => {
  openEngine.mockClear()
  openCluster.mockClear()
})

const node = ['--node-id', 'n1', '--etcd', 'http://127.0.0.1:2379'] as const

async function chosen(args: readonly string[], variables: Readonly<Record<string, string>> = environment): Promise<ClusterRequest> {
  expect(await runHere(['serve', ...args], '', { openEngine, openCluster, environment: variables })).toMatchObject({ code: 3, err: 'lsmt: etcd cannot be reached\n' })
  expect(openCluster).toHaveBeenCalledOnce()
  return openCluster.mock.calls[0]![0]
}

describe('what they come to', () => {
  test('with defaults', async () => {
    expect(await chosen(node)).toMatchObject({
      cluster: 'lsmt', nodeId: 'n1', factor: 2, advertise: 'http://127.0.0.1:8080', peerCa: undefined, etcd: { endpoints: ['http://127.0.0.1:2379/'] },
      secret: Buffer.from('a secret that is long enough'), address: { kind: 'local', directory: './data' }, version: '0.0.0', settings: { shards: 8, durability: 'sync' },
    })
  })

  test('all of them, with files', async () => {
    await withFolder(async (folder) => {
      const file = async (name: string, text: string): Promise<string> => {
        await writeFile(join(folder, name), text)
        return join(folder, name)
      }
      const request = await chosen([
        '--node-id', 'n.2', '--etcd', 'https://me:p%40ss@10.0.0.1:2379,https://me:p%40ss@10.0.0.2:2379', '--etcd-ca', await file('ca', 'CA'), '--etcd-cert', await file('cert', 'CERT'), '--etcd-key', await file('key', 'KEY'),
        '--advertise', 'https://db.example:8443/', '--cluster', 'prod', '--replication-factor', '3', '--cluster-secret-file', await file('secret', 'sixteen bytes ok\n'), '--peer-ca', await file('peer', 'PEER'), '--shards', '4',
      ], {})
      expect(request).toMatchObject({
        cluster: 'prod', nodeId: 'n.2', factor: 3, advertise: 'https://db.example:8443', peerCa: 'PEER', secret: Buffer.from('sixteen bytes ok'), settings: { shards: 4 },
        etcd: { endpoints: ['https://10.0.0.1:2379/', 'https://10.0.0.2:2379/'], user: { name: 'me', password: 'p@ss' }, tls: { ca: 'CA', certificate: 'CERT', key: 'KEY' } },
      })
    })
  })

  test('by variables', async () => {
    for (const [name, value] of Object.entries({ LSMT_NODE_ID: 'n1', LSMT_ETCD: 'http://e:1', LSMT_ADVERTISE: 'http://n1:8080', LSMT_REPLICATION_FACTOR: '2', LSMT_CLUSTER: 'c' })) vi.stubEnv(name, value)
    expect(await chosen(['--listen', '127.0.0.1:0'])).toMatchObject({ nodeId: 'n1', cluster: 'c', advertise: 'http://n1:8080', etcd: { endpoints: ['http://e:1/'] } })
  })
})

describe('what is refused', () => {
  const cases: [string, readonly string[], RegExp, Readonly<Record<string, string>>?][] = [
    ['--etcd alone', ['--etcd', 'http://e:1'], /^--etcd \(LSMT_ETCD\) is for a node of a cluster.*--node-id/],
    ['--replication-factor alone, as the default', ['--replication-factor', '2'], /^--replication-factor /],
    ['--node-id without etcd', ['--node-id', 'n1'], /--etcd/],
    ['no secret', node, /secret.*missing.*LSMT_CLUSTER_SECRET/, {}],
    ['a short secret', node, /at least 16/, { LSMT_CLUSTER_SECRET: 'short' }],
    ['two secrets', [...node, '--cluster-secret-file', '/dev/null'], /twice/],
    ['no such secret file', [...node, '--cluster-secret-file', '/nowhere/secret'], /^--cluster-secret-file: /, {}],
    ['durability', [...node, '--durability', 'interval'], /--durability interval contradicts --node-id/],
    ['a reader', [...node, '--read-only'], /--read-only contradicts --node-id/],
    ['copies of a bucket', [...node, '--storage', 's3', '--bucket', 'my-bucket', '--replication-factor', '2'], /keeps its copies itself/],
    ['a log of its own before a bucket', [...node, '--storage', 's3', '--bucket', 'my-bucket', '--log', 'local'], /--log local contradicts --node-id/],
    ['a name', ['--node-id', 'no such', '--etcd', 'http://e:1'], /--node-id <id>.*letters, digits/],
    ['a URL with a path', [...node, '--advertise', 'http://x/y'], /--advertise <url>.*Expected/],
    ['etcd with a path', ['--node-id', 'n1', '--etcd', 'http://e:1/v3'], /bad etcd endpoint/],
    ['etcd twice', ['--node-id', 'n1', '--etcd', 'http://e:1,http://e:1'], /twice/],
    ['two users', ['--node-id', 'n1', '--etcd', 'http://a:b@e:1,http://c:d@f:1'], /more than one user/],
    ['a certificate without its key', ['--node-id', 'n1', '--etcd', 'https://e:1', '--etcd-cert', '/dev/null'], /needs its key/],
    ['no address that others reach', [...node, '--listen', '127.0.0.1:0'], /--advertise/],
    ['seventy copies', [...node, '--replication-factor', '70'], /from 1 to 7/],
    ['others than this machine, without tokens', [...node, '--listen', '0.0.0.0:8080', '--advertise', 'http://n1:8080'], /is not a loopback address/],
  ]
  test.each(cases)('%s', async (_what, args, reason, variables = environment) => {
    const { code, out, err } = await runHere(['serve', ...args], '', { openEngine, openCluster, environment: variables })
    expect([code, out]).toEqual([2, ''])
    expect(err.replace(/^lsmt: (?:error: )?/, '')).toMatch(reason)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect([openEngine, openCluster].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  })
})
