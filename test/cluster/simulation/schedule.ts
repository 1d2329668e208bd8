/** One random schedule: clients and faults for a while, then rest, in which everything must work again. */
import type { ReadLevel } from '../../../src/cluster/replication/event.ts'
import { checkHistory, verdictText } from '../linearizability.ts'
import type { Client } from './client.ts'
import { createCluster } from './cluster.ts'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { healAll, plague } from './faults.ts'
import type { Request } from './service.ts'

export interface ScheduleResult {
  readonly violations: readonly string[]
  readonly cluster: Cluster
}

const faultsMs = 1_200
/** Of rest, until a write must have gone through: a lease and the time to find out, and some. */
const recoveryMs = 2_500
/** After the last request, until all must have an answer; and how long a node may still stand still. */
const quietMs = 150, stallMsMax = 400
const keys = ['a', 'b', 'c']
const operationsOfClient = 18

/** Time that goes by until `untilMs`, or until it is done. */
interface Passing {
  readonly untilMs: number
  readonly isDone?: () => boolean
}

export function runSchedule(options: ClusterOptions): ScheduleResult {
  const cluster = createCluster(options)
  try {
    for (const { untilMs, isDone } of story(cluster)) cluster.world.runUntil(untilMs, isDone)
  } catch (error) {
    cluster.observer.report(`a step throws: ${(error as Error).stack}`)
  }
  return judge(cluster)
}

/** The same with nodes that wait for promises. */
export async function runSettlingSchedule(options: ClusterOptions): Promise<ScheduleResult> {
  const cluster = createCluster(options)
  for (const { untilMs, isDone } of story(cluster)) await cluster.world.runSettling(untilMs, isDone)
  return judge(cluster)
}

function judge(cluster: Cluster): ScheduleResult {
  const { observer } = cluster
  if (observer.violations.length === 0) {
    const verdict = checkHistory(observer.history)
    if (verdict.kind === 'violation') observer.report(verdictText(verdict))
  }
  return { violations: observer.violations, cluster }
}

function* story(cluster: Cluster): Generator<Passing, void, void> {
  const { world, observer } = cluster
  let clientsLeft = 3
  for (let i = 1; i <= 3; i++) {
    const client = cluster.client(`c${i}`)
    world.after(world.between(0, 40), () => live(cluster, client, operationsOfClient, () => clientsLeft--))
  }
  plague(cluster, faultsMs)
  const isBroken = (): boolean => observer.violations.length > 0
  yield { untilMs: faultsMs, isDone: isBroken }
  if (!isBroken()) yield* rest(cluster, () => clientsLeft === 0, isBroken)
}

function* rest(cluster: Cluster, areClientsDone: () => boolean, isBroken: () => boolean): Generator<Passing, void, void> {
  const { world, observer } = cluster
  healAll(cluster)
  let written = 0
  const healedAtMs = world.nowMs
  for (const key of keys) cluster.client(`last-${key}`).run({ kind: 'write', value: `last ${key}` }, key, { kind: 'lease' }, (answer) => {
    if (answer !== undefined) cluster.client(`read-${key}`).run({ kind: 'read' }, key, { kind: 'linearizable' }, (value) => { if (value !== undefined) written++ })
  })
  yield { untilMs: healedAtMs + 2 * recoveryMs, isDone: () => isBroken() || (written === keys.length && areClientsDone()) }
  if (!isBroken() && written < keys.length) observer.report(`no write goes through ${world.nowMs - healedAtMs} ms after everything is well again`)
  if (isBroken()) return
  yield { untilMs: Math.max(world.nowMs + quietMs, healedAtMs + stallMsMax + quietMs) }
  for (const { name, waitingCount } of cluster.nodes) if (waitingCount > 0) observer.report(`${waitingCount} requests to ${name} have got no answer`)
}

function live(cluster: Cluster, client: Client, left: number, done: () => void): void {
  if (left === 0) return done()
  const { world } = cluster
  const next = (): void => live(cluster, client, left - 1, done)
  const key = keys[world.random.below(keys.length)]!
  const { action, level } = choose(cluster, client, left)
  client.run(action, key, level, () => world.after(world.between(2, 70), next))
}

const values = ['1', '2', null]

function choose({ world }: Cluster, { token }: Client, left: number): Pick<Request, 'action' | 'level'> {
  const strong: ReadLevel = world.oneIn(2) ? { kind: 'linearizable' } : { kind: 'lease' }
  const someValue = (): string | null => values[world.random.below(values.length)]!
  switch (world.random.below(8)) {
    case 0:
    case 1:
      return { action: { kind: 'write', value: someValue() }, level: { kind: 'lease' } }
    case 2:
      return { action: { kind: 'write', value: `${left} ${world.random.below(1_000_000)}` }, level: { kind: 'lease' } }
    case 3:
    case 4:
      return { action: { kind: 'compareAndSet', expected: someValue(), value: someValue() }, level: strong }
    case 5:
      return { action: { kind: 'read' }, level: world.oneIn(2) ? { kind: 'session', afterSequence: token } : { kind: 'stale', staleMsMax: world.between(20, 300) } }
    default:
      return { action: { kind: 'read' }, level: strong }
  }
}
