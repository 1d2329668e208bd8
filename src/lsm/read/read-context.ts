/** What all parts of one scan share. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { ReadStats } from '../tree.ts'

export interface ReadContext {
  readonly kernel: Kernel
  readonly shape: RowLayout
  readonly reverse: boolean
  readonly stats: ReadStats | undefined
}

/** Bytes of a bitmap over `count` rows, as all kernels shape it. */
export const bitmapBytes = (count: number): number => ((count + 63) >>> 6) * 8

/** Whether bit `row` is set; a bitmap at 0 has none. */
export function bitAt(u8: Uint8Array, bitmap: number, row: number): boolean {
  return bitmap !== 0 && ((u8[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) !== 0
}
