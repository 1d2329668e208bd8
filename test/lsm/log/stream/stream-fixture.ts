import { newestClaim, nextClaim, takeClaim } from '../../../../src/lsm/claim/writer-claim.ts'
import { createDiskRoom } from '../../../../src/lsm/disk-room.ts'
import type { Log, LogRecord } from '../../../../src/lsm/log/log.ts'
import { fenceStream } from '../../../../src/lsm/log/stream/fence-stream.ts'
import { readTail } from '../../../../src/lsm/log/stream/stream-chain.ts'
import { createStreamLog } from '../../../../src/lsm/log/stream/stream-log.ts'
import type { StreamLogOptions } from '../../../../src/lsm/log/stream/stream-log.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import type { Storage } from '../../../../src/storage/storage.ts'
import { kernel } from '../log-fixture.ts'

export const settings: StreamLogOptions['settings'] = { logFlushMs: 0, logObjectBytes: 64 * 1024, durability: 'sync', syncIntervalMs: 5 }
export const stream = 0
let seeds = 0

/** Two shards over the stream, opened as a writer opens it. */
export interface OpenStream {
  readonly logs: readonly Log[]
  readonly found: readonly (readonly LogRecord[])[]
  close(): Promise<void>
}

export async function openStream(storage: Storage, flushed: readonly number[] = [0, 0], options: Partial<StreamLogOptions> = {}): Promise<OpenStream> {
  const random = seededRandom(1_000 + seeds++)
  const place = { storage, kernel, stream, clock: systemClock, random }
  const tail = await readTail(place)
  const claim = await takeClaim(place, nextClaim(random, (await newestClaim(place))?.epoch ?? 0, 'stored'))
  await fenceStream({ ...place, claim }, tail)
  const log = createStreamLog({ ...place, claim, settings, room: createDiskRoom(storage, systemClock), shards: flushed.length, keptBytesMax: 1e9, ...options })
  const read = await Promise.all(flushed.map((sequence, shard) => log.source(shard).read(sequence)))
  const found: LogRecord[][] = []
  for (const { records } of read) {
    const all: LogRecord[] = []
    for await (const record of records()) all.push(record)
    found.push(all)
  }
  const logs: Log[] = []
  for (const [shard, each] of read.entries()) logs.push(await each.openWriter(claim.epoch, Math.max(each.lastSequence, flushed[shard]!)))
  return { logs, found, close: async () => void (await Promise.all(logs.map((each) => each.close()))) }
}
