/** The power goes in every storage operation of a workload, in turn: what was acknowledged must be there after, whole and in order. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { changingKinds, createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { Log } from '../../../src/lsm/log/log.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { batchOf, kernel, openLog, readAll, sequencesOf } from './log-fixture.ts'

const seeds = Array.from({ length: fullTests ? 40 : 6 }, (_, i) => i + 1)
const waves = 6

interface Progress {
  acknowledged: number
  appended: number
  truncated: number
}

/** Opens the log and works on it until it is done or the power goes. */
async function live(storage: FaultyStorage, random: Random, epoch: number, progress: Progress): Promise<void> {
  const used = kernel.heap.usedBytes
  try {
    const before = await readAll(storage, progress.truncated)
    const baseSequence = Math.max(before.lastSequence, progress.truncated)
    const log = await openLog(storage, { settings: { logSegmentBytes: 3000 }, writerEpoch: epoch, firstSegmentNumber: before.lastSegmentNumber + 1, baseSequence })
    try {
      await work(log, baseSequence, random, progress)
    } finally {
      await log.close()
    }
  } catch (error) {
    if (!storage.crashed) throw error
  }
  expect(kernel.heap.usedBytes).toBe(used)
}

/** Waves of concurrent appends; truncates now and then. */
async function work(log: Log, baseSequence: number, random: Random, progress: Progress): Promise<void> {
  let sequence = baseSequence
  for (let wave = 0; wave < waves; wave++) {
    const appends: Promise<void>[] = []
    for (let count = 1 + random.below(12); count > 0; count--) appends.push(acknowledge(log, ++sequence, random, progress))
    await Promise.all(appends)
    if (random.below(3) > 0) continue
    progress.truncated = sequence
    log.roll()
    await log.truncateBelow(sequence)
  }
}

async function acknowledge(log: Log, sequence: number, random: Random, progress: Progress): Promise<void> {
  progress.appended = Math.max(progress.appended, sequence)
  await log.append(sequence, batchOf(sequence, 1, random.below(700)))
  progress.acknowledged = Math.max(progress.acknowledged, sequence)
}

async function check(storage: FaultyStorage, progress: Progress, context: string): Promise<void> {
  const { all, lastSequence } = await readAll(storage, progress.truncated)
  const sequences = sequencesOf(all)
  expect(sequences, context).toEqual(sequences.map((_, i) => progress.truncated + 1 + i))
  expect(Math.max(lastSequence, progress.truncated), context).toBeGreaterThanOrEqual(progress.acknowledged)
  expect(lastSequence, context).toBeLessThanOrEqual(Math.max(progress.appended, progress.truncated))
  for (const { baseSequence, payload } of all) expect(payload, context).toEqual(batchOf(baseSequence, 1, payload.length - 24))
}

describe('the log under loss of power', () => {
  it.each(seeds)('keeps every acknowledged record, seed %i', async (seed) => {
    const dry = createFaultyStorage({ seed, delayTurnsMax: 2 })
    await live(dry, seededRandom(seed), 1, { acknowledged: 0, appended: 0, truncated: 0 })
    expect(dry.crashed).toBe(false)
    const crashPoints = dry.operations.filter(({ kind }) => changingKinds.includes(kind))
    expect(crashPoints.length).toBeGreaterThan(waves)
    for (const { number, kind, name } of crashPoints) {
      const context = `seed ${seed}, crash at operation ${number} (${kind} ${name})`
      const progress = { acknowledged: 0, appended: 0, truncated: 0 }
      const disk = createFaultyStorage({ seed, delayTurnsMax: 2, crashAtOperation: number })
      await live(disk, seededRandom(seed), 1, progress)
      expect(disk.crashed, context).toBe(true)
      // The second life crashes too, early enough to be still recovering or just writing again.
      const second = disk.crash({ seed: seed + 1000, delayTurnsMax: 2, crashAtOperation: 3 + (number % 17) })
      await check(disk.crash({ seed }), progress, context)
      await live(second, seededRandom(seed + number), 2, progress)
      await check(second.crash({ seed: seed + 2000 }), progress, `${context}, then again`)
    }
  })

  it('makes durable what a killed process had only written, before anything builds on it', async () => {
    for (const seed of seeds) {
      const first = createFaultyStorage({ seed })
      const log = await openLog(first, { durability: 'memory' })
      for (let sequence = 1; sequence <= 40; sequence++) await log.append(sequence, batchOf(sequence, 1, 100))
      while (log.counts.bytes === 0) await new Promise((resolve) => setImmediate(resolve))
      const second = first.restart({ seed })
      await log.close().catch(() => undefined)
      const recovered = await readAll(second)
      expect(sequencesOf(recovered.all)).toHaveLength(40)
      const next = await openLog(second, { writerEpoch: 2, firstSegmentNumber: recovered.lastSegmentNumber + 1, baseSequence: recovered.lastSequence })
      await next.append(41, batchOf(41))
      const { all } = await readAll(second.crash({ seed }))
      await next.close().catch(() => undefined)
      expect(sequencesOf(all), `seed ${seed}`).toEqual(Array.from({ length: 41 }, (_, i) => i + 1))
    }
  })
})
