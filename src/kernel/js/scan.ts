/** The scan kernels in JavaScript, put together from their parts. */
import type { LinearMemory } from '../linear-memory.ts'
import type { ScanExports } from '../scan.ts'
import { createGroupAggregates } from './scan/aggregate-groups.ts'
import { createVectorAggregates } from './aggregate/vectors.ts'
import { createColumnJs } from './column.ts'
import { createChunkAggregates } from './scan/aggregate-chunks.ts'
import { createChunkParts } from './scan/codes.ts'
import { createKnownEntries } from './scan/entries/known.ts'
import { createEntrySelection } from './scan/entries/select.ts'
import { createNumberFilters } from './scan/filter-numbers.ts'
import { createTextFilters } from './scan/filter-texts.ts'
import { createVectorFilters } from './scan/filter-vectors.ts'
import { createGroupCodes } from './scan/group-codes.ts'
import { createDenseGroups } from './scan/group-dense.ts'
import { createGroupSums } from './scan/group-sums.ts'
import { createGroupKernels } from './scan/group.ts'
import { createNarrowSums } from './scan/grouped/narrow-sums.ts'
import { createPlaces } from './scan/grouped/places.ts'
import { createSumsByCode } from './scan/grouped/sums-by-code.ts'
import { createTextExtremes } from './scan/grouped/text-extremes.ts'
import { createSelections } from './scan/selection.ts'

export function createScanJs(memory: LinearMemory): ScanExports {
  const selections = createSelections(memory)
  const aggregates = createVectorAggregates(memory)
  const filters = createVectorFilters(memory, selections)
  const column = createColumnJs(memory)
  const codes = createGroupCodes(memory)
  const parts = createChunkParts(memory, { column, selections, filters, aggregates })
  return {
    scanSelectAll: selections.scanSelectAll,
    scanSelectedCount: selections.scanSelectedCount,
    scanSelectedRows: selections.scanSelectedRows,
    ...filters,
    ...createNumberFilters(parts),
    ...createTextFilters(parts),
    ...createChunkAggregates(parts),
    ...createGroupAggregates(memory, aggregates, selections),
    ...createGroupKernels(memory, selections),
    ...codes,
    ...createKnownEntries(memory, codes),
    ...createEntrySelection(memory, codes),
    ...createDenseGroups(memory),
    ...createGroupSums(memory, aggregates, selections),
    ...createSumsByCode(memory, column, selections),
    ...createNarrowSums(memory, selections),
    ...createPlaces(memory),
    ...createTextExtremes(memory, selections),
    scanAggregateI64: (values, nulls, count, selection, accumulator) => aggregates.aggregateI64(values, nulls, selection, count, accumulator),
    scanAggregateF64: (values, nulls, count, selection, accumulator) => aggregates.aggregateF64(values, nulls, selection, count, accumulator),
  }
}
