/** One column's work for aggregates by group. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Arena } from '../state/arena.ts'
import type { AggregateFunction } from '../tree.ts'
import type { GroupedValue, GroupRows } from './group-rows.ts'

export interface GroupInput {
  /** Makes room for groups below `groupCount`; called before `add`. */
  ensure(groupCount: number): void
  /** `groups` is u32 by row. */
  add(groups: Pointer, rows: GroupRows, arena: Arena): void
  /** After the last rows, before what `reader` gave is called. */
  finish(groupCount: number): void
  reader(wanted: AggregateFunction): (group: number) => GroupedValue
}
