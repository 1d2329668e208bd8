/** A shard's log as files that grow: segments on a disk. */
import { readLog } from './log-reader.ts'
import type { LogSource } from './log-source.ts'
import { partsIn } from './logged-parts.ts'
import { openLogWriter } from './log-writer.ts'
import type { LogWriterOptions } from './log-writer.ts'

export type SegmentLogOptions = Omit<LogWriterOptions, 'firstSegmentNumber' | 'writerEpoch' | 'baseSequence'>

export function segmentLog(options: SegmentLogOptions): LogSource {
  return {
    async read(afterSequence) {
      const { records, files, lastSequence, lastSegmentNumber } = await readLog({ ...options, afterSequence })
      return {
        records,
        parts: () => partsIn(records()),
        lastSequence,
        openWriter: (writerEpoch, baseSequence) => openLogWriter({ ...options, firstSegmentNumber: lastSegmentNumber + 1, writerEpoch, baseSequence, segmentsBefore: files }),
      }
    },
  }
}
