/** The group of each selected row: by dictionary codes where a text chunk has them, otherwise by hashing values. */
import type { Grouping } from '../../kernel/grouping/grouping.ts'
import type { KnownEntries } from '../../kernel/grouping/known-entries.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { bitsOperator } from '../../kernel/vector.ts'
import type { Arena } from '../state/arena.ts'
import { valuesOf } from './group-rows.ts'
import type { GroupRows } from './group-rows.ts'
import { numberSteps } from './step-numbers.ts'

/** The groups of a text chunk's dictionary entries, all of which have one; u32 by code. */
export interface EntryGroups {
  readonly chunk: Pointer
  readonly map: Pointer
}

/** Where keys go: without a grouping there are none, and one group. */
export interface KeyGroups {
  readonly grouping: Grouping | undefined
  /** Ordinals of the keys. */
  readonly groupBy: readonly number[]
  /** Keeps the groups of a dictionary's entries, if the first key is a text. */
  readonly known: KnownEntries
  /** The one group of so many rows, which nobody writes to. */
  readonly zeros: (rowCount: number) => Pointer
}

/** Where the only key is a text column whose chunk has a dictionary and no nulls, and all its entries are known to occur. */
export function groupsOfEntries({ exports }: Kernel, { grouping, groupBy, known }: KeyGroups, rows: GroupRows, arena: Arena): EntryGroups | undefined {
  if (grouping === undefined || grouping.kinds.length !== 1 || grouping.kinds[0] !== 'bytes') return undefined
  const chunk = rows.chunk(groupBy[0]!)
  const entries = chunk === 0 || exports.columnHasNulls(chunk) !== 0 ? -1 : exports.scanGroupsEntryCount(chunk)
  if (entries < 0) return undefined
  const before = known.recall(chunk)
  if (before !== 0) return { chunk, map: before }
  // Which of them the selected rows have is for whoever goes row by row to see.
  if (rows.selection !== 0) return undefined
  const refs = arena.allocate(8 * (entries + 1)), nulls = arena.allocate(((entries + 64) >>> 6) * 8), map = arena.allocate(4 * (entries + 1))
  exports.scanGroupsEntries(chunk, refs, nulls)
  grouping.assignColumn(0, { values: refs, nulls }, 0, 0, entries, map)
  known.keep(map, 4 * entries)
  return { chunk, map }
}

/** Numbers as u32 by row; of rows that are not selected they mean nothing. */
export function groupsOfRows(kernel: Kernel, keys: KeyGroups, rows: GroupRows, arena: Arena): Pointer {
  const { grouping, groupBy } = keys
  if (grouping === undefined) return keys.zeros(rows.rowCount)
  const groups = arena.allocate(4 * rows.rowCount)
  groupBy.forEach((ordinal, column) => {
    if (column === 0 && (assignByCodes(kernel, grouping, keys.known, rows, ordinal, arena, groups) || assignBySteps(kernel, grouping, rows, ordinal, arena, groups))) return
    const vector = rows.vector(ordinal)
    grouping.assignColumn(column, { values: valuesOf(vector), nulls: vector.nulls }, column === 0 ? 0 : groups, rows.selection, rows.rowCount, groups)
  })
  return groups
}

/** The same where the groups of the entries are known. */
export function groupsByEntries({ exports }: Kernel, { chunk, map }: EntryGroups, { rowCount }: GroupRows, arena: Arena): Pointer {
  const groups = arena.allocate(4 * rowCount)
  exports.scanGroupsCodes(chunk, 0, rowCount, groups)
  exports.scanGroupsMap(groups, 0, rowCount, map)
  return groups
}

/**
 * Only entries of the dictionary are hashed. Those of which no row is selected must not become groups; without a
 * selection all of them occur, as a dictionary holds what its rows have.
 */
function assignByCodes(kernel: Kernel, grouping: Grouping, known: KnownEntries, rows: GroupRows, ordinal: number, arena: Arena, groups: Pointer): boolean {
  const { exports } = kernel, { rowCount, selection } = rows
  const chunk = grouping.kinds[0] === 'bytes' ? rows.chunk(ordinal) : 0
  const entries = chunk === 0 ? -1 : exports.scanGroupsCodes(chunk, 0, rowCount, groups)
  if (entries < 0) return false
  const hasNulls = exports.columnHasNulls(chunk) !== 0
  let map = hasNulls ? 0 : known.recall(chunk)
  if (map === 0) {
    const refs = arena.allocate(8 * (entries + 1)), nulls = arena.allocate(((entries + 64) >>> 6) * 8)
    map = arena.allocate(4 * (entries + 1))
    exports.scanGroupsEntries(chunk, refs, nulls)
    const used = selection === 0 && !hasNulls ? undefined : usedEntries(kernel, groups, rows, entries, arena)
    grouping.assignColumn(0, { values: refs, nulls }, 0, used?.bits ?? 0, entries + (used === undefined ? 0 : 1), map)
    if (!hasNulls && (used === undefined || used.count === entries)) known.keep(map, 4 * entries)
  }
  exports.scanGroupsMap(groups, selection, rowCount, map)
  return true
}

/** A group for each step of a computed column. */
function assignBySteps(kernel: Kernel, grouping: Grouping, rows: GroupRows, ordinal: number, arena: Arena, groups: Pointer): boolean {
  const steps = rows.steps?.(ordinal)
  return steps !== undefined && numberSteps(kernel, steps, rows, (vector, selection, count, to) => {
    grouping.assignColumn(0, vector, 0, selection, count, to)
    return true
  }, groups, arena)
}

/** The entries that selected rows have, null's after them. */
function usedEntries({ exports, memory }: Kernel, codes: Pointer, { rowCount, selection }: GroupRows, entries: number, arena: Arena): { readonly bits: Pointer; readonly count: number } {
  const bitmapBytes = ((entries + 64) >>> 6) * 8, bits = arena.allocate(bitmapBytes)
  memory.u8.fill(0, bits, bits + bitmapBytes)
  exports.scanGroupsUsed(codes, selection, rowCount, bits)
  return { bits, count: exports.vectorBits(bitsOperator.and, bits, bits, entries + 1, bits) }
}
