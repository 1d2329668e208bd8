/**
 * Zone records: what a zone map says of one column in one row group, over live rows. Tombstones count as null for the
 * kernel and are then taken out of the null count. Shared by the writer and the verifier.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../../layout.ts'
import { extremeBytesMax } from '../format.ts'

/** As zone map kernels write them: min 8, max 8, nulls 4, zeros 4, sum 16; for texts the rows of the extremes, 4 each. */
export const zoneRecordBytes = 48

export interface ZoneInput {
  readonly kind: PhysicalKind
  /** Values or refs. */
  readonly values: Pointer
  /** Nulls and tombstones; 0 = none. */
  readonly nulls: Pointer
  readonly rowCount: number
  readonly tombstoneCount: number
}

/** The exact least and greatest text of live rows. */
export interface Extremes {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

export function computeZoneRecord({ exports, memory }: Kernel, input: ZoneInput, record: Pointer): void {
  memory.u8.fill(0, record, record + zoneRecordBytes)
  const compute = { i64: exports.zoneMapComputeI64, f64: exports.zoneMapComputeF64, bytes: exports.zoneMapComputeBytes }[input.kind]
  compute(input.values, input.nulls, input.rowCount, record)
  memory.u32[(record + 16) >>> 2]! -= input.tombstoneCount
}

/** Copies of the extremes that a text column's record points to; undefined when there are none or one is too long to keep. */
export function extremesOf(kernel: Kernel, refs: Pointer, record: Pointer): Extremes | undefined {
  const { u32 } = kernel.memory
  const min = textAt(kernel, refs, u32[(record + 40) >>> 2]!)
  const max = textAt(kernel, refs, u32[(record + 44) >>> 2]!)
  return min === undefined || max === undefined ? undefined : { min, max }
}

function textAt({ memory: { u8, u32 } }: Kernel, refs: Pointer, row: number): Uint8Array | undefined {
  if (row === 0xffff_ffff) return undefined
  const start = u32[(refs >>> 2) + row * 2]!
  const bytes = u32[(refs >>> 2) + row * 2 + 1]!
  return bytes <= extremeBytesMax ? u8.slice(start, start + bytes) : undefined
}
