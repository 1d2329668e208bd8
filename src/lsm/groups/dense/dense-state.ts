/** Accumulators by place of one window. */
import { LsmtError } from '../../../errors.ts'
import { createLimitedHeap } from '../../../kernel/grouping/limited-heap.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { DoublesReader, GroupInput } from '../group-input.ts'
import { createGroupInputs } from '../group-inputs.ts'
import type { GroupedValue, GroupWork } from '../group-rows.ts'
import type { DensePart, GroupsPart, InputPart } from '../groups-part.ts'
import { placeCountOf } from './window.ts'
import type { PlaceWindow } from './window.ts'

/** What accumulators by place may take. */
const denseBytesMax = 32 * 1024 * 1024

export interface DenseState {
  readonly window: PlaceWindow
  /** The first counts rows, also where nobody asked for that. */
  readonly inputs: readonly GroupInput[]
  /** By request. */
  readonly readers: readonly ((place: number) => GroupedValue)[]
  readonly doubles: readonly (DoublesReader | undefined)[]
  free(): void
}

const countsRows = ({ aggregates }: GroupWork): boolean => aggregates.some(({ ordinal }) => ordinal === undefined)

/** undefined when there is no memory for it, which is no reason to fail. */
export function openDense(kernel: Kernel, work: GroupWork, window: PlaceWindow, rowsExpected: () => number): DenseState | undefined {
  const { columns, aggregates } = work
  const heap = createLimitedHeap(kernel.heap, { bytesMax: denseBytesMax, usedBytes: 0 }, 'aggregation by group')
  try {
    const { inputs, readers, doubles } = createGroupInputs({ ...kernel, heap }, { columns, requests: countsRows(work) ? aggregates : [...aggregates, { function: 'count' }], isGrouped: true, rowsExpected })
    for (const input of inputs) input.ensure(placeCountOf(window))
    return { window, inputs, readers: readers.slice(0, aggregates.length), doubles, free: heap.freeAll }
  } catch (error) {
    heap.freeAll()
    if (error instanceof LsmtError && error.code === '53200') return undefined
    throw error
  }
}

export function densePart(work: GroupWork, { window, inputs }: DenseState): DensePart {
  const parts = inputs.map((input) => input.part(true))
  return { window, rows: parts[0] as DensePart['rows'], inputs: countsRows(work) ? parts : parts.slice(1) }
}

/** Adds a part whose window lies within. */
export function addDense({ heap, memory: { u32 } }: Kernel, work: GroupWork, { window, inputs }: DenseState, part: DensePart): void {
  const placeCount = placeCountOf(part.window), offset = part.window.base - window.base
  const parts: readonly InputPart[] = countsRows(work) ? part.inputs : [part.rows, ...part.inputs]
  const isSame = offset === 0 && part.window.capacity === window.capacity, map = isSame ? 0 : heap.allocate(4 * placeCount)
  if (!isSame) {
    for (let place = 0; place < part.window.capacity; place++) u32[(map >>> 2) + place] = place + offset
    u32[(map >>> 2) + part.window.capacity] = window.capacity
  }
  inputs.forEach((input, i) => input.merge(parts[i]!, map, placeCount))
  if (!isSame) heap.free(map)
}

/** Adds groups of tables; `places` is u32 by group. */
export function addTable({ heap, memory: { f64 } }: Kernel, work: GroupWork, { inputs }: DenseState, { groupCount, inputs: parts }: GroupsPart, places: Pointer): void {
  if (countsRows(work)) return inputs.forEach((input, i) => input.merge(parts[i]!, places, groupCount))
  // Each has a row at least, and nobody asks how many.
  const ones = heap.allocate(8 * groupCount)
  f64.fill(1, ones >>> 3, (ones >>> 3) + groupCount)
  const rows: InputPart = { kind: 'accumulators', address: ones, stride: 8, of: 'i64' }
  inputs.forEach((input, i) => input.merge(i === 0 ? rows : parts[i - 1]!, places, groupCount))
  heap.free(ones)
}
