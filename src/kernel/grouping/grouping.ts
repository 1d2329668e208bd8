/**
 * Grouping rows by one or more columns: owns a group table for each column (src/kernel/scan.ts tells how they chain) and
 * brings larger ones when they are full. Group numbers never change while rows are added, so that accumulators stay where
 * they are; partial groupings merge.
 */
import { invariant } from '../../errors.ts'
import type { Kernel } from '../kernel.ts'
import type { Pointer } from '../linear-memory.ts'
import { scanKind } from '../scan.ts'

export type GroupKind = keyof typeof scanKind

export interface GroupVector {
  /** Values, or refs for bytes. */
  readonly values: Pointer
  readonly nulls: Pointer
}

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
  /** Brings in all groups of another grouping of the same kinds; their numbers here as u32 by group, to be freed by the caller. */
  merge(from: Grouping): Pointer
  /** Keys of groups [first, first + count); text refs stay valid until the next assign or merge. */
  keys(first: number, count: number): GroupKeys
  /** Address of a column's table: for merging. */
  table(column: number): Pointer
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

export function createGrouping(kernel: Kernel, kinds: readonly GroupKind[]): Grouping {
  invariant(kinds.length > 0, 'a grouping needs a column')
  const { exports, heap } = kernel
  const tables = kinds.map((kind): OwnedTable => ({ kind, ...newTable(kernel, kind, groupCapacityStart, kind === 'bytes' ? groupCapacityStart * textBytesPerGroup : 0) }))
  const last = tables[tables.length - 1]!

  return {
    kinds,
    get groupCount() {
      return exports.scanGroupsCount(last.address)
    },
    table: (column) => tables[column]!.address,
    assign(vectors, selection, count, groups) {
      tables.forEach((table, column) => {
        const { values, nulls } = vectors[column]!
        const parents = column === 0 ? 0 : groups
        let row = 0
        while ((row = exports.scanGroupsAssign(table.address, values, nulls, parents, selection, row, count, groups)) < count) growTable(kernel, table)
      })
    },
    merge(from) {
      let parentMap: Pointer = 0
      tables.forEach((table, column) => {
        const other = from.table(column), groupCount = exports.scanGroupsCount(other)
        const map = heap.allocate(4 * groupCount)
        let group = 0
        while ((group = exports.scanGroupsMerge(table.address, other, parentMap, group, map)) < groupCount) growTable(kernel, table)
        if (parentMap !== 0) heap.free(parentMap)
        parentMap = map
      })
      return parentMap
    },
    keys: (first, count) => readKeys(kernel, tables, first, count),
    close() {
      for (const table of tables) heap.free(table.address)
    },
  }
}

function newTable({ heap, exports }: Kernel, kind: GroupKind, groupCapacity: number, textCapacity: number): Omit<OwnedTable, 'kind'> {
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
  const vectors: GroupVector[] = []
  let groups: Pointer = 0
  for (let column = tables.length - 1; column >= 0; column--) {
    const values = allocate(8 * count), nulls = allocate(Math.ceil(count / 64) * 8), parents = column === 0 ? 0 : allocate(4 * count)
    exports.scanGroupsKeys(tables[column]!.address, groups, first, count, values, nulls, parents)
    vectors.unshift({ values, nulls })
    groups = parents
  }
  return { vectors, free: () => owned.forEach((pointer) => heap.free(pointer)) }
}
