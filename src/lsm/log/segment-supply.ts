/**
 * Fresh log segments, made ahead of need so that rolling does not stall a commit. The first is small and each further
 * one twice as large, up to the setting: preallocation writes real zeros, and a small database should not. Where a segment
 * begins that nobody had foreseen, because the one before is full by no means, sizes begin anew.
 */
import type { AppendFile, Storage } from '../../storage/storage.ts'
import { logFileName } from '../file-names.ts'

export interface FreshSegment {
  readonly number: number
  readonly name: string
  readonly file: AppendFile
  /** Preallocated. */
  byteLength: number
}

export interface SegmentSupply {
  /** Of the next segment, once it is made; 0 before. */
  readonly readyBytes: number
  /** Starts making the next segment, if that is not under way; `onFailure` learns of a failure before it is needed. */
  prepare(): void
  /** The next one, unless it is made already, has at most so many bytes, and those after it grow again. */
  startAgain(byteLength: number): void
  /** Resolves when a next segment with room for `byteLength` bytes has been made. 53100 when there is no room on the disk. */
  ensure(byteLength: number): Promise<void>
  /** The next segment. A failure to make it is raised here, and tried again by the next call. */
  take(): Promise<FreshSegment>
  /** Removes a segment that was made and not taken. */
  discard(): Promise<void>
}

/** Of a log, and after a memtable was frozen long before the segment was full. */
export const firstSegmentBytes = 1024 * 1024
/** Where whoever writes has changed: there may be many changes before a flush lets the log go. */
export const smallSegmentBytes = 64 * 1024

export function createSegmentSupply(storage: Storage, shard: number, firstNumber: number, segmentBytesMax: number, onFailure: (error: unknown) => void): SegmentSupply {
  let number = firstNumber
  let byteLength = Math.min(firstSegmentBytes, segmentBytesMax)
  let next: Promise<FreshSegment> | undefined
  let ready: FreshSegment | undefined
  const make = async (): Promise<FreshSegment> => {
    const name = logFileName(shard, number)
    const fresh = { number, name, byteLength, file: await storage.createAppend(name, byteLength) }
    number++
    byteLength = Math.min(2 * byteLength, segmentBytesMax)
    ready = fresh
    return fresh
  }
  const prepare = (): void => {
    if (next !== undefined) return
    const made = make()
    next = made
    made.catch((error: unknown) => {
      if (next === made) next = undefined
      onFailure(error)
    })
  }
  return {
    get readyBytes() { return ready?.byteLength ?? 0 },
    prepare,
    startAgain(byteLengthMax) {
      byteLength = Math.min(byteLengthMax, segmentBytesMax)
    },
    ensure: async (wanted) => {
      for (;;) {
        prepare()
        const made = next!
        const fresh = await made
        // Taken meanwhile, others may be writing to it.
        if (next !== made) continue
        if (fresh.byteLength < wanted) extend(fresh, wanted)
        return
      }
    },
    take: async () => {
      prepare()
      const taken = next!
      try {
        return await taken
      } finally {
        next = ready = undefined
      }
    },
    discard: async () => {
      if (next === undefined) return
      const unused = await next.catch(() => undefined)
      next = ready = undefined
      if (unused === undefined) return
      await unused.file.close()
      await storage.delete(unused.name)
    },
  }
}

const zeroBytes = new Uint8Array(1024 * 1024)

/** Preallocates more of a segment that nothing was written to. */
function extend(fresh: FreshSegment, byteLength: number): void {
  while (fresh.byteLength < byteLength) {
    const zeros = zeroBytes.subarray(0, byteLength - fresh.byteLength)
    fresh.file.write([zeros], fresh.byteLength)
    fresh.byteLength += zeros.length
  }
}
