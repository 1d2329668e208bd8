/**
 * An owner that stands still at one of its requests to the bucket, before it takes effect or before its answer comes,
 * while another one takes the shard over, writes, flushes and compacts; then the first wakes up. Outcomes of creations get
 * lost meanwhile. Tells what is wrong: nothing when the first one acknowledges no append that was not there at the
 * takeover, publishes nothing behind the second, and everything that either acknowledged is there in the end, once.
 */
import { setTimeout } from 'node:timers/promises'
import { refusalOf } from '../../../src/cluster/replica/refusal.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createSharedBucket } from '../../../src/storage/simulated/shared-bucket.ts'
import type { BucketRequest } from '../../../src/storage/simulated/shared-bucket.ts'
import { describeOutcome } from '../../engine/bucket/two-writers.ts'
import { batchOf, rowsOf } from '../../lsm/replicated/replica-fixture.ts'
import { until } from '../../until.ts'
import { nodeNamed, testOwner, testStore } from './owners.ts'
import type { TestOwner, TestStore } from './owners.ts'

interface Asleep {
  /** Wakes the one that stands still. */
  wake(): void
  readonly sleeping: Promise<void>
  pause(request: BucketRequest, moment: 'before' | 'after'): Promise<void>
}

function sleepAt(random: Random, countMax: number): Asleep {
  const at = { request: 1 + random.below(countMax), moment: random.below(2) === 0 ? 'before' : 'after' }
  let count = 0, hasSlept = false
  let wake = (): void => {}, fellAsleep = (): void => {}
  const asleep = new Promise<void>((resolve) => { wake = resolve })
  const sleeping = new Promise<void>((resolve) => { fellAsleep = resolve })
  return {
    wake: () => wake(),
    sleeping,
    async pause({ client }, moment) {
      if (client !== 'a') return
      if (moment === 'before') count++
      if (hasSlept || count !== at.request || moment !== at.moment) return
      hasSlept = true
      fellAsleep()
      await asleep
    },
  }
}

/** Rows that were acknowledged, and the sequences that they took, by key. */
type Acknowledged = Map<number, string>

/** Appends rows after what the owner has, as a coordinator does, until it is refused. */
async function write({ replica, self }: TestOwner, random: Random, keys: readonly number[], acknowledged: Acknowledged): Promise<unknown> {
  try {
    let { lastSequence } = await replica.open(1)
    for (const key of keys) {
      const isFirst = lastSequence === 0
      const batch = batchOf(new Map([[key, self.node]]), { defines: isFirst })
      await replica.append(1, lastSequence + 1, batch, 'visible')
      acknowledged.set(key, self.node)
      lastSequence += isFirst ? 2 : 1
      if (random.below(4) === 0) await replica.tree.flush()
    }
    return undefined
  } catch (error) {
    return error
  }
}

const readyOf = ({ replica }: TestOwner): Promise<void> => until(() => replica.status().isReady)

export async function takeOver(seed: number): Promise<readonly string[]> {
  const random = seededRandom(seed)
  const asleep = sleepAt(random, 60)
  const bucket = createSharedBucket({ random, pause: (request, moment) => asleep.pause(request, moment) })
  const store = testStore(nodeNamed('a'))
  bucket.faults = { unknown: random.below(2) * 10, repeated: random.below(2) * 20 }
  const acknowledged: Acknowledged = new Map()
  const [a, b] = [testOwner(store, bucket.client('a'), 'a'), testOwner(store, bucket.client('b'), 'b')]
  store.give(a.self)
  const opened = until(() => a.replica.status().isReady || a.replica.status().leader === 'b')
  const work = opened.then(() => write(a, random, keysFrom(0), acknowledged), (error: unknown) => error)
  await Promise.race([asleep.sleeping, work])
  // What keeps it from writing is the bucket alone.
  store.cutOff('a', true)
  const problems = await second(store, b, random, acknowledged)
  const before = new Set(acknowledged.keys())
  asleep.wake()
  await Promise.race([work, setTimeout(1_000)])
  store.cutOff('a', false)
  await work
  // The first may have been decided before the takeover; then the second has it.
  problems.push(...[...acknowledged.keys()].filter((key) => !before.has(key)).slice(1).map((key) => `row ${key} was acknowledged by an owner whose time was over`))
  bucket.faults = { unknown: 0, repeated: 0 }
  problems.push(...(await keepsWriting(store, b, random, acknowledged)))
  await a.close()
  await b.close()
  bucket.arrive()
  return [...problems, ...(await judge(store, bucket.client('c'), acknowledged))]
}

const keysFrom = (from: number): readonly number[] => Array.from({ length: 8 }, (_, i) => from + i)

async function second(store: TestStore, b: TestOwner, random: Random, acknowledged: Acknowledged): Promise<string[]> {
  store.give(b.self)
  await readyOf(b)
  const ended = await write(b, random, keysFrom(100), acknowledged)
  if (ended !== undefined) return [`the owner that took over ended by ${describeOutcome(ended)}`]
  await b.replica.tree.flush()
  await b.replica.tree.compact()
  return []
}

/** The one that woke up may have claimed the shard late; then the configuration gives it back. */
async function keepsWriting(store: TestStore, b: TestOwner, random: Random, acknowledged: Acknowledged): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const ended = await write(b, random, keysFrom(200), acknowledged)
    if (ended === undefined) return []
    if (refusalOf(ended) === undefined) return [`the owner goes on by ${describeOutcome(ended)}`]
    await until(() => store.at.configuration.leader === null)
    store.give(b.self)
    await readyOf(b)
  }
  return ['the owner does not go on']
}

async function judge(store: TestStore, storage: Parameters<typeof testOwner>[1], acknowledged: Acknowledged): Promise<readonly string[]> {
  const c = testOwner(store, storage, 'c')
  store.give(c.self)
  await readyOf(c)
  const found = (await rowsOf(c.kernel, c.replica.tree)) ?? new Map<number, string>()
  await c.close()
  return [...acknowledged].filter(([key, node]) => found.get(key) !== node).map(([key, node]) => `row ${key} that ${node} acknowledged is ${found.get(key) ?? 'lost'}`)
}
