/** Rows on their way into groups, and what trees know of the groups. */
import type { GroupKeys } from '../../kernel/grouping/grouping.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import type { Steps } from '../vector/steps/step-visitor.ts'
import type { GroupedAggregateRequest } from './aggregate-request.ts'
import type { GroupsPart } from './groups-part.ts'

export interface GroupRows {
  readonly rowCount: number
  /** Bitmap; 0 = all rows. */
  readonly selection: Pointer
  vector(ordinal: number): Vector
  /** The encoded chunk of a column where there is one over just these rows; 0 where not. */
  chunk(ordinal: number): Pointer
  /** A computed column as steps, where that is quicker than its vector. */
  steps?(ordinal: number): Steps | undefined
}

/** Groups of one work are of the same make, so that they merge. */
export interface GroupWork {
  /** Physical kinds of the columns that rows have, by ordinal. */
  readonly columns: readonly PhysicalKind[]
  readonly groupBy: readonly number[]
  readonly aggregates: readonly GroupedAggregateRequest[]
}

/** An i64 as a number when it is a safe one, otherwise a bigint. */
export type GroupedValue = null | number | bigint | Uint8Array

export interface Groups {
  /** What they are made of. */
  readonly work: GroupWork
  /** The columns that rows must have. */
  readonly ordinals: readonly number[]
  readonly groupCount: number
  /** So many rows are likely to come, here or to other threads' groups of the same work: what is worth its cost for so many may begin with the first. */
  expect(rowCount: number): void
  add(rows: GroupRows): void
  /** Groups and distinct values: what merging goes through. */
  readonly entryCount: number
  /** What was added so far, for groups of the same make over another part of the rows: all of it in tables. */
  part(): GroupsPart
  /** The same as it stands, for groups over the same memory. */
  sharedPart(): GroupsPart
  merge(part: GroupsPart): void
  /** Keys of groups [first, first + count), to be freed; undefined without a key column. */
  keys(first: number, count: number): GroupKeys | undefined
  /** What an aggregate came to in each group, by the index of its request, once all rows are added. */
  results(): readonly ((group: number) => GroupedValue)[]
  /** The same of `count` groups from `first` on, for one request. False when they are no doubles, or one of them is NULL. */
  doubles(index: number, first: number, count: number, out: Float64Array): boolean
  free(): void
}

export const valuesOf = (vector: Vector): Pointer => (vector.kind === 'bytes' ? vector.refs : vector.values)
