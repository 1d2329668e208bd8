/**
 * The random schedules of the simulation, with the real replica around the step function: its driver, its queue to the
 * disk, its fencing, its releases and its files, over simulated clock, network, disks and configuration store.
 * `LSMT_SEED=n` replays one and prints what happened in it.
 */
import { expect, it } from 'vitest'
import { runSettlingSchedule } from '../simulation/schedule.ts'
import { replicaNodes } from './simulated-replica.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const oneSeed = process.env['LSMT_SEED']
const firstSeed = isFull ? 1 + (Date.now() % 1_000_000_000) : 1
const scheduleCount = isFull ? 2_000 : 50

it.skipIf(oneSeed !== undefined)('lose nothing with the real replica', async () => {
  const failures: string[] = []
  for (let seed = firstSeed; seed < firstSeed + scheduleCount && failures.length < 3; seed++) {
    const { violations } = await runSettlingSchedule({ seed, nodeOf: replicaNodes() })
    if (violations.length > 0) failures.push(`LSMT_SEED=${seed} ${violations[0]}`)
  }
  expect(failures).toEqual([])
}, 1_800_000)

it.runIf(oneSeed !== undefined)('one schedule', async () => {
  const { violations, cluster } = await runSettlingSchedule({ seed: Number(oneSeed), isTraced: true, nodeOf: replicaNodes() })
  console.log(cluster.world.trace?.join('\n'))
  expect(violations).toEqual([])
})
