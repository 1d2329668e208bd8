/** What a scan does with a row group that is given by its chunks: the same on the serving thread and on readers. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { ChunkName } from '../../layout.ts'
import type { MorselRows } from '../../readers/morsel-queue.ts'
import type { Predicate } from '../predicate.ts'
import type { ZoneMaps } from '../../table/table.ts'
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
  let maps: MorselMaps | undefined
  return {
    // Objects are written out: copying the properties of one into another takes longer than filtering its rows.
    process(rows, names) {
      arena.reset()
      const { rowCount, mustFilter, standing, rowGroup } = rows
      const chunk = (name: ChunkName): Pointer => chunkOrMissing(context, rows.chunk(names.indexOf(name)), name, rowCount)
      const { selection, selectedCount } = selectRows(context, predicate, { rowCount, mustFilter, standing, chunk }, undefined, arena, scratch)
      if (selectedCount === 0) return
      if (maps === undefined || !areMapsOf(maps, rows)) maps = mapsOf(rows, names)
      visit({ rowCount, selection, selectedCount, chunk, zones: { rowGroup, maps }, hidden: undefined })
    },
    free() {
      arena.free()
      scratch.free()
    },
  }
}

/** The zone maps of a morsel's file, by where they stand. */
interface MorselMaps extends ZoneMaps {
  /** By place in the plan's names. */
  readonly addresses: readonly Pointer[]
}

/** Texts' extremes are beyond what a morsel can name. */
function mapsOf({ rowGroupCount, liveRowCounts, zoneMap }: MorselRows, names: readonly ChunkName[]): MorselMaps {
  const addresses = names.map((_, place) => zoneMap(place))
  return { addresses, meta: { rowGroupCount }, liveRowCounts, zoneMap: (ordinal) => addresses[names.indexOf(ordinal)] ?? 0, textExtremes: () => undefined }
}

/** Morsels of one file come one behind the other, mostly. */
function areMapsOf({ addresses, meta, liveRowCounts }: MorselMaps, rows: MorselRows): boolean {
  if (liveRowCounts !== rows.liveRowCounts || meta.rowGroupCount !== rows.rowGroupCount) return false
  for (let place = 0; place < addresses.length; place++) if (addresses[place] !== rows.zoneMap(place)) return false
  return true
}
