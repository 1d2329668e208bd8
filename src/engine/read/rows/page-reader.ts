/** Rows out of the pages of a scan, of many pages at once: of those that are filtered each has few. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import { invariant } from '../../../errors.ts'
import type { Page } from '../../../lsm/page.ts'
import { addColumn, rowsOfColumns } from '../../codec/read-page.ts'
import type { PageRows } from '../../codec/read-page.ts'
import type { ReadKind } from '../../codec/read-row.ts'
import { createTextCache } from '../../codec/text-cache.ts'
import type { ReadText } from '../../codec/text-cache.ts'
import type { EngineRow, EngineValue } from '../../engine.ts'

export interface PageReader {
  readonly memory: LinearMemory
  readonly kinds: readonly ReadKind[]
  /** Ordinals, in the order the rows have them. */
  readonly columns: readonly number[]
  readonly asText: ReadText
}

export function createPageReader(memory: LinearMemory, kinds: readonly ReadKind[], columns: readonly number[]): PageReader {
  return { memory, kinds, columns, asText: createTextCache() }
}

export interface RowCollector {
  /** Of rows that were added and not taken. */
  readonly count: number
  /** What their texts and bytes take, about: numbers beside them matter less. */
  readonly textBytes: number
  add(page: Pick<Page, 'vectors'>, rows: PageRows): void
  take(): readonly EngineRow[]
}

export function createRowCollector({ memory, kinds, columns, asText }: PageReader): RowCollector {
  const none = (): EngineValue[][] => columns.map(() => [])
  let collected = none(), count = 0, textBytes = 0
  return {
    get count() {
      return count
    },
    get textBytes() {
      return textBytes
    },
    add({ vectors }, rows) {
      for (let i = 0; i < columns.length; i++) {
        const ordinal = columns[i]!, vector = vectors[ordinal]
        invariant(vector !== undefined, `column ${ordinal} is missing in a page`)
        addColumn(memory, kinds[ordinal]!, vector, rows, collected[i]!, asText)
        if (vector.kind === 'bytes') textBytes += lengthsFrom(collected[i]!, count)
      }
      count += rows.count
    },
    take() {
      const rows = rowsOfColumns(collected, count)
      collected = none()
      count = textBytes = 0
      return rows
    },
  }
}

function lengthsFrom(values: readonly EngineValue[], from: number): number {
  let length = 0
  for (let i = from; i < values.length; i++) length += (values[i] as string | Uint8Array | null)?.length ?? 0
  return length
}
