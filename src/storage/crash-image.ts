/**
 * What a disk keeps of un-synced writes when the power goes. Caches are written back in any order and in units of a
 * sector: each sector that was touched since the last sync holds, independently, what it held then or after any one of
 * the writes since. So a later record may survive while an earlier one is lost, and both may be torn.
 * (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.)
 */
import type { Random } from '../runtime/random.ts'
import { copyFile, writeAt } from './memory-disk.ts'
import type { MemoryFile } from './memory-disk.ts'

export const sectorBytes = 512

/** A write that no sync has covered yet. */
export interface PendingWrite {
  readonly bytes: Uint8Array
  readonly byteOffset: number
}

type Fate = 'kept' | 'lost' | 'prefix' | 'holes'
const fates: readonly Fate[] = ['kept', 'lost', 'prefix', 'holes', 'holes']

/** The file as a restarted process finds it; `durable` is left as it is. */
export function crashImage(durable: MemoryFile, pending: readonly PendingWrite[], random: Random): MemoryFile {
  const image = copyFile(durable)
  const fate = fates[random.below(fates.length)]!
  if (fate === 'lost' || pending.length === 0) return image
  const chosen = choice(fate, pending, random)
  pending.forEach((write, writeIndex) => {
    for (const piece of sectorsOf(write)) {
      if (writeIndex < chosen(piece.sector)) writeAt(image, piece.bytes, piece.byteOffset)
    }
  })
  return image
}

/** How many of the pending writes a sector has seen. */
function choice(fate: Fate, pending: readonly PendingWrite[], random: Random): (sector: number) => number {
  if (fate === 'kept') return () => pending.length
  const seen = new Map<number, number>()
  const end = Math.max(...pending.map((write) => write.byteOffset + write.bytes.length))
  const start = Math.min(...pending.map((write) => write.byteOffset))
  const cut = Math.floor((start + random.below(end - start + 1)) / sectorBytes)
  return (sector) => {
    if (fate === 'prefix') return sector < cut ? pending.length : 0
    if (!seen.has(sector)) seen.set(sector, random.below(pending.length + 1))
    return seen.get(sector)!
  }
}

function sectorsOf(write: PendingWrite): readonly { readonly sector: number; readonly byteOffset: number; readonly bytes: Uint8Array }[] {
  const pieces = []
  const end = write.byteOffset + write.bytes.length
  for (let at = write.byteOffset; at < end;) {
    const sector = Math.floor(at / sectorBytes)
    const next = Math.min(end, (sector + 1) * sectorBytes)
    pieces.push({ sector, byteOffset: at, bytes: write.bytes.subarray(at - write.byteOffset, next - write.byteOffset) })
    at = next
  }
  return pieces
}
