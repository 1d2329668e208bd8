/** The tests of real clusters, tested: a stub that keeps its promises passes them, and one that breaks them in one way is caught by the check meant for it. */
import { join } from 'node:path'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { leftOut } from '../../../test-network.ts'
import { describeEtcd } from '../../etcd/server/etcd-server.ts'
import { checkHistory, verdictText } from '../../linearizability.ts'
import { networkFaults, processFaults } from '../faults/faults.ts'
import { ordeal } from '../faults/ordeal.ts'
import type { Observed } from '../load/observed.ts'
import { startRealCluster } from '../real-cluster.ts'
import type { RealCluster } from '../real-cluster.ts'

const program = [process.execPath, '--import', 'tsx', join(import.meta.dirname, 'stub-node.ts')]
let cluster: RealCluster | undefined

async function loaded(fault: string | undefined, disturb: (cluster: RealCluster) => Promise<void>): Promise<Observed> {
  cluster = await startRealCluster({ program: [...(fault === undefined ? [] : ['env', `STUB_FAULT=${fault}`]), ...program] })
  await cluster.ready()
  await cluster.agent.startLoad({ urls: cluster.nodes.map(({ url }) => url), seed: 1, registerClients: 8, copies: 2 })
  await disturb(cluster)
  return await cluster.agent.stopLoad()
}

/** As much load as a quiet machine makes in that time. */
const loadFor = (ms: number): Promise<void> => sleep(ms * Math.min(6, Math.max(1, loadavg()[0]! / availableParallelism())))

describeEtcd('the load of the tests of real clusters', () => {
  afterEach(async () => {
    await cluster?.stop()
    cluster = undefined
  })

  test('finds nothing wrong with a stub that keeps its promises, also when its processes are killed and stopped', async () => {
    const observed = await loaded(undefined, async ({ nodes, members, ready }) => {
      await loadFor(1_000)
      await nodes[0]!.kill()
      nodes[1]!.signal('SIGSTOP')
      await sleep(500)
      nodes[0]!.start()
      nodes[1]!.signal('SIGCONT')
      await members[0]!.kill()
      await sleep(500)
      members[0]!.start()
      await ready()
    })
    expect(observed.violations).toEqual([])
    expect(observed.givenUp).toEqual([])
    expect(verdictText(checkHistory(observed.history))).toBe('linearizable')
    expect(observed.history.length).toBeGreaterThan(500)
    expect(observed.groups.length).toBeGreaterThan(5)
    expect(new Set(observed.probes.map(({ node }) => node)).size).toBe(3)
    expect(observed.counts['refused ECONNREFUSED']).toBeGreaterThan(0)
  })

  test.each([
    ['late', 'acknowledges before it has written'],
    ['old', 'reads what was a moment ago'],
    ['blind', 'swaps what has changed in between'],
  ])('finds that history when a stub %s: %s', async (fault) => {
    const observed = await loaded(fault, () => loadFor(2_000))
    expect(checkHistory(observed.history).kind).toBe('violation')
  })

  test('finds parts of statements', async () => {
    const violations = (await loaded('part', () => loadFor(2_000))).violations.join('\n')
    expect(violations).toContain('groups are there in part')
    expect(violations).toContain('lacks rows of acknowledged groups')
  })

  test.runIf(process.env['LSMT_TEST_FULL'] && leftOut === undefined)('finds out when writes do not go on in time: a stub needs etcd for each', async () => {
    cluster = await startRealCluster({ program, inNetwork: true, etcdMembers: 3 })
    const { wrong, faultCount } = await ordeal(cluster, { seed: 7, durationMs: 75_000, kinds: [...processFaults, ...networkFaults], tell: (line) => console.log(line) })
    expect(faultCount).toBeGreaterThan(7)
    expect(wrong.length).toBeGreaterThan(0)
    expect(wrong.filter((text) => !text.startsWith("'etcd-1 and etcd-2 are killed': writes at "))).toEqual([])
  }, 200_000)
})
