/** A table's layout as kernels and readers need it: the descriptor in linear memory, and where each column is found. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { keyForm, physicalKindNumber, valueOrdinals } from '../layout.ts'
import { createMissingValues } from './missing-values.ts'
import type { MissingValues } from './missing-values.ts'
import type { KeyForm, TableLayout } from '../layout.ts'

export interface RowLayout {
  readonly layout: TableLayout
  readonly form: KeyForm
  /** Ordinal of the key's one column for the direct forms, -1 for composite keys. */
  readonly directOrdinal: number
  /** By ordinal: the column's place in rows, or -1 for a column of the key. */
  readonly valueIndexes: readonly number[]
  /** By ordinal: the column's place in the key, or -1. */
  readonly keyIndexes: readonly number[]
  /** The words that row kernels take; see src/kernel/row.ts. */
  readonly descriptor: Pointer
  readonly missing: MissingValues
  free(): void
}

export function createRowLayout(kernel: Kernel, layout: TableLayout): RowLayout {
  const { heap, memory } = kernel
  const values = valueOrdinals(layout)
  const words = [values.length, ...values.map((ordinal) => physicalKindNumber[layout.columns[ordinal]!])]
  const descriptor = heap.allocate(4 * words.length)
  memory.u32.set(words, descriptor >>> 2)
  const form = keyForm(layout)
  const missing = createMissingValues(kernel, layout)
  return {
    layout,
    form,
    directOrdinal: form === 'composite' ? -1 : layout.key[0]!,
    valueIndexes: layout.columns.map((_, ordinal) => values.indexOf(ordinal)),
    keyIndexes: layout.columns.map((_, ordinal) => layout.key.indexOf(ordinal)),
    descriptor,
    missing,
    free() {
      heap.free(descriptor)
      missing.free()
    },
  }
}
