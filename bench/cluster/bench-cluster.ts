/** Three nodes with two copies and one member of etcd, as `npm run cluster` starts them, for benches. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientUrl, etcdCommand } from '../../scripts/cluster/etcd-command.ts'
import { nodeCommand, nodeUrl } from '../../scripts/cluster/node-command.ts'
import { start, stop } from '../../scripts/cluster/processes.ts'
import type { Started } from '../../scripts/cluster/processes.ts'
import { freePorts } from '../../test/shared-server/shared-server.ts'

export interface BenchCluster {
  readonly urls: readonly string[]
  /** SIGKILL, and waits for the end. */
  kill(node: number): Promise<void>
  stop(): Promise<void>
}

const host = '127.0.0.1'
const readyTimeoutMs = 60_000

export async function startBenchCluster(): Promise<BenchCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'lsmt-bench-cluster-'))
  const [clientPort, peerPort, ...ports] = await freePorts(5) as [number, number, ...number[]]
  const member = { name: 'etcd', dataDir: join(folder, 'etcd'), host, clientPort, peerPort }
  const secretFile = join(folder, 'secret')
  writeFileSync(secretFile, 'a secret of the bench\n')
  const cluster = { name: 'bench', etcdUrls: [clientUrl(member)], replicationFactor: 2, secretFile }
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const etcd = start('etcd', etcdCommand(member, [member], folder), print)
  const nodes = ports.map((port, i) => ({ nodeId: `n${i + 1}`, dataDir: join(folder, `n${i + 1}`), host, port }))
  const started = nodes.map((node) => start(node.nodeId, nodeCommand(node, cluster), print))
  const end = async (): Promise<void> => {
    await stop(started, 30_000, print)
    await stop([etcd], 10_000, print)
    rmSync(folder, { recursive: true, force: true })
  }
  const urls = nodes.map(nodeUrl)
  try {
    await Promise.all(urls.map((url, i) => untilReady(url, started[i]!)))
  } catch (error) {
    await end()
    throw new Error(`${(error as Error).message}:\n${lines.join('\n')}`, { cause: error })
  }
  return {
    urls, stop: end,
    async kill(node) {
      started[node]!.child.kill('SIGKILL')
      await started[node]!.ended
    },
  }
}

async function untilReady(url: string, node: Started): Promise<void> {
  for (const endMs = performance.now() + readyTimeoutMs; !node.hasEnded() && performance.now() < endMs; await sleep(50)) {
    if (await fetch(`${url}/health/ready`).then(({ ok }) => ok, () => false)) return
  }
  throw new Error(`a node at ${url} did not become ready`)
}
