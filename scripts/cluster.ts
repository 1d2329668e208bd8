/** `npm run cluster`: etcd and three nodes on this machine, for development. The same without Docker as docker-compose.yml with it. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { etcdCommand, isOnPath } from './cluster/etcd-command.ts'
import { builtProgram, nodeCommand, nodeUrl } from './cluster/node-command.ts'
import { start, stop } from './cluster/processes.ts'
import type { Started } from './cluster/processes.ts'
import { setupOf, usage } from './cluster/setup.ts'
import type { Setup } from './cluster/setup.ts'

const startTimeoutMs = 60_000
/** A node hands over what it leads and lets requests end; etcd only closes its files. */
const nodeStopTimeoutMs = 40_000, etcdStopTimeoutMs = 10_000

const print = (line: string): void => console.log(line)

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return print(usage)
  if (!isOnPath('etcd', process.env['PATH'] ?? '')) throw new Error('etcd is not installed: on Debian and Ubuntu, apt-get install --no-install-recommends etcd-server; or see https://etcd.io for other systems')
  if (!existsSync(builtProgram[1]!)) throw new Error('dist/main.js is not there: npm run build')
  const setup = setupOf(process.argv.slice(2))
  const isAsked = stopAsked()
  const members = setup.members.map((member) => start(member.name, etcdCommand(member, setup.members, setup.cluster.name), print))
  const nodes = setup.nodes.map((node) => start(node.nodeId, nodeCommand(node, setup.cluster), print))
  try {
    const isReady = await Promise.race([isAsked.then(() => false), allReady(setup, [...members, ...nodes]).then(() => true)])
    if (isReady) {
      welcome(setup)
      for (const each of [...members, ...nodes]) tellEnd(each, isAsked)
      await Promise.race([isAsked, Promise.all(nodes.map(({ ended }) => ended))])
    }
  } finally {
    print('stopping')
    // etcd last: nodes hand over what they lead.
    await stop(nodes, nodeStopTimeoutMs, print)
    await stop(members, etcdStopTimeoutMs, print)
  }
}

/** Resolves at the first signal; a second one ends everything at once. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    let wasAsked = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (wasAsked) process.exit(1)
        wasAsked = true
        resolve()
      })
    }
  })
}

async function allReady({ nodes }: Setup, processes: readonly Started[]): Promise<void> {
  const failed = Promise.race(processes.map(async ({ name, ended }) => { throw new Error(`${name} ${await ended} before all were ready`) }))
  const ready = Promise.all(nodes.map(async (node) => {
    for (const endMs = performance.now() + startTimeoutMs; performance.now() < endMs; await sleep(100)) if (await isReady(nodeUrl(node))) return
    throw new Error(`${node.nodeId} was not ready within ${startTimeoutMs / 1000} s`)
  }))
  await Promise.race([failed, ready])
}

const isReady = (url: string): Promise<boolean> => fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(({ ok }) => ok, () => false)

function welcome({ nodes }: Setup): void {
  print(`the cluster is ready: ${nodes.map(nodeUrl).join(', ')}. Ctrl-C stops it. For example:`)
  print(`  curl -X POST ${nodeUrl(nodes[0]!)}/query -d "INSERT INTO kv VALUES ('hello','world')"`)
  for (const node of nodes.slice(1)) print(`  curl -X POST ${nodeUrl(node)}/query -d "SELECT value FROM kv WHERE key = 'hello'"`)
}

/** Whoever kills one to see what happens can start it again. */
function tellEnd({ name, command, ended }: Started, isAsked: Promise<void>): void {
  let wasAsked = false
  void isAsked.then(() => { wasAsked = true })
  void ended.then((how) => { if (!wasAsked) print(`[${name}] ${how}; to start it again: ${command.join(' ')}`) })
}

try {
  await main()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
