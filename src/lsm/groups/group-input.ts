/** One column's work for aggregates by group. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Arena } from '../state/arena.ts'
import type { AggregateFunction } from '../tree.ts'
import type { EntryGroups } from './assign-groups.ts'
import type { GroupedValue, GroupRows } from './group-rows.ts'
import type { InputPart } from './groups-part.ts'

export interface GroupInput {
  /** Makes room for groups below `groupCount`; called before `add`. */
  ensure(groupCount: number): void
  /** `groups` is u32 by row. */
  add(groups: Pointer, rows: GroupRows, arena: Arena): void
  /** Adds rows by the groups of their dictionary entries, without those of single rows; false, with nothing done, when it cannot. */
  addByEntries?(entries: EntryGroups, rows: GroupRows, arena: Arena): boolean
  /** How many entries beside its groups merging it takes. */
  entryCount?(): number
  /** What it holds, for an input of the same make over another part of the rows; `isShared`: over the same memory. */
  part(isShared: boolean): InputPart
  /** Adds another's part; `map` is u32 by its groups (0: there is one group), for which `ensure` made room. */
  merge(part: InputPart, map: Pointer, groupCount: number): void
  /** After the last rows, before what `reader` gave is called. */
  finish(groupCount: number): void
  reader(wanted: AggregateFunction): (group: number) => GroupedValue
  /** The same as doubles, for what can be read so. */
  doubles?(wanted: AggregateFunction): DoublesReader | undefined
}

/**
 * Writes what `count` groups from the one at `first` on came to; `places` has the groups' numbers here as u32, 0: they are
 * these themselves. False, what was written then meaning nothing, when one of them is NULL.
 */
export type DoublesReader = (places: Pointer, first: number, count: number, out: Float64Array) => boolean
