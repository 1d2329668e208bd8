/**
 * Random lives of a replica against a plain model: appends in epochs, cuts, commits, releases, aborts, flushes, and between
 * the lives restarts, kills and losses of power. After each the log is one that the calls could have left, with all that
 * was said to be on disk; nothing beyond what was committed is ever visible, or in files.
 */
import { describe, expect, it } from 'vitest'
import { abortBatch } from '../../../src/lsm/batch-builder.ts'
import type { ReplicatedTree } from '../../../src/lsm/replicated/replicated-tree.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultOptions, FaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { tinySettings } from '../tree/open-test-tree.ts'
import { batchOf, entryAt, logAfter, openReplica, partAt, rowsOf } from './replica-fixture.ts'
import type { Changes } from './replica-fixture.ts'
import { durableEnd, emptyReplicaModel, endOf, expectedVisible, modelEpochs, noteCall, possibleLogs, rowsAt } from './replica-model.ts'
import type { ModelEntry, ReplicaModel } from './replica-model.ts'

const MiB = 1024 * 1024
const lives = 6, stepsOfLife = 40
const settings = { ...tinySettings, memtableBytesMax: 16 * 1024, logSegmentBytes: 4096 }

interface Life {
  readonly storage: FaultyStorage
  readonly kernel: Kernel
  readonly random: Random
  readonly model: ReplicaModel
  readonly replica: ReplicatedTree
  readonly calls: Promise<void>[]
  readonly trimmed: { sequence: number }
  epoch: number
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const idOf = (transaction: number): Uint8Array => Buffer.from(transaction.toString(16).padStart(32, '0'), 'hex')

function randomChanges(random: Random, sequence: number): Changes {
  const text = `${sequence} ${'x'.repeat(random.below(200))}`
  return new Map(Array.from({ length: 1 + random.below(6) }, () => [random.below(120), random.below(5) === 0 ? null : text] as const))
}

function randomEntry({ model, random, epoch }: Life, log: readonly ModelEntry[]): ModelEntry {
  const base = endOf(log) + 1
  if (log.length === 0) return { ...entryAt(epoch, base, batchOf(new Map(), { defines: true })), changes: new Map(), transaction: undefined, aborts: [] }
  const undecided = log.filter(({ transaction, baseSequence }) => transaction !== undefined && !model.fates.has(baseSequence) && baseSequence > model.told.released && !log.some(({ aborts }) => aborts.includes(transaction)))
  const changes = randomChanges(random, base)
  switch (random.below(undecided.length > 0 ? 6 : 5)) {
    case 0:
      return { ...partAt(epoch, base, changes, idOf(base + 1000 * epoch)), changes, transaction: base + 1000 * epoch, aborts: [] }
    case 5: {
      const aborts = [undecided[random.below(undecided.length)]!.transaction!]
      return { ...entryAt(epoch, base, abortBatch(aborts.map(idOf))), changes: new Map(), transaction: undefined, aborts }
    }
    default:
      return { ...entryAt(epoch, base, batchOf(changes)), changes, transaction: undefined, aborts: [] }
  }
}

/** Errors of calls that a crash ends say nothing. */
function call(life: Life, work: Promise<void>): void {
  life.calls.push(work.catch((error: unknown) => {
    if (!life.storage.crashed) throw error
  }))
}

function appendSome(life: Life): void {
  const { model, replica, random } = life
  const entries: ModelEntry[] = []
  for (let count = 1 + random.below(5); count > 0; count--) entries.push(randomEntry(life, [...model.log, ...entries]))
  call(life, noteCall(model, [...model.log, ...entries], replica.append(entries.map(({ epoch, baseSequence, lastSequence, batch }) => ({ epoch, baseSequence, lastSequence, batch: batch.slice() })))))
}

function nextEpoch(life: Life): void {
  const { model, replica } = life
  life.epoch = model.epochAsked = model.epochAsked + 1
  const epoch = life.epoch
  call(life, replica.storeEpoch(epoch).then(() => void (model.epochStored = Math.max(model.epochStored, epoch))))
}

/** Some of it may be of an older epoch than what was cut off. */
function cut(life: Life): void {
  const { model, random } = life
  const places = [model.committed, ...model.log.map(({ lastSequence }) => lastSequence)].filter((sequence) => sequence >= model.committed)
  cutTo(life, places[random.below(places.length)]!)
}

/** A cut that a crash undid may bring back an abort of what was released after it. No leader has such a log. */
function cutRefutedAborts(life: Life): void {
  const { log, fates } = life.model
  const released = new Set(log.filter(({ baseSequence }) => fates.get(baseSequence) === 'applied').map(({ transaction }) => transaction))
  const refuted = log.find(({ aborts }) => aborts.some((transaction) => released.has(transaction)))
  if (refuted !== undefined) cutTo(life, refuted.baseSequence - 1)
}

function cutTo(life: Life, to: number): void {
  const { model, replica, random } = life
  nextEpoch(life)
  call(life, noteCall(model, model.log.filter(({ lastSequence }) => lastSequence <= to), replica.truncate(to)))
  life.epoch = Math.max(1, model.log.at(-1)?.epoch ?? 0, life.epoch - random.below(3))
}

function commitSome({ model, replica, random }: Life): void {
  const durable = durableEnd(model)
  const places = model.log.map(({ lastSequence }) => lastSequence).filter((sequence) => sequence <= durable && sequence > model.told.committed)
  if (places.length === 0) return
  const through = places[random.below(places.length)]!
  model.committed = Math.max(model.committed, through)
  model.told.committed = through
  replica.commit(through)
}

/** Parts are released up to somewhere that is committed here, or in all other copies but told here later; those that are aborted only with their aborts. */
function releaseSome({ model, replica, random }: Life): void {
  const before = model.told.released
  const through = [model.committed, Math.min(endOf(model.log), model.committed + random.below(6))][random.below(2)]!
  if (through > durableEnd(model)) return
  const covered = model.log.filter(({ baseSequence }) => baseSequence <= through && baseSequence > before)
  const abortedLater = covered.some(({ transaction }) => transaction !== undefined && model.log.some(({ aborts, lastSequence }) => aborts.includes(transaction) && lastSequence > through))
  if (abortedLater || through <= before) return
  // Whatever is released is committed.
  model.committed = Math.max(model.committed, ...covered.map(({ lastSequence }) => lastSequence))
  for (const { baseSequence, transaction } of covered) {
    if (transaction === undefined || model.fates.has(baseSequence)) continue
    model.fates.set(baseSequence, model.log.some(({ aborts }) => aborts.includes(transaction)) ? 'passed' : 'applied')
  }
  model.told.released = through
  replica.release(through)
}

async function checkVisible({ model, replica, kernel }: Life, settled: boolean): Promise<void> {
  const { visibleSequence } = replica.tree
  const expected = expectedVisible(model, replica.found.startSequence)
  // A release that is ahead of what is committed here does not count yet.
  expect(visibleSequence).toBeLessThanOrEqual(expected)
  if (settled && model.told.released <= model.told.committed) expect(visibleSequence).toBe(expected)
  const rows = await rowsOf(kernel, replica.tree)
  if (replica.tree.visibleSequence === visibleSequence && rows !== undefined) expect(rows).toEqual(rowsAt(model, visibleSequence))
}

async function checkReads({ model, replica, random, trimmed }: Life): Promise<void> {
  const places = [0, ...model.log.map(({ lastSequence }) => lastSequence)]
  const after = places[random.below(places.length)]!
  const asked = model.log, bytesMax = 1 + random.below(3000)
  const read = await replica.readAfter(after, bytesMax)
  if (model.log !== asked) return
  if (read === undefined) return expect(after).toBeLessThan(trimmed.sequence)
  expect(read).toEqual(plain(asked.filter(({ baseSequence }) => baseSequence > after).slice(0, read.length)))
  expect(read.length).toBe(Math.max(read.length, Math.min(1, asked.filter(({ baseSequence }) => baseSequence > after).length)))
}

const plain = (entries: readonly ModelEntry[]): unknown => entries.map(({ epoch, baseSequence, lastSequence, batch }) => ({ epoch, baseSequence, lastSequence, batch: new Uint8Array(batch) }))

async function step(life: Life): Promise<void> {
  const { random, replica, model } = life
  const choice = random.below(100)
  if (choice < 45) appendSome(life)
  else if (choice < 50) nextEpoch(life)
  else if (choice < 56) cut(life)
  else if (choice < 72) commitSome(life)
  else if (choice < 82) releaseSome(life)
  else if (choice < 86) await checkReads(life)
  else if (choice < 89) void replica.tree.flush().catch(() => undefined)
  else if (choice < 91) replica.settle(random.below(1 + model.told.released))
  else if (choice < 94) await checkVisible(life, false)
  else await turn()
}

/** Opens, and finds what the lives before have left. */
async function begin(storage: FaultyStorage, kernel: Kernel, random: Random, model: ReplicaModel): Promise<Life> {
  const trimmed = { sequence: 0 }
  const replica = await openReplica(kernel, storage, { settings, recentBytesMax: 3000, onTrimmed: (sequence) => void (trimmed.sequence = sequence) })
  trimmed.sequence = replica.found.startSequence
  try {
    const log = await checkFound(kernel, model, replica)
    return { storage, kernel, random, model, replica, calls: [], trimmed, epoch: Math.max(1, log.at(-1)?.epoch ?? 0) }
  } catch (error) {
    await replica.close().catch(() => undefined)
    throw error
  }
}

/** Resolves to the log that it is, from which the model goes on. */
async function checkFound(kernel: Kernel, model: ReplicaModel, replica: ReplicatedTree): Promise<readonly ModelEntry[]> {
  const { found } = replica
  expect(found.storedEpoch).toBeGreaterThanOrEqual(model.epochStored)
  expect(found.storedEpoch).toBeLessThanOrEqual(model.epochAsked)
  expect(found.startSequence).toBeLessThanOrEqual(model.shown)
  const entries = await logAfter(replica, found.startSequence)
  const log = possibleLogs(model).find((possible) => endOf(possible) === found.lastSequence && Buffer.from(JSON.stringify(plain(possible.filter(({ lastSequence }) => lastSequence > found.startSequence)))).equals(Buffer.from(JSON.stringify(entries))))
  if (log === undefined) throw new Error(`a log from ${found.startSequence} to ${found.lastSequence} that no calls could have left; possible ends are ${possibleLogs(model).map(endOf).join(', ')}`)
  expect(found.epochs).toEqual(modelEpochs(log, found.startSequence))
  expect((await rowsOf(kernel, replica.tree)) ?? new Map()).toEqual(rowsAt({ ...model, log }, found.startSequence))
  expect(replica.tree.visibleSequence).toBe(found.startSequence)
  Object.assign(model, { log, calls: [{ log, partial: [] }], epochStored: found.storedEpoch, epochAsked: found.storedEpoch, told: { committed: found.startSequence, released: 0 } })
  return log
}

async function live(life: Life): Promise<void> {
  const { storage, model, random } = life
  cutRefutedAborts(life)
  if (model.epochAsked === 0) nextEpoch(life)
  else if (random.below(2) === 0) nextEpoch(life)
  for (let i = 0; i < stepsOfLife && !storage.crashed; i++) await step(life)
  if (storage.crashed || random.below(3) === 0) return
  await Promise.all(life.calls)
  for (let turns = 0; turns < 400 && life.replica.tree.visibleSequence < expectedVisible(model, life.replica.found.startSequence); turns++) await turn()
  await checkVisible(life, true)
}

async function end({ storage, replica, calls, random }: Life, next: FaultOptions): Promise<FaultyStorage> {
  const how = storage.crashed ? 'crash' : (['close', 'crash', 'restart'] as const)[random.below(3)]!
  if (how === 'close') {
    await replica.close().catch((error: unknown) => {
      if (!storage.crashed) throw error
    })
    await Promise.all(calls)
    return storage.crashed ? storage.crash(next) : storage.restart(next)
  }
  const after = how === 'crash' ? storage.crash(next) : storage.restart(next)
  await replica.close().catch(() => undefined)
  await Promise.all(calls)
  return after
}

async function history(kind: (typeof kinds)[number], seed: number): Promise<void> {
  const random = seededRandom(seed), model = emptyReplicaModel()
  const crashes = (): FaultOptions => ({ seed: random.nextU32(), delayTurnsMax: 2, ...(random.below(2) === 0 && { crashAtOperation: 8 + random.below(150) }) })
  let storage = createFaultyStorage(crashes())
  for (let number = 0; number < lives; number++) {
    const kernel = openTestKernel(kind, 6 * MiB)
    let life: Life
    try {
      life = await begin(storage, kernel, random, model)
    } catch (error) {
      if (!storage.crashed) throw error
      storage = storage.crash(crashes())
      continue
    }
    try {
      await live(life)
    } catch (error) {
      if (!storage.crashed) throw error
    }
    model.shown = Math.max(model.shown, expectedVisible(model, life.replica.found.startSequence))
    storage = await end(life, crashes())
  }
}

const seedOfRun = Number(process.env['LSMT_SEED'] ?? 0)
const seeds = seedOfRun > 0 ? [seedOfRun] : Array.from({ length: fullTests ? 400 : 20 }, (_, i) => i + 1)

describe.each(kinds)('random lives of a replica, %s', (kind) => {
  it('leave what calls could have left, and show what was committed', async () => {
    for (const seed of seeds) {
      await history(kind, seed).catch((error: unknown) => {
        throw new Error(`LSMT_SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      })
    }
  }, 600_000)
})
