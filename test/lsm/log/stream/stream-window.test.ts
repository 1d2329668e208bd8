/** A log that is larger than what may be held of it is applied all the same, by shards side by side, a window at a time. */
import { expect, it } from 'vitest'
import { newestClaim, nextClaim, takeClaim } from '../../../../src/lsm/claim/writer-claim.ts'
import { createDiskRoom } from '../../../../src/lsm/disk-room.ts'
import { fenceStream } from '../../../../src/lsm/log/stream/fence-stream.ts'
import { readTail } from '../../../../src/lsm/log/stream/stream-chain.ts'
import { createStreamLog } from '../../../../src/lsm/log/stream/stream-log.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../../src/storage/memory-storage.ts'
import { batchOf, kernel } from '../log-fixture.ts'
import { openStream, settings, stream } from './stream-fixture.ts'

const shards = 4
const objectCount = 60
const payloadBytes = 2_000

it.each([[40_000, 'again'], [10_000_000, 'once']] as const)('holds at most %i bytes of it, and reads each object %s', async (windowBytesMax, how) => {
  const storage = createMemoryStorage({ appends: false, syncReads: false })
  const zeros = Array.from({ length: shards }, () => 0)
  const written = await openStream(storage, zeros)
  for (let sequence = 1; sequence <= objectCount; sequence++) await Promise.all(written.logs.map((log) => log.append(sequence, batchOf(sequence, 1, payloadBytes))))
  await written.close()
  const logBytes = (await storage.list('wal/')).reduce((sum, { byteLength }) => sum + byteLength, 0)
  expect(logBytes).toBeGreaterThan(10 * 40_000)

  const floor = { storage, kernel, stream, clock: systemClock, random: seededRandom(5) }
  const tail = await readTail(floor)
  const claim = await takeClaim(floor, nextClaim(floor.random, (await newestClaim(floor))!.epoch, 'stored'))
  const ids = await fenceStream({ ...floor, claim }, tail)
  const readsBefore = storage.counts.reads
  const log = createStreamLog({ ...floor, claim, ids, settings, room: createDiskRoom(storage, systemClock), shards, keptBytesMax: 1e9, windowBytesMax })
  const found = await Promise.all(zeros.map((after, shard) => log.source(shard).read(after)))
  await Promise.all(found.map(async ({ records, lastSequence }) => {
    expect(lastSequence).toBe(objectCount)
    let last = 0
    for await (const { baseSequence, payload } of records()) {
      expect(baseSequence).toBe(++last)
      expect(payload).toEqual(Buffer.from(batchOf(baseSequence, 1, payloadBytes)))
    }
    expect(last).toBe(objectCount)
  }))
  expect(log.window.heldBytesMax).toBeLessThanOrEqual(windowBytesMax)
  expect(storage.counts.reads - readsBefore).toBe(ids.length + log.window.readsAgain)
  if (how === 'once') expect(log.window.readsAgain).toBe(0)
  // All but what the window held after the first reading, and no object twice.
  else expect(log.window.readsAgain).toSatisfy((reads: number) => reads > objectCount / 2 && reads <= objectCount)
})
