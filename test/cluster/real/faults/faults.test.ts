/**
 * Three nodes and three members of etcd, real processes on hosts of their own, under the load of clients, while one fault
 * after the other befalls them: what clients saw is linearizable for every key, nothing acknowledged is lost, nothing is
 * there in part, and writes go on within a lease and two seconds. A minute; ten in the full run. `LSMT_SEED` replays the
 * faults of a run and what clients do, not the moments at which they meet; `LSMT_FAULTS` is an expression for the names of
 * those in faults.ts that are wanted, such as 'cut|stopped'.
 */
import { expect, test } from 'vitest'
import { leftOut } from '../../../test-network.ts'
import { describeEtcd } from '../../etcd/server/etcd-server.ts'
import { startRealCluster } from '../real-cluster.ts'
import { networkFaults, processFaults } from './faults.ts'
import { ordeal } from './ordeal.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const seed = Number(process.env['LSMT_SEED'] ?? Date.now() % 1_000_000)
const durationMs = (isFull ? 600 : 60) * 1_000
const inNetwork = leftOut === undefined
const chosen = new RegExp(process.env['LSMT_FAULTS'] ?? '')
const kinds = (inNetwork ? [...processFaults, ...networkFaults] : processFaults).filter(({ name }) => chosen.test(name))

if (!inNetwork) console.warn(`left out (${leftOut}): nodes that are cut off, slow or lose packets; the faults of processes befall a cluster on loopback`)

describeEtcd('a real cluster', () => {
  test(`that is killed, stopped${inNetwork ? ', cut off' : ''} and robbed of its disks loses nothing (LSMT_SEED=${seed})`, async () => {
    const cluster = await startRealCluster({ etcdMembers: 3, inNetwork })
    const told: string[] = []
    const { wrong, isLate, observed, faultCount } = await ordeal(cluster, { seed, durationMs, kinds, tell: (line) => told.push(line) })
    console.log(told.join('\n'))
    await cluster.stop(wrong.length > 0 || isLate)
    expect(wrong).toEqual([])
    expect(faultCount).toBeGreaterThan(isFull ? 30 : 3)
    expect(observed.history.length).toBeGreaterThan(1_000)
    expect(observed.groups.length).toBeGreaterThan(20)
  }, durationMs + 240_000)
})
