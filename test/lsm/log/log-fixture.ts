import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openLogWriter } from '../../../src/lsm/log/log-writer.ts'
import type { LogWriterOptions } from '../../../src/lsm/log/log-writer.ts'
import { readLog } from '../../../src/lsm/log/log-reader.ts'
import type { ReadLog } from '../../../src/lsm/log/log-reader.ts'
import type { Log, LogRecord } from '../../../src/lsm/log/log.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { createDiskRoom } from '../../../src/lsm/disk-room.ts'

export const kernel = openTestKernel('js')
export const shard = 3

/** A batch header of `operationCount` operations and `bodyBytes` bytes that follow from the sequence. */
export function batchOf(baseSequence: number, operationCount = 1, bodyBytes = 20): Uint8Array {
  const batch = new Uint8Array(24 + bodyBytes)
  const view = new DataView(batch.buffer)
  view.setUint32(0, batch.length, true)
  view.setUint32(4, operationCount, true)
  view.setFloat64(8, baseSequence, true)
  view.setUint32(16, 24, true)
  for (let i = 0; i < bodyBytes; i++) batch[24 + i] = (baseSequence * 31 + i * 7) & 0xff
  return batch
}

export function openLog(storage: Storage, options: Partial<LogWriterOptions> = {}): Promise<Log> {
  return openLogWriter({
    storage, kernel, shard, settings: { logSegmentBytes: 64 * 1024 }, durability: 'sync', syncIntervalMs: 5, clock: systemClock, room: createDiskRoom(storage, systemClock),
    firstSegmentNumber: 1, writerEpoch: 1, baseSequence: 0, ...options,
  })
}

export async function readAll(storage: Storage, afterSequence = 0): Promise<ReadLog & { readonly all: readonly LogRecord[] }> {
  const log = await readLog({ storage, kernel, shard, afterSequence })
  const all: LogRecord[] = []
  for await (const record of log.records()) all.push(record)
  return { ...log, all }
}

export const sequencesOf = (records: readonly LogRecord[]): readonly number[] => records.map((record) => record.baseSequence)
