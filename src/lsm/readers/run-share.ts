/** A reader's part in a shared scan: predicate, computed columns and aggregates made ready in its own memory, then morsel after morsel. */
import { createLimitedHeap } from '../../kernel/grouping/limited-heap.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { createGroups } from '../groups/groups.ts'
import { createRowLayout } from '../keys/row-layout.ts'
import { createRowAggregates } from '../read/aggregate/aggregate-rows.ts'
import { createMorselWork } from '../read/direct/morsel-work.ts'
import type { SelectedRowGroup } from '../read/direct/select-rows.ts'
import { createGroupAdder } from '../read/group-rows.ts'
import { createPredicate } from '../read/predicate.ts'
import type { Predicate } from '../read/predicate.ts'
import type { ReadContext } from '../read/read-context.ts'
import { createScanColumns } from '../vector/scan-columns.ts'
import { awaitMorsel, finishMorsel, readMorsel, viewQueue } from './morsel-queue.ts'
import type { ReaderPart, SharedScan } from './reader-messages.ts'

export interface PreparedShare {
  /** Takes part until the queue has ended; undefined when the scan was stopped. Throws what evaluation throws, and 53200. */
  run(): { readonly part: ReaderPart; readonly rowGroups: number } | undefined
  /** Frees all, what the part's addresses mean included. */
  free(): void
}

/** Touches nothing that the scan owns, so it may be over meanwhile. What it throws (53200) has freed its memory. */
export function prepareShare(kernel: Kernel, scan: SharedScan): PreparedShare {
  const heap = createLimitedHeap(kernel.heap, { bytesMax: kernel.heap.byteLength, usedBytes: 0 }, 'a reader thread')
  try {
    const context: ReadContext = { kernel: { ...kernel, heap }, shape: createRowLayout({ ...kernel, heap }, scan.layout), reverse: false, stats: undefined }
    const { tableId } = scan.layout
    const predicate = createPredicate(context, { tableId, columns: [], predicate: scan.predicate, conditions: scan.conditions })
    const work = openWork(context, scan)
    return {
      run() {
        const rowGroups = workOff(context, predicate, scan, work)
        return rowGroups < 0 ? undefined : { part: work.part(), rowGroups }
      },
      free: heap.freeAll,
    }
  } catch (error) {
    heap.freeAll()
    throw error
  }
}

interface Work {
  addRowGroup(rows: SelectedRowGroup): void
  /** Whether taking more rows spares the serving thread anything, after so many. */
  isUseful(rowCount: number): boolean
  part(): ReaderPart
}

function openWork(context: ReadContext, { layout, computed, work, rowsExpected }: SharedScan): Work {
  switch (work.kind) {
    case 'aggregates': {
      const rows = createRowAggregates(context, computed, work.aggregates)
      return { addRowGroup: rows.addRowGroup, isUseful: () => true, part: () => ({ kind: 'aggregates', partials: rows.partials() }) }
    }
    case 'groups': {
      const { kernel } = context, columns = createScanColumns(kernel, layout.columns, computed)
      const groups = createGroups({ kernel, columns: columns.kinds, groupBy: work.groupBy, aggregates: work.aggregates, budget: { bytesMax: kernel.heap.byteLength, usedBytes: 0 } })
      groups.expect(rowsExpected)
      return { addRowGroup: createGroupAdder(context, columns, groups).addRowGroup, isUseful: (rowCount) => groups.entryCount < entriesFew || rowCount >= rowsPerEntryMin * groups.entryCount, part: () => ({ kind: 'groups', groups: groups.sharedPart() }) }
    }
  }
}

/** Merging a group, or a value of DISTINCT, costs the serving thread as much as adding some rows does. */
const entriesFew = 4096, rowsPerEntryMin = 32

/** Returns how many row groups it processed; -1 when the scan was stopped. */
function workOff(context: ReadContext, predicate: Predicate, { names, queue: address }: SharedScan, { addRowGroup, isUseful }: Work): number {
  const { kernel } = context
  const queue = viewQueue(kernel.memory, address, names.length)
  const work = createMorselWork(context, predicate, addRowGroup)
  for (let rowGroups = 0, rowCount = 0; ; rowGroups++) {
    if (!isUseful(rowCount)) return rowGroups
    const morsel = awaitMorsel(queue)
    if (morsel === 'complete') return rowGroups
    if (morsel === 'stopped') return -1
    const rows = readMorsel(queue, morsel)
    work.process(rows, names)
    rowCount += rows.rowCount
    finishMorsel(queue, morsel)
  }
}
