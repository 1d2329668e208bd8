/** A client that does one thing after the other, asks again where it is refused or hears nothing, and notes what it saw. */
import type { ReadLevel } from '../../../src/cluster/replication/event.ts'
import type { RegisterAction, RegisterOperation } from '../linearizability.ts'
import type { Network } from './network.ts'
import type { SimulatedNode } from './node.ts'
import type { Observer } from './observer.ts'
import type { Answer, Request } from './service.ts'
import type { World } from './world.ts'

export interface ClientParts {
  readonly world: World
  readonly network: Network
  readonly observer: Observer
  readonly nodes: readonly SimulatedNode[]
}

export interface Client {
  /** `done` gets undefined when it gave up. */
  run(action: Request['action'], key: string, level: ReadLevel, done: (answer: Answer | undefined) => void): void
  /** What the client has seen: its session. */
  readonly token: number
}

const attemptMs = 120
const patienceMs = 2_500

export function createClient({ world, network, observer, nodes }: ClientParts, name: string): Client {
  let requests = 0, token = 0, leader = nodes[0]!.name

  function attempt(request: Request, node: SimulatedNode, answered: (answer: Answer | undefined) => void): void {
    let isOver = false
    const end = (answer: Answer | undefined): void => {
      if (isOver) return
      isOver = true
      answered(answer)
    }
    network.send(name, node.name, () => node.request(request, (answer) => network.send(node.name, name, () => end(answer))))
    world.after(attemptMs, () => end(undefined))
  }

  function run(action: Request['action'], key: string, level: ReadLevel, done: (answer: Answer | undefined) => void): void {
    const request: Request = { id: `${name}.${++requests}`, key, action, level }
    const calledAt = world.nextMoment(), giveUpAtMs = world.nowMs + patienceMs
    const note = (returnedAt: number, seen: RegisterAction): void => {
      // Sessions and stale reads promise less.
      if (level.kind === 'lease' || level.kind === 'linearizable') observer.history.push({ client: name, key, calledAt, returnedAt, action: seen } satisfies RegisterOperation)
    }
    const again = (node: string | undefined): void => {
      const isAnywhere = level.kind === 'session' || level.kind === 'stale' || node === undefined
      const target = isAnywhere ? nodes[world.random.below(nodes.length)]! : nodes.find((other) => other.name === node)!
      attempt(request, target, (answer) => take(target, answer))
    }
    const take = (target: SimulatedNode, answer: Answer | undefined): void => {
      if (answer === undefined || answer.kind === 'refused' || answer.kind === 'unknown') {
        if (world.nowMs >= giveUpAtMs) {
          note(Infinity, openAction(action))
          return done(undefined)
        }
        return world.after(world.between(2, 20), () => again(answer?.kind === 'refused' && !world.oneIn(4) ? answer.leader : undefined))
      }
      leader = target.name
      if (answer.kind !== 'mismatch') token = Math.max(token, answer.sequence)
      note(world.nextMoment(), seenAction(action, answer))
      done(answer)
    }
    again(leader)
  }

  return { run, get token() { return token } }
}

/** What is noted when nobody was told what came of it. */
export function openAction(action: Request['action']): RegisterAction {
  if (action.kind === 'read') return { kind: 'read', value: null }
  return action.kind === 'write' ? action : { ...action, succeeded: undefined }
}

export function seenAction(action: Request['action'], answer: Answer): RegisterAction {
  if (answer.kind === 'value') return { kind: 'read', value: answer.value }
  return action.kind === 'compareAndSet' ? { ...action, succeeded: answer.kind === 'written' } : (action as RegisterAction)
}
