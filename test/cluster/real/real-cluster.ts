/**
 * A cluster of real processes: members of etcd and nodes, each of which may be killed, stopped, restarted and given an
 * empty disk; on loopback, or each on a host of its own (test-network.ts), where links may be cut too. Ends with the file.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientUrl, etcdCommand } from '../../../scripts/cluster/etcd-command.ts'
import type { EtcdMember } from '../../../scripts/cluster/etcd-command.ts'
import { builtProgram, nodeCommand, nodeUrl } from '../../../scripts/cluster/node-command.ts'
import type { ClusterNode, ClusterOfNodes } from '../../../scripts/cluster/node-command.ts'
import { endingWithFile } from '../../child-process.ts'
import { freePorts, missingPrograms } from '../../shared-server/shared-server.ts'
import { createNetwork } from '../../test-network.ts'
import type { TestNetwork } from '../../test-network.ts'
import { startAgent } from './load/agent-process.ts'
import type { Agent } from './load/agent-process.ts'

/** Something that runs, or does not. */
export interface Running {
  readonly name: string
  start(): void
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. Throws when it does not end in time. */
  end(timeoutMs?: number): Promise<number | null>
  /** Not while it runs. */
  emptyDisk(): void
  /** All that it said on both outputs, of all its lives. */
  said(): string
  isRunning(): boolean
}

export interface RealNode extends Running {
  readonly url: string
  /** Of its host in the network. */
  readonly host: number
}

export interface RealCluster {
  readonly nodes: readonly RealNode[]
  readonly members: readonly Running[]
  readonly network: TestNetwork | undefined
  readonly agent: Agent
  readonly folder: string
  readonly etcdUrls: readonly string[]
  /** Resolves when every node says that it is ready. */
  ready(timeoutMs?: number): Promise<void>
  /** Kills all. What the processes said, and their data, may stay for whoever looks for a fault. */
  stop(keepFolder?: boolean): Promise<void>
}

export interface RealClusterOptions {
  readonly nodeCount?: number
  readonly etcdMembers?: number
  /** Hosts of their own for all nodes, members and the agent. */
  readonly inNetwork?: boolean
  readonly replicationFactor?: number
  readonly program?: readonly string[]
  readonly flags?: readonly string[]
}

export async function startRealCluster({ nodeCount = 3, etcdMembers = 1, inNetwork = false, replicationFactor = 2, program = builtProgram, flags = [] }: RealClusterOptions): Promise<RealCluster> {
  if (missingPrograms(['etcd']).length > 0) throw new Error('the tests of real clusters need etcd, and it is not installed: apt-get install --no-install-recommends etcd-server; or set LSMT_TEST_ETCD=off to leave these tests out')
  const folder = mkdtempSync(join(tmpdir(), 'lsmt-test-cluster-'))
  const network = inNetwork ? createNetwork(nodeCount + etcdMembers + 1) : undefined
  const within = (host: number): readonly string[] => network?.within(host) ?? []
  const hostOf = (host: number): string => network?.addresses[host] ?? '127.0.0.1'
  const ports = await freePorts(nodeCount + 2 * etcdMembers)
  const etcd = Array.from({ length: etcdMembers }, (_, i): EtcdMember => ({ name: `etcd-${i + 1}`, dataDir: join(folder, `etcd-${i + 1}`), host: hostOf(nodeCount + i), clientPort: ports[nodeCount + 2 * i]!, peerPort: ports[nodeCount + 2 * i + 1]! }))
  const secretFile = join(folder, 'secret')
  writeFileSync(secretFile, 'a secret that only this test knows\n', { mode: 0o600 })
  const cluster: ClusterOfNodes = { name: 'test', etcdUrls: etcd.map(clientUrl), replicationFactor, secretFile }
  const quickEtcd = ['--heartbeat-interval', '50', '--election-timeout', '500', '--unsafe-no-fsync']
  const members = etcd.map((member, i) => running(member.name, member.dataDir, folder, [...within(nodeCount + i), ...etcdCommand(member, etcd, folder), ...quickEtcd]))
  const nodes = Array.from({ length: nodeCount }, (_, i): RealNode => {
    const node: ClusterNode = { nodeId: `n${i + 1}`, dataDir: join(folder, `n${i + 1}`), host: hostOf(i), port: ports[i]! }
    const command = [...within(i), ...nodeCommand(node, cluster, program), ...flags, ...(inNetwork ? ['--no-auth'] : [])]
    return { ...running(node.nodeId, node.dataDir, folder, command), url: nodeUrl(node), host: i }
  })
  const agent = startAgent(within(nodeCount + etcdMembers))
  for (const each of [...members, ...nodes]) each.start()
  const real: RealCluster = {
    nodes, members, network, agent, folder, etcdUrls: cluster.etcdUrls,
    ready: (timeoutMs = 120_000) => allReady(nodes, agent, timeoutMs),
    async stop(keepFolder = false) {
      agent.stop()
      await Promise.all([...nodes, ...members].map((each) => each.kill()))
      network?.remove()
      if (!keepFolder) rmSync(folder, { recursive: true, force: true })
    },
  }
  return real
}

async function allReady(nodes: readonly RealNode[], agent: Agent, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs
  await Promise.all(nodes.map(async (node) => {
    for (;;) {
      const { status, text } = await agent.get(`${node.url}/health/ready`)
      if (status === 200) return
      if (!node.isRunning()) throw new Error(`${node.name} has ended: ${node.said().slice(-2_000)}`)
      if (performance.now() > endMs) throw new Error(`${node.name} is not ready within ${timeoutMs} ms: ${status} ${text}; it said ${node.said().slice(-2_000)}`)
      await sleep(50)
    }
  }))
}

function running(name: string, dataDir: string, folder: string, command: readonly string[]): Running {
  const log = join(folder, `${name}.log`)
  writeFileSync(log, '')
  let child: ChildProcess | undefined
  let ended: Promise<number | null> = Promise.resolve(0)
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null
  return {
    name, isRunning,
    start() {
      if (isRunning()) throw new Error(`${name} runs already`)
      const started = child = endingWithFile(spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }))
      const output = createWriteStream(log, { flags: 'a' })
      for (const stream of [started.stdout, started.stderr]) stream.pipe(output, { end: false })
      ended = new Promise((resolve) => started.once('exit', resolve))
    },
    signal: (signal) => void child?.kill(signal),
    async kill() {
      child?.kill('SIGKILL')
      await ended
    },
    async end(timeoutMs = 40_000) {
      child?.kill('SIGTERM')
      const late = sleep(timeoutMs, 'late' as const, { ref: false })
      const code = await Promise.race([ended, late])
      if (code === 'late') throw new Error(`${name} has not ended ${timeoutMs} ms after SIGTERM; it said ${readFileSync(log, 'utf8').slice(-2_000)}`)
      return code
    },
    emptyDisk() {
      if (isRunning()) throw new Error(`${name} runs`)
      rmSync(dataDir, { recursive: true, force: true })
    },
    said: () => readFileSync(log, 'utf8'),
  }
}
