/**
 * The power goes in every storage operation of a workload over several logs and their journal, in turn, and again while
 * what is left is opened: of every shard all that was acknowledged must be there after, once, and in order.
 */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../../src/runtime/random.ts'
import type { Random } from '../../../../src/runtime/random.ts'
import { changingKinds, createFaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import type { FaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import { fullTests } from '../../../kernel/both-kinds.ts'
import { batchOf, kernel } from '../log-fixture.ts'
import { findRecords, openLogs, range } from './journal-fixture.ts'
import type { OpenLogs } from './journal-fixture.ts'

const seeds = Array.from({ length: fullTests ? 40 : 3 }, (_, i) => i + 1)
const shards = 3
const waves = 28

/** By shard. */
interface Progress {
  readonly acknowledged: number[]
  readonly appended: number[]
  readonly flushed: number[]
  /** Rounds that the journal took in the last life. */
  rounds: number
}

const nothingYet = (): Progress => ({ acknowledged: [0, 0, 0], appended: [0, 0, 0], flushed: [0, 0, 0], rounds: 0 })

/** Opens the logs and works on them until that is done or the power goes; `scale`: how much larger than small all records and segments are. */
async function live(storage: FaultyStorage, random: Random, writerEpoch: number, progress: Progress, scale = 1): Promise<void> {
  const used = kernel.heap.usedBytes
  try {
    const opened = await openLogs(storage, { shards, writerEpoch, flushed: progress.flushed, journalSegmentBytes: 1500 * scale, logSegmentBytes: 4000 * scale })
    try {
      await work(opened, random, progress, scale)
    } finally {
      progress.rounds = opened.journal.counts.rounds
      await opened.close()
    }
  } catch (error) {
    if (!storage.crashed) throw error
  }
  expect(kernel.heap.usedBytes).toBe(used)
}

/** Waves of appends to some of the logs; now and then one of them is flushed, or synced. */
async function work({ logs, next }: OpenLogs, random: Random, progress: Progress, scale: number): Promise<void> {
  const append = async (shard: number): Promise<void> => {
    const sequence = next[shard]!++
    progress.appended[shard] = Math.max(progress.appended[shard]!, sequence)
    await logs[shard]!.append(sequence, batchOf(sequence, 1, random.below(120 * scale)))
    progress.acknowledged[shard] = Math.max(progress.acknowledged[shard]!, sequence)
  }
  for (let wave = 0; wave < waves; wave++) {
    await Promise.all(range(0, random.below(8)).map(() => append(random.below(shards))))
    const shard = random.below(shards)
    if (random.below(8) === 0) await logs[shard]!.sync()
    if (random.below(8) > 0) continue
    logs[shard]!.roll()
    await logs[shard]!.sync()
    progress.flushed[shard] = next[shard]! - 1
    await logs[shard]!.truncateBelow(next[shard]! - 1)
  }
}

async function check(storage: FaultyStorage, { acknowledged, appended, flushed }: Progress, context: string): Promise<void> {
  const found = await findRecords(storage, { shards, flushed })
  for (const [shard, records] of found.entries()) {
    const last = flushed[shard]! + records.length
    expect(records.map(({ baseSequence }) => baseSequence), context).toEqual(range(flushed[shard]! + 1, last))
    expect(last, `${context}, shard ${shard}`).toBeGreaterThanOrEqual(acknowledged[shard]!)
    expect(last, `${context}, shard ${shard}`).toBeLessThanOrEqual(Math.max(appended[shard]!, flushed[shard]!))
    for (const { baseSequence, payload } of records) expect(Buffer.compare(payload, batchOf(baseSequence, 1, payload.length - 24)), context).toBe(0)
  }
}

describe('logs with a journal under loss of power', () => {
  it.each(seeds)('keep every acknowledged record, seed %i', async (seed) => {
    const dry = createFaultyStorage({ seed, delayTurnsMax: 2 })
    const whole = nothingYet()
    await live(dry, seededRandom(seed), 1, whole)
    expect(whole.rounds).toBeGreaterThan(4)
    expect(dry.operations.some(({ kind, name }) => kind === 'delete' && name.startsWith('wal/journal/'))).toBe(true)
    const crashPoints = dry.operations.filter((each) => changingKinds.includes(each.kind))
    for (const { number, kind, name } of crashPoints.filter((_, i) => fullTests || i % 11 === seed)) {
      const context = `seed ${seed}, crash at operation ${number} (${kind} ${name})`
      const progress = nothingYet()
      const disk = createFaultyStorage({ seed, delayTurnsMax: 2, crashAtOperation: number })
      await live(disk, seededRandom(seed), 1, progress)
      expect(disk.crashed, context).toBe(true)
      // The second life crashes too, early enough to be still taking over what the journal had.
      const second = disk.crash({ seed: seed + 1000, delayTurnsMax: 2, crashAtOperation: 3 + (number % 41) })
      await check(disk.crash({ seed: seed + 1000 }), progress, context)
      await live(second, seededRandom(seed + number), 2, progress)
      const third = second.crash({ seed: seed + 2000, delayTurnsMax: 2 })
      await check(second.crash({ seed: seed + 2000 }), progress, `${context}, then again`)
      await live(third, seededRandom(seed + 2 * number), 3, progress)
      await check(third.crash({ seed: seed + 3000 }), progress, `${context}, then to the end`)
    }
  }, 120_000)

  it('keep every acknowledged record where rounds are as large as the journal takes', async () => {
    const scale = 400
    const dry = createFaultyStorage({ seed: 1, delayTurnsMax: 2 })
    const whole = nothingYet()
    await live(dry, seededRandom(1), 1, whole, scale)
    expect(whole.rounds).toBeGreaterThan(2)
    const crashPoints = dry.operations.filter((each) => changingKinds.includes(each.kind))
    for (const { number, kind, name } of crashPoints.filter((_, i) => i % (fullTests ? 3 : 29) === 2)) {
      const context = `crash at operation ${number} (${kind} ${name})`
      const progress = nothingYet()
      const disk = createFaultyStorage({ seed: 1, delayTurnsMax: 2, crashAtOperation: number })
      await live(disk, seededRandom(1), 1, progress, scale)
      expect(disk.crashed, context).toBe(true)
      await check(disk.crash({ seed: 1001 }), progress, context)
      const second = disk.crash({ seed: 1001, delayTurnsMax: 2 })
      await live(second, seededRandom(number), 2, progress, scale)
      await check(second.crash({ seed: 2001 }), progress, `${context}, then to the end`)
    }
  }, 120_000)

  it.each(seeds)('take over the same whenever the process that opens them is killed, seed %i', async (seed) => {
    const progress = nothingYet()
    const random = seededRandom(seed)
    let storage = createFaultyStorage({ seed, delayTurnsMax: 2, crashAtOperation: 90 })
    await live(storage, random, 1, progress)
    for (let life = 2; life < (fullTests ? 60 : 16); life++) {
      storage = storage.restart({ seed: seed * 100 + life, delayTurnsMax: 2, crashAtOperation: life })
      await check(storage.restart({ seed }), progress, `seed ${seed}, life ${life}`)
      // What is restarted is abandoned by that, so what was found is opened anew.
      storage = storage.restart({ seed: seed * 100 + life, delayTurnsMax: 2, crashAtOperation: life })
      await live(storage, random, life, progress)
      await check(storage.crash({ seed: seed + life }), progress, `seed ${seed}, life ${life}, power lost`)
    }
  }, 120_000)
})
