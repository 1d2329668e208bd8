/** A shard's log as files that grow: segments on a disk. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Durability, TreeSettings } from '../../settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { DiskRoom } from '../disk-room.ts'
import { readLog } from './log-reader.ts'
import type { LogSource } from './log-source.ts'
import { openLogWriter } from './log-writer.ts'
import type { LogRounds } from './rounds.ts'

export interface SegmentLogOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly shard: number
  readonly settings: Pick<TreeSettings, 'logSegmentBytes'>
  readonly durability: Durability
  readonly syncIntervalMs: number
  readonly clock: Clock
  readonly room: DiskRoom
  readonly rounds?: LogRounds | undefined
}

export function segmentLog(options: SegmentLogOptions): LogSource {
  const { storage, kernel, shard, settings, durability, syncIntervalMs, clock, room, rounds } = options
  return {
    async read(afterSequence) {
      const log = await readLog({ storage, kernel, shard, afterSequence })
      return {
        records: log.records,
        lastSequence: log.lastSequence,
        openWriter: (writerEpoch, baseSequence) => openLogWriter({ storage, kernel, shard, settings, durability, syncIntervalMs, clock, room, rounds, firstSegmentNumber: log.lastSegmentNumber + 1, writerEpoch, baseSequence }),
      }
    },
  }
}
