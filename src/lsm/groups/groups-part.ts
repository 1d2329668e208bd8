/** What groups and their inputs hold, for groups of the same make over other rows: plain data; addresses are good as long as their owner adds nothing. */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { PhysicalKind } from '../layout.ts'
import type { PlaceWindow } from './dense/window.ts'

export interface GroupsPart {
  readonly groupCount: number
  /** Group tables by key column. */
  readonly tables: readonly Pointer[]
  /** In the order of the inputs. */
  readonly inputs: readonly InputPart[]
  /** Groups that are not in the tables; only among the threads of one memory. */
  readonly dense?: DensePart
}

export type InputPart =
  | { readonly kind: 'accumulators'; readonly address: Pointer; readonly stride: number; readonly of: 'i64' | 'f64' }
  /** Counts of rows that are another input's counts of values. */
  | { readonly kind: 'lent'; readonly address: Pointer; readonly stride: number }
  | { readonly kind: 'distinct'; readonly table: Pointer; readonly of: PhysicalKind; /** Values that are not in the table; only among the threads of one memory. */ readonly marks?: Marks }
  | { readonly kind: 'texts'; readonly ranges: Pointer; readonly extremes: readonly { readonly isGreatest: boolean; readonly bests: Pointer }[] }

/** What groups by place hold: plain data, as all parts. */
export interface DensePart {
  readonly window: PlaceWindow
  /** How many rows there are of each place. */
  readonly rows: Extract<InputPart, { readonly kind: 'accumulators' | 'lent' }>
  /** In the order of the inputs, without one of `rows` that nobody asked for. */
  readonly inputs: readonly InputPart[]
}

/** Which integers occur: plain data; base and capacity of the window are multiples of 64. */
export interface Marks {
  readonly window: PlaceWindow
  /** A bit for each value, and 64 more, which mean nothing. */
  readonly bits: Pointer
}
