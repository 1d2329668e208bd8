/** The scan kernels in JavaScript, put together from their parts. */
import type { LinearMemory } from '../linear-memory.ts'
import type { ScanExports } from '../scan.ts'
import { createGroupAggregates } from './aggregate-groups.ts'
import { createVectorAggregates } from './aggregate-vectors.ts'
import { createVectorFilters } from './filter-vectors.ts'
import { createGroupKernels } from './group.ts'
import { createSelections } from './selection.ts'

export function createScanJs(memory: LinearMemory): Partial<ScanExports> {
  const selections = createSelections(memory)
  const aggregates = createVectorAggregates(memory)
  return {
    scanSelectAll: selections.scanSelectAll,
    scanSelectedCount: selections.scanSelectedCount,
    scanSelectedRows: selections.scanSelectedRows,
    ...createVectorFilters(memory, selections),
    ...createGroupAggregates(memory, aggregates, selections),
    ...createGroupKernels(memory, selections),
    scanAggregateI64: (values, nulls, count, selection, accumulator) => aggregates.aggregateI64(values, nulls, selection, count, accumulator),
    scanAggregateF64: (values, nulls, count, selection, accumulator) => aggregates.aggregateF64(values, nulls, selection, count, accumulator),
  }
}
