/**
 * Groups between nodes: what they came to so far, so that they merge as if all rows had been grouped in one place.
 * Little-endian; never change this: another layout is another version of the handshake.
 *
 *   ┌ u8 1 │ groups │ keys │ of each input its state ┐  some groups, each in one such message
 *   ┌ u8 2 │ groups │ keys │ input │ values │ u32 group of each value │ column ┐  distinct values of some groups, which may come again
 *
 *   keys      of each key column: a column of so many rows; none without GROUP BY, when there is one group
 *   column    u8 kind │ flag: with nulls │ bytes of text, if of kind bytes │ section as in page-format.ts
 *   state     u8 1 accumulators: stride, stride × groups (src/kernel/scan.ts)
 *             u8 2 lent: the input whose counts are those of the rows
 *             u8 3 distinct: nothing, its values follow in messages of their own
 *             u8 4 texts: f64 counts │ extremes: flag greatest, column with nulls where there is none
 */
import type { InputPart } from '../../../lsm/groups/groups-part.ts'

export const groupMessageNumbers = { groups: 1, values: 2 } as const
export const stateNumbers = { accumulators: 1, lent: 2, distinct: 3, texts: 4 } as const satisfies Record<InputPart['kind'], number>

/** Of groups, or of values, in one message. */
export const groupRowsMax = 4096
