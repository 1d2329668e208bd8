/**
 * Strings of many texts at once: a call into native code for each costs more than all else that is done for a short one.
 * Those that stand side by side become one string, of which each is a slice. A slice keeps all of it, so pieces are as
 * small as those that Node makes its own small buffers of.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { EngineValue } from '../engine.ts'
import { readText } from './text-bytes.ts'

const pieceBytes = 8 * 1024, textsMax = 1024

/** Its memory holds nothing between two calls. */
export interface TextReader {
  /** Reads the texts that refs point to into `values`, from its beginning to its length. */
  read(refs: Pointer, values: EngineValue[]): void
  free(): void
}

export function createTextReader({ heap, memory, exports }: Kernel): TextReader {
  const piece = heap.allocate(pieceBytes + 4 * textsMax), ends = piece + pieceBytes
  const { u32, buffer } = memory
  const latin1 = buffer as Buffer & { latin1Slice(start: number, end: number): string }
  return {
    read(refs, values) {
      for (let i = 0; i < values.length; ) {
        const joined = exports.vectorJoinAscii(refs + 8 * i, Math.min(textsMax, values.length - i), piece, pieceBytes, ends)
        if (joined === 0) {
          const ref = (refs >>> 2) + 2 * i
          values[i++] = readText(buffer, u32[ref]!, u32[ref + 1]!)
          continue
        }
        const text = latin1.latin1Slice(piece, piece + u32[(ends >>> 2) + joined - 1]!)
        for (let start = 0, at = ends >>> 2, last = at + joined; at < last; at++) {
          const end = u32[at]!
          values[i++] = text.slice(start, end)
          start = end
        }
      }
    },
    free: () => heap.free(piece),
  }
}
