/**
 * Groups of one integer column whose values lie close together: each value has the accumulators at its distance from the
 * base of a window, so that nothing is hashed, threads' accumulators are added place by place, and packed codes of a chunk
 * are places once a base is added. The window widens as values are met, as long as there are enough rows to be worth it;
 * rows that it cannot take are for group tables.
 */
import type { GroupKeys } from '../../../kernel/grouping/grouping.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Arena } from '../../state/arena.ts'
import type { GroupedValue, GroupRows, GroupWork } from '../group-rows.ts'
import type { DensePart, GroupsPart } from '../groups-part.ts'
import { addDense, addTable, densePart, openDense } from './dense-state.ts'
import type { DenseState } from './dense-state.ts'
import { extremesOf, keysOfPlaces, placesOf, selectedCountOf, usedPlaces } from './places.ts'
import { isWithin, windowOver } from './window.ts'
import type { PlaceWindow } from './window.ts'

/** Fewer rows go to group tables. */
const rowsMin = 4096
/** As many places a row are no waste, nor are so many of the first rows, where as many as there are places are to come. */
const placesPerRowMax = 16, placesPerFirstRowMax = 64
/** As many places a group are none either, of so many groups and more. */
const placesPerGroupMax = 64, groupsFew = 1024

export interface FinishedPlaces {
  readonly groupCount: number
  keys(first: number, count: number): GroupKeys
  results(): readonly ((group: number) => GroupedValue)[]
  doubles(index: number, first: number, count: number, out: Float64Array): boolean
}

export interface DenseGroups {
  readonly isEmpty: boolean
  /** What merging goes through, in groups of a table. */
  readonly entryCount: number
  /** False, with nothing done, when the rows are for a group table, which has `tableGroups`. `arena` is for what the call needs. */
  add(rows: GroupRows, tableGroups: number, arena: Arena): boolean
  part(): DensePart | undefined
  /** False, with nothing done, when the windows do not go together. */
  merge(part: DensePart): boolean
  /** The same of groups in tables, if all of them have places. */
  mergeTable(groups: TableGroups, arena: Arena): boolean
  /** Once all rows are added. */
  finish(): FinishedPlaces
  /** Forgets all rows. */
  clear(): void
}

export interface TableGroups {
  readonly groupCount: number
  keys(first: number, count: number): GroupKeys | undefined
  part(isShared: boolean): GroupsPart
}

interface DenseOwner {
  readonly kernel: Kernel
  readonly work: GroupWork
  readonly key: number
  readonly rowsExpected: () => number
  state: DenseState | undefined
  rowsSeen: number
  rowsToTry: number
}

/** undefined for keys of another form, and inputs that are no accumulators. `rowsExpected`: how many rows are likely to come. */
export function createDenseGroups(kernel: Kernel, work: GroupWork, rowsExpected: () => number): DenseGroups | undefined {
  const { columns, groupBy, aggregates } = work
  const areAccumulated = aggregates.every(({ ordinal, distinct, function: name }) => distinct !== true && (ordinal === undefined || name === 'count' || columns[ordinal] !== 'bytes'))
  if (groupBy.length !== 1 || columns[groupBy[0]!] !== 'i64' || !areAccumulated) return undefined
  const owner: DenseOwner = { kernel, work, key: groupBy[0]!, rowsExpected, state: undefined, rowsSeen: 0, rowsToTry: rowsMin }
  return {
    get isEmpty() {
      return owner.state === undefined
    },
    get entryCount() {
      return owner.state === undefined ? 0 : owner.state.window.capacity >>> 6
    },
    add: (rows, tableGroups, arena) => add(owner, rows, tableGroups, arena),
    part: () => owner.state && densePart(work, owner.state),
    merge: (part) => merge(owner, part),
    mergeTable: (groups, arena) => mergeTable(owner, groups, arena),
    finish: () => finish(owner),
    clear() {
      owner.state?.free()
      owner.state = undefined
    },
  }
}

function add(owner: DenseOwner, rows: GroupRows, tableGroups: number, arena: Arena): boolean {
  owner.rowsSeen += selectedCountOf(owner.kernel, rows)
  const { kernel, key } = owner
  let places = placesOf(kernel, owner.state?.window, rows, key, arena)
  if (places === 0 && widen(owner, rows, tableGroups, arena)) places = placesOf(kernel, owner.state?.window, rows, key, arena)
  if (places === 0) return false
  for (const input of owner.state!.inputs) input.add(places, rows, arena)
  return true
}

/** Makes room for the rows' values; false when it cannot, or it is not worth it. */
function widen(owner: DenseOwner, rows: GroupRows, tableGroups: number, arena: Arena): boolean {
  const { state, rowsSeen } = owner
  if (rowsSeen < owner.rowsToTry) return false
  const extremes = extremesOf(owner.kernel, rows, owner.key, arena)
  const window = extremes && windowOver(extremes.least, extremes.greatest, state?.window)
  if (window !== undefined && isWorthwhile(window, owner, tableGroups) && move(owner, window)) return true
  owner.rowsToTry = 2 * rowsSeen
  return false
}

/** Of rows that tables have taken so far it is known whether their groups are few, and so lie far apart. */
function isWorthwhile({ capacity }: PlaceWindow, { rowsSeen, rowsExpected }: DenseOwner, tableGroups: number): boolean {
  const placesMax = Math.max(placesPerRowMax * rowsSeen, Math.min(placesPerFirstRowMax * rowsSeen, rowsExpected()))
  return capacity <= placesMax && (tableGroups === 0 || capacity <= placesPerGroupMax * Math.max(tableGroups, groupsFew))
}

/** False, with all as it was, when there is no memory for it. */
function move(owner: DenseOwner, window: PlaceWindow): boolean {
  const { kernel, work, state: before } = owner
  const state = openDense(kernel, work, window, owner.rowsExpected)
  if (state === undefined) return false
  if (before !== undefined) addDense(kernel, work, state, densePart(work, before))
  owner.state = state
  before?.free()
  return true
}

function merge(owner: DenseOwner, part: DensePart): boolean {
  const { kernel, work, state } = owner, { window } = part
  if (state === undefined || !isWithin(window, state.window)) {
    const union = state === undefined ? window : windowOver(window.base, window.base + window.capacity - 1, state.window)
    if (union === undefined || !move(owner, union)) return false
  }
  addDense(kernel, work, owner.state!, part)
  return true
}

function mergeTable({ kernel, work, state }: DenseOwner, groups: TableGroups, arena: Arena): boolean {
  const { window: { base, capacity } } = state!, { groupCount } = groups
  arena.reset()
  const keys = groups.keys(0, groupCount)!, { values, nulls } = keys.vectors[0]!, places = arena.allocate(4 * groupCount)
  const isWithinWindow = kernel.exports.scanPlaces(values, nulls, 0, groupCount, base, capacity, places) === 0
  keys.free()
  if (isWithinWindow) addTable(kernel, work, state!, groups.part(true), places)
  return isWithinWindow
}

function finish({ kernel, work, state }: DenseOwner): FinishedPlaces {
  const { window, readers, doubles } = state!, { u32 } = kernel.memory
  const { address, count } = usedPlaces(kernel, densePart(work, state!)), places = address >>> 2
  return {
    groupCount: count,
    keys: (first, keyCount) => keysOfPlaces(kernel, window, address + 4 * first, keyCount),
    results: () => readers.map((read) => (group) => read(u32[places + group]!)),
    doubles: (index, first, groupCount, out) => doubles[index]?.(address, first, groupCount, out) === true,
  }
}
