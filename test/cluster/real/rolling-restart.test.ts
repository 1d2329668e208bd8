/** Every node is restarted by SIGTERM, one after the other, under load: who asks a node that is there has an answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import { checkHistory, verdictText } from '../linearizability.ts'
import { nowMs } from './load/call.ts'
import { startRealCluster } from './real-cluster.ts'

describeEtcd('a rolling restart', () => {
  test('fails no request to nodes that are there, and loses nothing', async () => {
    const cluster = await startRealCluster({})
    await cluster.ready()
    await cluster.agent.startLoad({ urls: cluster.nodes.map(({ url }) => url), seed: 1, registerClients: 6, copies: 2 })
    await sleep(1_000)
    const away: { readonly from: number; readonly to: number }[] = [], exitCodes: (number | null)[] = []
    for (const node of cluster.nodes) {
      const from = nowMs()
      exitCodes.push(await node.end())
      node.start()
      await cluster.ready()
      away.push({ from, to: nowMs() })
      await sleep(500)
    }
    const observed = await cluster.agent.stopLoad()
    // All at once: nobody waits for others that stop as well.
    exitCodes.push(...(await Promise.all(cluster.nodes.map((node) => node.end()))))
    const inVain = cluster.nodes.filter((node) => node.said().includes('nobody has taken over')).map(({ name }) => name)
    const told = away.map(({ from, to }, i) => `${cluster.nodes[i]!.name} was away for ${Math.round(to - from)} ms`).join(', ')
    console.log(`${told}; requests: ${JSON.stringify(observed.counts)}`)
    const failed = observed.probes.filter(({ node, code, calledAt, returnedAt }) => code !== undefined && !(calledAt < away[node]!.to && returnedAt > away[node]!.from))
    await cluster.stop(failed.length > 0)
    expect(exitCodes).toEqual([0, 0, 0, 0, 0, 0])
    expect(inVain).toEqual([])
    expect(failed.map(({ node, code, calledAt }) => `n${node + 1} ${code} ${Math.round(calledAt - away[0]!.from)} ms after the beginning`)).toEqual([])
    expect(observed.violations).toEqual([])
    expect(observed.givenUp).toEqual([])
    expect(verdictText(checkHistory(observed.history))).toBe('linearizable')
  }, 180_000)
})
