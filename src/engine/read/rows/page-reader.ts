/** Rows out of the pages of a scan, by column, of many pages at once: of those that are filtered each has few. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import { invariant } from '../../../errors.ts'
import type { Page } from '../../../lsm/page.ts'
import { newColumn, readRows } from '../../codec/read-page.ts'
import type { PageRows } from '../../codec/read-page.ts'
import type { ReadKind } from '../../codec/read-row.ts'
import { createTextCache, PageTexts } from '../../codec/text-cache.ts'
import type { EngineValue } from '../../engine.ts'
import type { RowColumns } from '../../engine-walk.ts'

/** A batch of fewer rows, and less text, waits for more pages. Whoever takes batches holds one of them beyond what memory it was given. */
export const batchRows = 1024, batchTextBytes = 64 * 1024

export interface PageReader {
  readonly memory: LinearMemory
  readonly kinds: readonly ReadKind[]
  /** Ordinals, in the order the rows have them. */
  readonly columns: readonly number[]
  readonly texts: PageTexts
}

export function createPageReader(memory: LinearMemory, kinds: readonly ReadKind[], columns: readonly number[]): PageReader {
  return { memory, kinds, columns, texts: new PageTexts(createTextCache()) }
}

export interface RowCollector {
  /** Of rows that were added and not taken. */
  readonly count: number
  /** What their texts and bytes take, about: numbers beside them matter less. */
  readonly textBytes: number
  add(page: Pick<Page, 'vectors'>, rows: PageRows): void
  take(): RowColumns<EngineValue>
}

/** Columns begin with room for as many rows as were taken the last time. */
export function createRowCollector({ memory, kinds, columns, texts }: PageReader): RowCollector {
  let collected: readonly EngineValue[][] = [], count = 0, textBytes = 0, room = 0
  return {
    get count() {
      return count
    },
    get textBytes() {
      return textBytes
    },
    add({ vectors }, rows) {
      if (count === 0) collected = columns.map((ordinal) => newColumn(kinds[ordinal]!, Math.max(rows.count, room)))
      for (let i = 0; i < columns.length; i++) {
        const ordinal = columns[i]!, vector = vectors[ordinal]
        invariant(vector !== undefined, `column ${ordinal} is missing in a page`)
        readRows(memory, kinds[ordinal]!, vector, rows, collected[i]!, count, texts)
        if (vector.kind === 'bytes') textBytes += lengthsOf(collected[i]!, count, rows.count)
      }
      count += rows.count
    },
    take() {
      for (const values of collected) values.length = count
      const rows = { rowCount: count, columns: collected }
      collected = []
      room = count
      count = textBytes = 0
      return rows
    },
  }
}

/** What the texts and bytes among values take. */
export function lengthsOf(values: readonly EngineValue[], from: number, count: number): number {
  let length = 0
  for (let i = from; i < from + count; i++) {
    const value = values[i]
    if (typeof value === 'string' || value instanceof Uint8Array) length += value.length
  }
  return length
}
