/** A cluster that a test leads through a story, step by step. */
import { expect } from 'vitest'
import { checkHistory, verdictText } from '../../linearizability.ts'
import type { RegisterOperation } from '../../linearizability.ts'
import { openAction, seenAction } from '../client.ts'
import type { configStore } from '../config-store.ts'
import { createCluster } from '../cluster.ts'
import type { Cluster, ClusterOptions } from '../cluster.ts'
import type { SimulatedNode } from '../node.ts'
import type { Answer, Request } from '../service.ts'

export interface Scenario extends Cluster {
  /** Who leads when the story begins, the other member, and the spare. */
  readonly first: SimulatedNode
  readonly second: SimulatedNode
  readonly spare: SimulatedNode
  run(ms: number): void
  /** Runs until it holds; false when it does not within `ms`. */
  until(holds: () => boolean, ms?: number): boolean
  /** What clients hear who ask until they are answered, for `ms`. */
  write(key: string, value: string | null, ms?: number): Answer | undefined
  compareAndSet(key: string, expected: string | null, value: string | null, ms?: number): Answer | undefined
  read(key: string, ms?: number): Answer | undefined
  /** One request to one node, not repeated; its answer may come later. */
  ask(node: SimulatedNode, request: Partial<Request>): { readonly answer: Answer | undefined }
  cutOff(node: SimulatedNode, from: readonly (SimulatedNode | typeof configStore)[]): void
  isLeader(node: SimulatedNode): boolean
  /** Violations of what must hold, and of the history of the clients. */
  verdict(): readonly string[]
}

export function begin(options: Partial<ClusterOptions> = {}): Scenario {
  const cluster = createCluster({ seed: 1, ...options })
  const { world, network, observer, nodes } = cluster
  const until = (holds: () => boolean, ms = 3_000): boolean => {
    world.runUntil(world.nowMs + ms, holds)
    return holds()
  }
  const isLeader = (node: SimulatedNode): boolean => node.state?.role.kind === 'leader'
  expect(until(() => cluster.leader !== undefined && cluster.leader.state!.commitSequence === cluster.leader.state!.log.lastSequence)).toBe(true)
  const first = cluster.leader!, second = nodes.find((node) => node !== first && cluster.configuration.members.some(({ node: name }) => name === node.name))!
  const spare = nodes.find((node) => node !== first && node !== second)!
  let clients = 0
  const asked: RegisterOperation[] = []
  function wait(action: Request['action'], key: string, ms: number): Answer | undefined {
    let answer: Answer | undefined
    cluster.client(`client${++clients}`).run(action, key, { kind: 'lease' }, (given) => (answer = given))
    until(() => answer !== undefined, ms)
    return answer
  }
  const scenario: Omit<Scenario, keyof Cluster> = {
    first, second, spare, until, isLeader,
    run: (ms) => world.runUntil(world.nowMs + ms),
    write: (key, value, ms = 2_000) => wait({ kind: 'write', value }, key, ms),
    compareAndSet: (key, expected, value, ms = 2_000) => wait({ kind: 'compareAndSet', expected, value }, key, ms),
    read: (key, ms = 2_000) => wait({ kind: 'read' }, key, ms),
    ask(node, request) {
      const whole: Request = { id: `ask${++clients}`, key: 'k', action: { kind: 'read' }, level: { kind: 'lease' }, ...request }
      const { id, key, action, level } = whole, calledAt = world.nextMoment()
      const asking: { answer: Answer | undefined } = { answer: undefined }
      const place = asked.push({ client: id, key, calledAt, returnedAt: Infinity, action: openAction(action) }) - 1
      node.request(whole, (answer) => {
        asking.answer = answer
        const isTold = (level.kind === 'lease' || level.kind === 'linearizable') && answer.kind !== 'refused' && answer.kind !== 'unknown'
        if (isTold) asked[place] = { client: id, key, calledAt, returnedAt: world.nextMoment(), action: seenAction(action, answer) }
      })
      return asking
    },
    cutOff: (node, from) => from.forEach((other) => network.cutBoth(node.name, typeof other === 'string' ? other : other.name)),
    verdict: () => {
      const verdict = checkHistory([...observer.history, ...asked])
      return verdict.kind === 'violation' ? [...observer.violations, verdictText(verdict)] : observer.violations
    },
  }
  // Getters of the cluster stay getters.
  return Object.defineProperties(scenario, Object.getOwnPropertyDescriptors(cluster)) as Scenario
}

export const valueOf = (answer: Answer | undefined): string | null | undefined => (answer?.kind === 'value' ? answer.value : undefined)
