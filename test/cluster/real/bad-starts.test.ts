/** Nodes that cannot be what they are told to be: one clear line each, and nothing has changed. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtProgram } from '../../../scripts/cluster/node-command.ts'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { endingWithFile } from '../../child-process.ts'
import { startServer } from '../../server-process.ts'
import { freePorts } from '../../shared-server/shared-server.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import { startRealCluster } from './real-cluster.ts'
import type { RealCluster } from './real-cluster.ts'

interface Ended {
  readonly code: number | null
  readonly lines: readonly string[]
}

type Child = ChildProcessByStdio<null, null, Readable>

function started(argv: readonly string[]): Child {
  const [program, ...rest] = builtProgram
  return endingWithFile(spawn(program!, [...rest, 'serve', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] }))
}

function says(child: Child, text: string): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString()
      if (said.includes(text)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)))
    setTimeout(() => reject(new Error(`it does not say '${text}', but ${said}`)), 30_000).unref()
  })
}

/** Lines of stderr that are not the log's. */
async function outcomeOf(argv: readonly string[]): Promise<Ended> {
  const child = started(argv)
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => { said += bytes.toString() })
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, lines: said.split('\n').filter((line) => line !== '' && !line.startsWith('{')) }
}

describeEtcd('a node that is started wrongly', () => {
  let cluster: RealCluster
  let etcdUrl = ''

  beforeAll(async () => {
    cluster = await startRealCluster({})
    etcdUrl = cluster.etcdUrls[0]!
    await cluster.ready()
  })
  afterAll(() => cluster.stop())

  const folderOf = (name: string): string => join(cluster.folder, name)
  /** The flags of one more node, of which some are others. */
  async function flags(name: string, others: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const [port] = await freePorts(1)
    const all = {
      '--node-id': name, '--data-dir': folderOf(name), '--listen': `127.0.0.1:${port}`, '--advertise': `http://127.0.0.1:${port}`, '--etcd': etcdUrl,
      '--cluster': 'test', '--replication-factor': '2', '--cluster-secret-file': folderOf('secret'), ...others,
    }
    return Object.entries(all).flat()
  }
  async function inEtcd(): Promise<readonly string[]> {
    const client = createEtcdClient({ endpoints: [etcdUrl] })
    const { keyValues } = await client.list('/')
    client.close()
    // Whoever leads what may change meanwhile.
    return keyValues.filter(({ key }) => !key.includes('/shard/')).map(({ key, value }) => `${key} ${value}`)
  }
  /** But the folders of every directory that was looked at. */
  const hasNothing = (folder: string): boolean => !existsSync(folder) || readdirSync(folder).every((name) => name === 'lock' || name === 'tmp')
  const areReady = async (): Promise<void> => {
    for (const { url } of cluster.nodes) expect((await cluster.agent.get(`${url}/health/ready`)).status).toBe(200)
  }

  test.each<[string, Readonly<Record<string, string>>, number, RegExp]>([
    ['without etcd', { '--etcd': 'http://127.0.0.1:9' }, 3, /^lsmt: etcd cannot be reached at http:\/\/127\.0\.0\.1:9: /],
    ['with another number of shards', { '--shards': '4' }, 2, /^lsmt: .*8 shards.*4/],
    ['with another number of copies', { '--replication-factor': '3' }, 2, /^lsmt: .*2.*3/],
    ['with an id that a live node has', { '--node-id': 'n1' }, 3, /^lsmt: .*'n1'/],
    ['at a port that is in use', { '--listen': 'n1' }, 3, /^lsmt: port \d+ on 127\.0\.0\.1 is in use by another process/],
  ])('%s ends', async (_, given, expectedCode, expected) => {
    const others = given['--listen'] === 'n1' ? { '--listen': new URL(cluster.nodes[0]!.url).host } : given
    const before = await inEtcd()
    const { code, lines } = await outcomeOf(await flags('extra', others))
    expect(lines).toEqual([expect.stringMatching(expected)])
    expect(code).toBe(expectedCode)
    expect(hasNothing(folderOf('extra'))).toBe(true)
    expect(await inEtcd()).toEqual(before)
    await areReady()
  })

  test('with data that is not its own ends', async () => {
    const alone = await startServer(folderOf('alone'))
    await alone.stop()
    expect(await outcomeOf(await flags('extra', { '--data-dir': folderOf('alone') }))).toEqual({ code: 1, lines: [expect.stringContaining('holds a database of its own, not copies of a cluster')] })
    const node = cluster.nodes[2]!
    await node.end()
    expect(await outcomeOf(await flags('extra', { '--data-dir': folderOf('n3') }))).toEqual({ code: 1, lines: [expect.stringContaining("is of node 'n3' of the cluster 'test', and was started as node 'extra'")] })
    expect(await outcomeOf(['--data-dir', folderOf('n3'), '--listen', '127.0.0.1:0'])).toEqual({ code: 1, lines: [expect.stringContaining('cluster')] })
    node.start()
    await cluster.ready()
  })

  test('with fewer nodes than copies waits, and says what for', async () => {
    const child = started(await flags('lonely', { '--cluster': 'other', '--replication-factor': '4' }))
    await says(child, 'waiting for nodes: 4 copies need 4 of them, and there is one: lonely')
    child.kill('SIGKILL')
  })

  test('with another secret is let in by nobody, and says so', async () => {
    writeFileSync(folderOf('wrong-secret'), 'a secret that nobody else knows\n')
    const child = started(await flags('stranger', { '--cluster-secret-file': folderOf('wrong-secret') }))
    await says(child, 'secret')
    child.kill('SIGKILL')
    await areReady()
  })
})
