/** What can happen to a cluster that leaves every shard a member and the spare; each is chosen by chance, begins, and is over some time later. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../../../src/runtime/random.ts'
import type { RealCluster } from '../real-cluster.ts'

export interface Fault {
  readonly name: string
  /** Nodes that are to take writes while it lasts, after as long as it may take. */
  readonly serving: readonly number[]
  readonly lastsMs: number
  /** Brings about what is to be so when it begins; nothing is measured yet. */
  prepare?(): Promise<void>
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

export type FaultKind = (cluster: RealCluster, random: Random) => Fault

/** Long enough to be noticed, and for the writes after it to be measured. */
const lastingMs = (random: Random): number => 5_500 + random.below(1_500)
const others = ({ nodes }: RealCluster, but: readonly number[]): readonly number[] => nodes.map((_, i) => i).filter((i) => !but.includes(i))

const killed: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length), node = cluster.nodes[i]!
  return { name: `${node.name} is killed, and comes back`, serving: others(cluster, [i]), lastsMs: lastingMs(random), begin: () => node.kill(), end: () => node.start() }
}

const killedForAMoment: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length), node = cluster.nodes[i]!
  const begin = async (): Promise<void> => {
    await node.kill()
    node.start()
  }
  return { name: `${node.name} is killed, and comes back at once`, serving: others(cluster, [i]), lastsMs: lastingMs(random), begin, end: () => {} }
}

const emptied: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length), node = cluster.nodes[i]!
  const end = (): void => {
    node.emptyDisk()
    node.start()
  }
  return { name: `${node.name} is killed, and comes back with an empty disk`, serving: others(cluster, [i]), lastsMs: lastingMs(random), begin: () => node.kill(), end }
}

const stopped: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length), node = cluster.nodes[i]!
  return { name: `${node.name} stands still`, serving: others(cluster, [i]), lastsMs: lastingMs(random), begin: () => node.signal('SIGSTOP'), end: () => node.signal('SIGCONT') }
}

/** While copies and leaderships move to it, since it has just come back without any. */
const stoppedOnReturn: FaultKind = (cluster, random) => {
  const fault = stopped(cluster, random), node = cluster.nodes.find(({ name }) => fault.name.startsWith(name))!
  const awayMs = 4_500 + random.below(1_500), backMs = random.below(10_000)
  const prepare = async (): Promise<void> => {
    await node.kill()
    await sleep(awayMs)
    node.start()
    while ((await cluster.agent.get(`${node.url}/health/ready`)).status !== 200) await sleep(20)
    await sleep(backMs)
  }
  return { ...fault, name: `${fault.name}, ${backMs} ms after it came back`, prepare }
}

/** For less than its lease: nobody else takes over, and it must not believe that no time has gone by. */
const stoppedBriefly: FaultKind = (cluster, random) => {
  const node = cluster.nodes[random.below(cluster.nodes.length)]!
  const begin = async (): Promise<void> => {
    node.signal('SIGSTOP')
    await sleep(500 + random.below(1_500))
    node.signal('SIGCONT')
  }
  return { name: `${node.name} stands still for a moment`, serving: others(cluster, []), lastsMs: lastingMs(random), begin, end: () => {} }
}

const etcdMemberKilled: FaultKind = (cluster, random) => {
  const member = cluster.members[random.below(cluster.members.length)]!
  return { name: `${member.name} is killed`, serving: others(cluster, []), lastsMs: lastingMs(random), begin: () => member.kill(), end: () => member.start() }
}

/** Nothing about the nodes can be changed meanwhile, and nothing needs to. */
const etcdGone: FaultKind = (cluster, random) => {
  const gone = cluster.members.slice(0, Math.floor(cluster.members.length / 2) + 1)
  return {
    name: `${gone.map(({ name }) => name).join(' and ')} are killed`, serving: others(cluster, []), lastsMs: lastingMs(random),
    begin: async () => void (await Promise.all(gone.map((member) => member.kill()))),
    end: () => { for (const member of gone) member.start() },
  }
}

const heal = ({ network }: RealCluster) => (): void => network!.heal()

/** From the other nodes and from etcd, not from those who ask it. */
const cutOff: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length)
  const begin = (): void => { for (let other = 0; other < cluster.nodes.length + cluster.members.length; other++) if (other !== i) cluster.network!.cut(i, other) }
  return { name: `${cluster.nodes[i]!.name} is cut off`, serving: others(cluster, [i]), lastsMs: lastingMs(random), begin, end: heal(cluster) }
}

/** It hears everything, and is not heard; or the other way round. */
const cutOffOneWay: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length), isHeard = random.below(2) === 0
  const begin = (): void => {
    for (let other = 0; other < cluster.nodes.length + cluster.members.length; other++) {
      if (other === i) continue
      if (isHeard) cluster.network!.cutOneWay(other, i)
      else cluster.network!.cutOneWay(i, other)
    }
  }
  return { name: `${cluster.nodes[i]!.name} ${isHeard ? 'is heard, and hears nothing' : 'hears, and is not heard'}`, serving: others(cluster, [i]), lastsMs: lastingMs(random), begin, end: heal(cluster) }
}

/** Both are there for everybody else, and for etcd. */
const linkCut: FaultKind = (cluster, random) => {
  const a = random.below(cluster.nodes.length), b = (a + 1 + random.below(cluster.nodes.length - 1)) % cluster.nodes.length
  const isOneWay = random.below(2) === 0
  const begin = (): void => (isOneWay ? cluster.network!.cutOneWay(a, b) : cluster.network!.cut(a, b))
  const [one, two] = [cluster.nodes[a]!.name, cluster.nodes[b]!.name]
  return { name: isOneWay ? `${two} does not hear ${one}` : `${one} and ${two} are cut off from each other`, serving: others(cluster, [a, b]), lastsMs: lastingMs(random), begin, end: heal(cluster) }
}

const slowed: FaultKind = (cluster, random) => {
  const i = random.below(cluster.nodes.length), isLossy = random.below(2) === 0
  const begin = (): void => (isLossy ? cluster.network!.lose(i, 5) : cluster.network!.slow(i, 4_000))
  return { name: `${cluster.nodes[i]!.name} ${isLossy ? 'loses one packet of twenty' : 'sends 4 Mbit/s'}`, serving: others(cluster, []), lastsMs: lastingMs(random), begin, end: heal(cluster) }
}

export const processFaults: readonly FaultKind[] = [killed, killedForAMoment, emptied, stopped, stoppedOnReturn, stoppedBriefly, etcdMemberKilled, etcdGone]
export const networkFaults: readonly FaultKind[] = [cutOff, cutOffOneWay, linkCut, slowed]
