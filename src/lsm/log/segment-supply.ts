/**
 * Fresh log segments, made ahead of need so that rolling does not stall a commit. The first is small and each further
 * one twice as large, up to the setting: preallocation writes real zeros, and a small database should not.
 */
import type { AppendFile, Storage } from '../../storage/storage.ts'
import { logFileName } from '../file-names.ts'

export interface FreshSegment {
  readonly number: number
  readonly name: string
  readonly file: AppendFile
  readonly byteLength: number
}

export interface SegmentSupply {
  /** Starts making the next segment, if that is not under way. */
  prepare(): void
  /** The next segment. A failure to make it is raised here, and tried again by the next call. */
  take(): Promise<FreshSegment>
  /** Removes a segment that was made and not taken. */
  discard(): Promise<void>
}

const firstSegmentBytes = 1024 * 1024

export function createSegmentSupply(storage: Storage, shard: number, firstNumber: number, segmentBytesMax: number): SegmentSupply {
  let number = firstNumber
  let byteLength = Math.min(firstSegmentBytes, segmentBytesMax)
  let next: Promise<FreshSegment> | undefined
  const make = async (): Promise<FreshSegment> => {
    const name = logFileName(shard, number)
    const fresh = { number, name, byteLength, file: await storage.createAppend(name, byteLength) }
    number++
    byteLength = Math.min(2 * byteLength, segmentBytesMax)
    return fresh
  }
  const prepare = (): void => {
    if (next !== undefined) return
    next = make()
    // Raised by take().
    next.catch(() => undefined)
  }
  return {
    prepare,
    take: async () => {
      prepare()
      const taken = next!
      try {
        return await taken
      } finally {
        next = undefined
      }
    },
    discard: async () => {
      if (next === undefined) return
      const unused = await next.catch(() => undefined)
      next = undefined
      if (unused === undefined) return
      await unused.file.close()
      await storage.delete(unused.name)
    },
  }
}
