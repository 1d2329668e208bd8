/** A cluster under load while one fault after the other befalls it, from one seed; then the judgement. */
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../../../../src/cli/serve/cluster-status.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { checkHistory, verdictText } from '../../linearizability.ts'
import { nowMs } from '../load/call.ts'
import type { Observed, ProbeOutcome } from '../load/observed.ts'
import type { RealCluster } from '../real-cluster.ts'
import type { Fault, FaultKind } from './faults.ts'
import { loggedBetween } from './logged.ts'

/** A lease, and two seconds. */
const resumeMsMax = 3_000 + 2_000
/** For each process that waits for a processor all the time; one is the machine's own noise. */
const slackMsPerWaiting = 1_000
/** After everything is well again: for nodes that come back with nothing, on a busy machine. */
const wellMsMax = 60_000
const quietMs = 1_000

export interface OrdealOptions {
  readonly seed: number
  readonly durationMs: number
  readonly kinds: readonly FaultKind[]
  readonly registerClients?: number
  readonly tell: (line: string) => void
}

export interface Judgement {
  /** Whatever was wrong; empty: nothing. */
  readonly wrong: readonly string[]
  /** Writes went on later than they are to, even if the machine was too busy for that to be wrong: files say what the nodes logged. */
  readonly isLate: boolean
  readonly observed: Observed
  readonly faultCount: number
}

interface Befallen {
  readonly fault: Fault
  readonly beganAt: number
  readonly endedAt: number
  readonly beganAtWallMs: number
  /** Beyond `resumeMsMax`, since the machine was busy with other things as well. */
  readonly slackMs: number
}

export async function ordeal(cluster: RealCluster, { seed, durationMs, kinds, registerClients = 8, tell }: OrdealOptions): Promise<Judgement> {
  const random = seededRandom(seed)
  tell(`LSMT_SEED=${seed}: ${durationMs / 1000} s in ${cluster.folder}`)
  await cluster.ready()
  await cluster.agent.startLoad({ urls: cluster.nodes.map(({ url }) => url), seed, registerClients, copies: 2 })
  const startedAt = nowMs(), befallen: Befallen[] = [], wrong: string[] = []
  const since = (): string => `${((nowMs() - startedAt) / 1000).toFixed(1)} s`
  let waiting: FaultKind[] = []
  await sleep(quietMs)
  while (nowMs() < startedAt + durationMs && wrong.length === 0) {
    if (waiting.length === 0) waiting = [...kinds]
    const fault = waiting.splice(random.below(waiting.length), 1)[0]!(cluster, random)
    tell(`${since()}: ${fault.name}`)
    await fault.prepare?.()
    const beganAt = nowMs(), beganAtWallMs = Date.now()
    await fault.begin()
    await sleep(beganAt + fault.lastsMs - nowMs())
    await fault.end()
    const endedAt = nowMs()
    befallen.push({ fault, beganAt, endedAt, beganAtWallMs, slackMs: slackNow() })
    const notWell = await untilWell(cluster)
    if (notWell !== undefined) wrong.push(`after '${fault.name}' it is not well again: ${notWell}`)
    tell(`${since()}: ${notWell ?? `well again, after ${Math.round(nowMs() - endedAt)} ms`}`)
    await sleep(quietMs)
  }
  const observed = await cluster.agent.stopLoad()
  const lateFiles: string[] = []
  for (const each of befallen) {
    const { late, isWrong } = judgeResumption(each, observed.probes, tell)
    if (late === undefined) continue
    const file = join(cluster.folder, `late-${lateFiles.length + 1}.log`)
    writeFileSync(file, `${late}\n${loggedBetween(cluster, each.beganAtWallMs, each.beganAtWallMs + each.endedAt - each.beganAt)}`)
    lateFiles.push(file)
    tell(`${late}; ${file} has what the nodes logged meanwhile`)
    if (isWrong) wrong.push(late)
  }
  const verdict = checkHistory(observed.history)
  if (verdict.kind === 'violation') wrong.push(verdictText(verdict))
  wrong.push(...observed.violations, ...observed.givenUp.map((text) => `never answered: ${text}`))
  tell(`${observed.history.length} operations, ${observed.groups.length} groups, ${observed.probes.length} probes; requests: ${JSON.stringify(observed.counts)}`)
  return { wrong, isLate: lateFiles.length > 0, observed, faultCount: befallen.length }
}

function slackNow(): number {
  return Math.round(slackMsPerWaiting * Math.max(1, loadavg()[0]! / availableParallelism()))
}

/** Every node is ready and takes a write to all shards, and every shard has its copies. Says what is wrong when that takes too long. */
async function untilWell({ nodes, agent }: RealCluster): Promise<string | undefined> {
  const endMs = performance.now() + wellMsMax
  let found: string | undefined
  do {
    const states = await Promise.all(nodes.map(async (node, i) => {
      const { status, text } = await agent.get(`${node.url}/health/ready`)
      if (status !== 200) return `${node.name} is not ready (${status} ${text.slice(0, 200)})${node.isRunning() ? '' : `: it has ended, and said ${node.said().slice(-1_000)}`}`
      const written = await agent.call({ url: node.url, sql: `INSERT INTO probes VALUES ${Array.from({ length: 32 }, (_, row) => `(${-1 - 32 * i - row}, 0)`).join(', ')}`, timeoutMs: 2_500 })
      return written.kind === 'answered' ? undefined : `${node.name} does not take writes (${written.code} ${written.message})`
    }))
    found = states.find((state) => state !== undefined) ?? lackOfCopies((await agent.get(`${nodes[0]!.url}/status`, 3_000)).text)
    if (found !== undefined) await sleep(100)
  } while (found !== undefined && performance.now() < endMs)
  return found
}

function lackOfCopies(text: string): string | undefined {
  const { cluster } = JSON.parse(text) as { readonly cluster?: ClusterStatus }
  const lacking = cluster?.shards.filter(({ ready, members, joining, copies, lag }) => ready !== true || joining !== null || (copies ?? 0) < cluster.replicationFactor || lag === null || !members.every(({ live }) => live))
  return lacking === undefined || lacking.length === 0 ? undefined : `shards lack copies: ${JSON.stringify(lacking)}`
}

/** When each node that is to serve took the first write of those that were sent after the fault began. */
function judgeResumption({ fault, beganAt, endedAt, slackMs }: Befallen, probes: readonly ProbeOutcome[], tell: (line: string) => void): { readonly late: string | undefined; readonly isWrong: boolean } {
  const after = fault.serving.map((node) => {
    const first = probes.find((probe) => probe.node === node && probe.code === undefined && probe.calledAt >= beganAt)
    return { node: `n${node + 1}`, ms: first === undefined ? Infinity : Math.round(first.returnedAt - beganAt) }
  })
  const told = `${fault.name}: writes went on after ${after.map(({ node, ms }) => `${ms} ms (${node})`).join(', ')}; it lasted ${Math.round(endedAt - beganAt)} ms`
  tell(told)
  const ms = Math.max(...after.map((each) => each.ms))
  return { late: ms > resumeMsMax ? `${told}; more than ${resumeMsMax} ms, and ${slackMs} ms for a busy machine, are too many` : undefined, isWrong: ms > resumeMsMax + slackMs }
}
