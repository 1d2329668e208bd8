/**
 * Random schedules of everything that can go wrong, each from one seed: what must hold is asserted after every step, what
 * clients saw is linearizable for every key, and once all is well again writes go through. `LSMT_SEED=n` replays one and
 * prints what happened in it, `LSMT_CLUSTER=5,3` says that it is one of five nodes and three copies.
 */
import { describe, expect, it } from 'vitest'
import { runSchedule } from './schedule.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const oneSeed = process.env['LSMT_SEED']
/** Nodes and copies of the one that is replayed. */
const [nodeCountOfOne = 3, factorOfOne = 2] = (process.env['LSMT_CLUSTER'] ?? '3,2').split(',').map(Number)
/** The everyday run is the same every time; the full one looks at other schedules each time. */
const firstSeed = isFull ? 1 + (Date.now() % 1_000_000_000) : 1
const partCount = isFull ? 20 : 1
const schedulesOfPart = isFull ? 5_250 : 925

/** What they are to lead to, each a few times, so that it is known what they are a test of. */
const expected = [
  'send append', 'send appended', 'send position', 'send diverged', 'send install', 'send locate', 'send fenced',
  'truncateLog', 'fetchFiles', 'readLog', 'storeEpoch', 'readConfiguration',
  'swap lead', 'swap renew', 'swap join', 'swap joined', 'swap resign',
  'serve lease', 'serve linearizable', 'serve session', 'serve stale',
  'refuse notLeader', 'refuse notReady', 'refuse outcomeUnknown', 'refuse timedOut',
]

interface Outcome {
  readonly failures: readonly string[]
  readonly missing: readonly string[]
}

function outcomeOf(seeds: readonly number[], nodeCount: number, factor: number): Outcome {
  const failures: string[] = [], counts = new Map<string, number>()
  for (const seed of seeds) {
    const { violations, cluster } = runSchedule({ seed, nodeCount, factor })
    if (violations.length > 0) failures.push(`LSMT_SEED=${seed} LSMT_CLUSTER=${nodeCount},${factor} ${violations[0]}`)
    if (failures.length === 3) break
    for (const [what, count] of cluster.observer.counts) counts.set(what, (counts.get(what) ?? 0) + count)
  }
  return { failures, missing: expected.filter((what) => (counts.get(what) ?? 0) < 3) }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return
  Object.freeze(value)
  Object.values(value).forEach(freeze)
}

const seeds = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => from + i)

describe.skipIf(oneSeed !== undefined)('random schedules', () => {
  it.each(seeds(0, partCount))('of three nodes and two copies lose nothing, and lead to everything that there is (part %i)', (part) => {
    expect(outcomeOf(seeds(firstSeed + part * schedulesOfPart, schedulesOfPart), 3, 2)).toEqual({ failures: [], missing: [] })
  }, 1_800_000)

  it.each([[3, 3], [4, 2], [5, 3]])('of %i nodes and %i copies lose nothing', (nodeCount, factor) => {
    expect(outcomeOf(seeds(firstSeed, isFull ? 1_000 : 25), nodeCount, factor).failures).toEqual([])
  })

  it('take steps that change nothing in place', () => {
    for (const seed of seeds(1, 10)) expect(runSchedule({ seed, seal: freeze }).violations).toEqual([])
  })

  it('are the same every time', () => {
    const trace = (): readonly string[] | undefined => runSchedule({ seed: 7, isTraced: true }).cluster.world.trace
    const first = trace()
    expect(first!.length).toBeGreaterThan(10)
    expect(trace()).toEqual(first)
  })
})

it.runIf(oneSeed !== undefined)('one schedule', () => {
  const { violations, cluster } = runSchedule({ seed: Number(oneSeed), nodeCount: nodeCountOfOne, factor: factorOfOne, isTraced: true })
  console.log(cluster.world.trace?.join('\n'))
  expect(violations).toEqual([])
})
