/** What a scan does with a row group that is given by its chunks: the same on the serving thread and on readers. */
import { createArena } from '../../state/arena.ts'
import type { ChunkName } from '../../layout.ts'
import type { MorselRows } from '../../readers/morsel-queue.ts'
import type { Predicate } from '../predicate.ts'
import type { RowGroupZones } from '../../table/table.ts'
import type { ReadContext } from '../read-context.ts'
import { chunkOrMissing } from '../row-group-columns.ts'
import { selectRows } from './select-rows.ts'
import type { SelectedRowGroup } from './select-rows.ts'

export interface MorselWork {
  /** Its chunks stand in the order of `names`. */
  process(rows: MorselRows, names: readonly ChunkName[]): void
  free(): void
}

/** `visit` is called where rows are selected. */
export function createMorselWork(context: ReadContext, predicate: Predicate, visit: (rows: SelectedRowGroup) => void): MorselWork {
  const arena = createArena(context.kernel.heap), scratch = createArena(context.kernel.heap)
  return {
    process({ rowCount, mustFilter, standing, chunk: at, ...zones }, names) {
      arena.reset()
      const selected = selectRows(context, predicate, { rowCount, mustFilter, standing, chunk: (name) => chunkOrMissing(context, at(names.indexOf(name)), name, rowCount) }, undefined, arena, scratch)
      if (selected.selectedCount > 0) visit({ ...selected, zones: zonesOf(zones, names) })
    },
    free() {
      arena.free()
      scratch.free()
    },
  }
}

/** What a morsel tells of its file: texts' extremes are beyond what it can name. */
function zonesOf({ rowGroup, rowGroupCount, liveRowCounts, zoneMap }: Pick<MorselRows, 'rowGroup' | 'rowGroupCount' | 'liveRowCounts' | 'zoneMap'>, names: readonly ChunkName[]): RowGroupZones {
  return { rowGroup, maps: { meta: { rowGroupCount }, liveRowCounts, zoneMap: (ordinal) => zoneMap(names.indexOf(ordinal)), textExtremes: () => undefined } }
}
