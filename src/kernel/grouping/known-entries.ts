/**
 * What was worked out for the entries of one dictionary, kept while chunks have equal ones: those of neighbouring row groups
 * often do, and comparing a dictionary takes far less time than looking up, or testing, its entries.
 */
import type { Kernel } from '../kernel.ts'
import type { Pointer } from '../linear-memory.ts'

/** Of larger dictionaries nothing is kept. */
const dictionaryBytesMax = 8 * 1024, resultBytesMax = 8 * 1024

export interface KnownEntries {
  /** What was kept for the entries of the text chunk; 0: nothing, and it may be kept now. */
  recall(chunk: Pointer): Pointer
  /** Keeps bytes for the entries of the chunk that was asked about last, if they are few. */
  keep(from: Pointer, byteLength: number): void
}

/** `allocate`: memory that outlives it, taken when it is first asked. */
export function createKnownEntries({ exports, memory: { u8, u32 } }: Kernel, allocate: (byteLength: number) => Pointer): KnownEntries {
  let dictionary: Pointer = 0, result: Pointer = 0
  let isHeld = false, isKept = false

  function open(): void {
    dictionary = allocate(dictionaryBytesMax)
    result = allocate(resultBytesMax)
    u32[dictionary >>> 2] = 0
  }

  return {
    recall(chunk) {
      if (dictionary === 0) open()
      const outcome = exports.scanEntriesKnown(chunk, dictionary, dictionaryBytesMax)
      isHeld = outcome >= 0
      isKept &&= outcome === 1
      return isKept ? result : 0
    },
    keep(from, byteLength) {
      if (!isHeld || byteLength > resultBytesMax) return
      u8.copyWithin(result, from, from + byteLength)
      isKept = true
    },
  }
}
