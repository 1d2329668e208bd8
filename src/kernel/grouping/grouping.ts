/**
 * Grouping rows by one or more columns: owns a group table for each column (src/kernel/scan.ts tells how they chain) and
 * brings larger ones when they are full. Group numbers never change while rows are added, so that accumulators stay where
 * they are; partial groupings merge.
 */
import type { GroupVector } from './group-vector.ts'
import { createDenseIndex } from './dense-index.ts'
import type { DenseIndex } from './dense-index.ts'
import { invariant, LsmtError } from '../../errors.ts'
import type { Kernel } from '../kernel.ts'
import type { Pointer } from '../linear-memory.ts'
import { scanKind } from '../scan.ts'

export type GroupKind = keyof typeof scanKind

/** Keys of some groups, one vector a column; `nulls` is always given. */
export interface GroupKeys {
  readonly vectors: readonly GroupVector[]
  free(): void
}

export interface Grouping {
  readonly kinds: readonly GroupKind[]
  readonly groupCount: number
  /** Writes the group of each selected row below `count` as u32 at `groups`; one vector a column. */
  assign(vectors: readonly GroupVector[], selection: Pointer, count: number, groups: Pointer): void
  /**
   * One column's step of that: `parents` is u32 by row, the groups of the columns before (0 for the first), and may be
   * `groups` itself. Columns are to be taken in order.
   */
  assignColumn(column: number, vector: GroupVector, parents: Pointer, selection: Pointer, count: number, groups: Pointer): void
  /**
   * Brings in all groups of another grouping of the same kinds, given by the table of each column; their numbers here as u32 by
   * group, to be freed by the caller. `parents` is the map of the groups behind the first column's parents, where there are any.
   */
  merge(from: readonly Pointer[], parents?: Pointer): Pointer
  /** Keys of groups [first, first + count); text refs stay valid until the next assign or merge. */
  keys(first: number, count: number): GroupKeys
  /** Address of each column's table: for merging. They move as groups are added. */
  tables(): readonly Pointer[]
  close(): void
}

interface OwnedTable {
  readonly kind: GroupKind
  address: Pointer
  groupCapacity: number
  textCapacity: number
}

const groupCapacityStart = 256
const textBytesPerGroup = 32
/** A group's entry and at most four slots. */
const groupBytesMax = 56
const addressableBytes = 2 ** 31

export function createGrouping(kernel: Kernel, kinds: readonly GroupKind[]): Grouping {
  invariant(kinds.length > 0, 'a grouping needs a column')
  const { exports, heap } = kernel
  const tables: OwnedTable[] = []
  let dense: DenseIndex | undefined
  const close = (): void => {
    tables.forEach((table) => heap.free(table.address))
    dense?.close()
  }
  try {
    for (const kind of kinds) tables.push({ kind, ...newTable(kernel, kind, groupCapacityStart, kind === 'bytes' ? groupCapacityStart * textBytesPerGroup : 0) })
    if (kinds[0] === 'i64') dense = createDenseIndex(kernel)
  } catch (error) {
    close()
    throw error
  }
  const last = tables[tables.length - 1]!

  function assignColumn(column: number, vector: GroupVector, parents: Pointer, selection: Pointer, count: number, groups: Pointer): void {
    if (column !== 0 || parents !== 0 || dense === undefined) return hashColumn(column, vector, parents, selection, count, groups)
    if (dense.find(vector, selection, count, groups) === 0) return
    hashColumn(column, vector, parents, dense.missed, count, groups)
    if (!dense.learn(vector, count, groups, exports.scanGroupsCount(tables[0]!.address))) dense = undefined
  }

  function hashColumn(column: number, { values, nulls }: GroupVector, parents: Pointer, selection: Pointer, count: number, groups: Pointer): void {
    const table = tables[column]!
    let row = 0
    while ((row = exports.scanGroupsAssign(table.address, values, nulls, parents, selection, row, count, groups)) < count) growTable(kernel, table)
  }

  return {
    kinds,
    get groupCount() {
      return exports.scanGroupsCount(last.address)
    },
    tables: () => tables.map(({ address }) => address),
    assign(vectors, selection, count, groups) {
      vectors.forEach((vector, column) => assignColumn(column, vector, column === 0 ? 0 : groups, selection, count, groups))
    },
    assignColumn,
    merge(from, parents = 0) {
      const maps: Pointer[] = []
      try {
        tables.forEach((table, column) => {
          const other = from[column]!, groupCount = exports.scanGroupsCount(other)
          const map = heap.allocate(4 * groupCount), parentMap = maps[column - 1] ?? parents
          maps.push(map)
          let group = 0
          while ((group = exports.scanGroupsMerge(table.address, other, parentMap, group, map)) < groupCount) growTable(kernel, table)
        })
      } catch (error) {
        for (const map of maps) heap.free(map)
        throw error
      }
      const whole = maps.pop()!
      for (const map of maps) heap.free(map)
      return whole
    },
    keys: (first, count) => readKeys(kernel, tables, first, count),
    close,
  }
}

function newTable({ heap, exports }: Kernel, kind: GroupKind, groupCapacity: number, textCapacity: number): Omit<OwnedTable, 'kind'> {
  // Sizes are 32-bit numbers in the kernels: a table that could not be addressed must not wrap round to a small one.
  if (groupCapacity * groupBytesMax + textCapacity > addressableBytes) throw new LsmtError('53200', `a GROUP BY of more than ${groupCapacity / 2} groups does not fit into the kernel memory`)
  const address = heap.allocate(exports.scanGroupsBytes(groupCapacity, textCapacity))
  exports.scanGroupsCreate(address, scanKind[kind], groupCapacity, textCapacity)
  return { address, groupCapacity, textCapacity }
}

/** Twice as large in both respects: either may have been what was full, and a long text may need more than one step. */
function growTable(kernel: Kernel, table: OwnedTable): void {
  const larger = newTable(kernel, table.kind, 2 * table.groupCapacity, 2 * table.textCapacity)
  invariant(kernel.exports.scanGroupsCopy(table.address, larger.address) === 0, 'a larger group table is too small')
  kernel.heap.free(table.address)
  Object.assign(table, larger)
}

/** From the last column back: the parents of its groups are the groups of the column before. */
function readKeys({ heap, exports }: Kernel, tables: readonly OwnedTable[], first: number, count: number): GroupKeys {
  const owned: Pointer[] = []
  const allocate = (byteLength: number): Pointer => {
    const pointer = heap.allocate(byteLength)
    owned.push(pointer)
    return pointer
  }
  const free = (): void => owned.forEach((pointer) => heap.free(pointer))
  const vectors: GroupVector[] = []
  try {
    let groups: Pointer = 0
    for (let column = tables.length - 1; column >= 0; column--) {
      const values = allocate(8 * count), nulls = allocate(Math.ceil(count / 64) * 8), parents = column === 0 ? 0 : allocate(4 * count)
      exports.scanGroupsKeys(tables[column]!.address, groups, first, count, values, nulls, parents)
      vectors.unshift({ values, nulls })
      groups = parents
    }
  } catch (error) {
    free()
    throw error
  }
  return { vectors, free }
}
