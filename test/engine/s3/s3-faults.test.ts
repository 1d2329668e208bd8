/**
 * The engine over a network and a store that fail: sixteen writers, readers, flushes and compactions, with openings in
 * between, through a proxy that fails requests in every way it knows, and now and then all of them. What reads see is
 * what the statements' outcomes allow; every failure is one of ours; and when the faults stop, the engine goes on, or the
 * next one does. `LSMT_SEED=<n>` replays a seed, though not the order in which answers come.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { attachStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { impatient, seededFaults, startFaultProxy } from '../../storage/s3/fault-proxy.ts'
import type { FaultPlan, FaultProxy } from '../../storage/s3/fault-proxy.ts'
import { describeS3, freshAddress, testServer } from '../../storage/s3/s3-server.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'
import { decideEverything, readEverything, registersOf, startWork, write } from './register-work.ts'
import type { Work } from './register-work.ts'

const writers = 16
const settings: TestSettings = { shards: 3, logFlushMs: 5, kernelMemoryBytes: 64 * 1024 * 1024, cacheBytesMax: 1024 * 1024, tree: { memtableBytesMax: 24 * 1024, level0RunsCompact: 2 } }
const waitMsMax = 60_000
/** Of an outage, writers do not hear the end before they are told that an outcome is unknown. */
const hasty = { ...impatient, deadlineMs: 600 }
/** An opening is many requests, one after the other. */
const patient = { ...impatient, requestTimeoutMs: 1_000, deadlineMs: 5_000 }
const roundMs = fullTests ? 2_500 : 2_000
const calm: FaultPlan = () => undefined

type Ending = 'goes on' | 'closes' | 'dies' | 'is overtaken'
const endings: readonly Ending[] = ['goes on', 'closes', 'dies', 'is overtaken']

interface Opened {
  readonly engine: Engine
  readonly storage: Storage
}

/** A share of all requests fails, and from some moment to the end of the round every one: longer than storage repeats them. */
function faultsOf(random: Random, ending: Ending): FaultPlan {
  const startMs = Date.now()
  const some = seededFaults(random.nextU32(), 0.05 + random.below(30) / 100)
  // Most is lost by who dies while nothing takes effect.
  const all = ending === 'dies' ? 'silence-before' : (['silence-before', 'silence-after', 'reset-after', 'slow-down'] as const)[random.below(4)]!
  const outageMs = 300 + random.below(roundMs / 2)
  return (request) => {
    const ms = Date.now() - startMs
    return ms > outageMs && ms < roundMs + 1_000 ? all : some(request)
  }
}

function assertClean(error: unknown): void {
  if (!(error instanceof LsmtError) || error.code === 'XX000' || error.code === 'XX001') throw error
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  const timeout = sleep(waitMsMax, undefined, { ref: false }).then(() => { throw new Error(`${what} took more than ${waitMsMax} ms`) })
  return await Promise.race([work, timeout])
}

/** Opens through whatever fails, again until it succeeds. */
async function open(address: S3Address): Promise<Opened> {
  for (const endMs = Date.now() + waitMsMax; ;) {
    const storage = await attachStorage(address)
    try {
      return { engine: await openTestEngine(storage, settings), storage }
    } catch (error) {
      await storage.close()
      assertClean(error)
      if (Date.now() > endMs) throw error
    }
  }
}

async function maintain(engine: Engine, random: Random, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await (random.below(3) === 0 ? engine.compact() : engine.flush()).catch(assertClean)
    await sleep(20 + random.below(100))
  }
}

async function readAgainAndAgain(work: Work, engine: Engine, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await readEverything(work, engine)
    await sleep(10)
  }
}

/** Whether statements are taken again; 55006 and 55000 say that they are not, until the database is opened anew. */
async function isTaking(engine: Engine): Promise<boolean> {
  for (const endMs = Date.now() + waitMsMax; ;) {
    try {
      await engine.insert(registersOf(engine), [['probe', 0, null]], 'upsert')
      return true
    } catch (error) {
      assertClean(error)
      if (['55006', '55000'].includes((error as LsmtError).code)) return false
      if (Date.now() > endMs) throw error
    }
    await sleep(20)
  }
}

describeS3('an engine through failures', () => {
  let proxy: FaultProxy
  beforeAll(async () => { proxy = await startFaultProxy((await testServer()).endpoint, 200) })
  afterAll(() => proxy.close())

  /** One stretch of work under faults; gives the engine to go on with, and its storage. */
  async function episode(work: Work, { engine, storage }: Opened, address: S3Address, ending: Ending): Promise<Opened> {
    let over = false
    const isOver = (): boolean => over
    proxy.plan = faultsOf(work.random, ending)
    const running = Promise.all([
      ...Array.from({ length: writers }, (_, writer) => write(work, engine, writer, isOver)),
      readAgainAndAgain(work, engine, isOver), maintain(engine, work.random, isOver),
    ])
    await Promise.race([sleep(roundMs), running])
    const successor = ending === 'is overtaken' ? await open({ ...address, settings: patient }) : undefined
    over = true
    if (ending === 'dies') {
      await storage.close()
      // What it had begun, it gives up before anything is well again.
      await sleep(hasty.deadlineMs + hasty.requestTimeoutMs!)
    }
    proxy.plan = calm
    await within('the end of all statements', running)
    if (ending === 'goes on' && await isTaking(engine)) return { engine, storage }
    if (successor !== undefined) expect(await isTaking(engine), 'an overtaken writer takes statements').toBe(false)
    await within('closing', engine.close().catch(assertClean))
    await storage.close()
    const next = successor ?? await open(address)
    await decideEverything(work, next.engine)
    expect(await isTaking(next.engine)).toBe(true)
    return next
  }

  const seeds = process.env['LSMT_SEED'] !== undefined ? [Number(process.env['LSMT_SEED'])] : Array.from({ length: fullTests ? 12 : 2 }, (_, i) => i + 1)
  test.each(seeds)('seed %i', async (seed) => {
    const random = seededRandom(seed)
    const address = { ...(await freshAddress()), endpoint: proxy.endpoint, settings: hasty }
    proxy.plan = calm
    let opened = await open(address)
    const work = await startWork(opened.engine, random, writers)
    for (let round = 0; round < (fullTests ? 8 : 2); round++) {
      const ending = endings[(seed + round) % endings.length]!
      opened = await episode(work, opened, address, ending)
      await readEverything(work, opened.engine)
      expect([...work.problems, ...work.registers.problems], `seed ${seed}, round ${round}, after it ${ending}`).toEqual([])
    }
    // Hasty as it is, a request may be late on a busy machine without any fault.
    await within('closing', opened.engine.close().catch(assertClean))
    await opened.storage.close()
    await proxy.settled()
    const last = await open({ ...address, settings: patient })
    await decideEverything(work, last.engine)
    await last.engine.close()
    await last.storage.close()
    expect([...work.problems, ...work.registers.problems], `seed ${seed}, at the end`).toEqual([])
  })
})
